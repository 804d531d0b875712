#include "tools/evaluation/merge.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "tools/common/console.h"
#include "tools/common/output.h"
#include "tools/common/text.h"
#include "tools/evaluation/curves.h"
#include "tools/evaluation/report.h"
#include "tools/evaluation/shard_results.h"

namespace glint::tools {
namespace {

Error Invalid(const std::string& what) { return MakeError(ErrorCode::kInvalidArgument, what); }

// The shards of one run by their index, each once and none missing.
class ShardSet {
 public:
  Error Add(ShardResults shard) {
    if (shards_.empty()) return Keep(std::move(shard));
    const ShardResults& first = shards_.begin()->second;
    const std::string difference = DifferenceText(shard.run_json, first.run_json);
    if (!difference.empty()) {
      return Invalid(shard.path + ": is of another run than " + first.path + ": " + difference);
    }
    if (shard.run.shard->of != first.run.shard->of) {
      return Invalid(shard.path + ": is shard " + ShardText(*shard.run.shard) + ", and " +
                     first.path + " is " + ShardText(*first.run.shard));
    }
    const auto same = shards_.find(shard.run.shard->index);
    if (same != shards_.end()) {
      return Invalid(shard.path + ": shard " + ShardText(*shard.run.shard) +
                     " is there twice, also as " + same->second.path);
    }
    return Keep(std::move(shard));
  }

  Error CheckComplete() const {
    constexpr size_t kMostNamed = 10;
    const Shard any = *shards_.begin()->second.run.shard;
    const size_t missing = any.of - shards_.size();
    std::string names;
    size_t named = 0;
    for (size_t i = 0; i < any.of && named < std::min(missing, kMostNamed); ++i) {
      if (shards_.count(i) != 0) continue;
      names += (named++ == 0 ? "" : ", ") + ShardText({i, any.of});
    }
    if (missing == 0) return {};
    return Invalid("--merge: " + Count(missing, "shard") + " missing: " + names +
                   (missing > named ? ", ..." : ""));
  }

  // The whole, on the machines of all.
  EvaluationRun Run() const {
    EvaluationRun run = shards_.begin()->second.run;
    run.shard.reset();
    std::vector<std::string> cpus, targets;
    for (const auto& [index, shard] : shards_) {
      const Machine& machine = shard.run.machine;
      AddNew(machine.cpu, &cpus);
      AddNew(machine.target, &targets);
      run.machine.threads = std::max(run.machine.threads, machine.threads);
      run.machine.peak_rss_mib = std::max(run.machine.peak_rss_mib, machine.peak_rss_mib);
      for (size_t m = 0; m < run.models.size(); ++m) {
        run.models[m].load_seconds =
            std::max(run.models[m].load_seconds, shard.run.models[m].load_seconds);
      }
    }
    run.machine.cpu = Joined(cpus);
    run.machine.target = Joined(targets);
    return run;
  }

  const Step& Get(size_t picture, size_t point) const {
    return shards_.at(picture % shards_.size()).steps.at({picture, point});
  }

 private:
  Error Keep(ShardResults shard) {
    const size_t index = shard.run.shard->index;
    shards_.emplace(index, std::move(shard));
    return {};
  }

  static void AddNew(const std::string& name, std::vector<std::string>* names) {
    if (std::find(names->begin(), names->end(), name) == names->end()) names->push_back(name);
  }

  static std::string Joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : " + ") + name;
    return text;
  }

  std::map<size_t, ShardResults> shards_;
};

Expected<ShardSet> ReadShards(const EvaluateFlags& flags) {
  ShardSet set;
  InputFiles inputs;
  for (const std::string& path : flags.merge) {
    inputs.Add(path);
    Expected<ShardResults> shard = ReadShardFile(path);
    if (!shard) return shard.error();
    const Error error = set.Add(std::move(*shard));
    if (!error.ok()) return error;
  }
  if (!flags.curves.empty()) inputs.Add(flags.curves);
  Error error = set.CheckComplete();
  if (error.ok()) error = CheckKeepsInputs(inputs, flags);
  if (!error.ok()) return error;
  return set;
}

}  // namespace

int MergeShards(const std::string& tool, const EvaluateFlags& flags) {
  const Error writable = CheckResultPaths(flags);
  if (!writable.ok()) return ExitCodeFor(tool, writable);
  std::vector<QualityCurve> curves;
  if (!flags.curves.empty()) {
    Expected<std::vector<QualityCurve>> read = ReadCurves(flags.curves);
    if (!read) return ExitCodeFor(tool, At("--curves", read.error()));
    curves = std::move(*read);
  }
  Expected<ShardSet> shards = ReadShards(flags);
  if (!shards) return ExitCodeFor(tool, shards.error());
  EvaluationReport report(tool, shards->Run(), std::move(curves), flags.json);
  const int exit_code =
      report.Make([&](size_t picture, size_t point) { return shards->Get(picture, point); });
  if (exit_code == kExitBad || flags.html.empty()) return exit_code;
  const Error written =
      report.WritePage(EvaluationPage(flags.command, flags.html_size), flags.html);
  return written.ok() ? exit_code : ExitCodeFor(tool, written);
}

}  // namespace glint::tools
