#include "tools/evaluation/shard_results.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "tools/common/console.h"

namespace glint::tools {
namespace {

constexpr uint64_t kMostBytes = uint64_t{1} << 30;

Error Invalid(const std::string& what) { return MakeError(ErrorCode::kInvalidArgument, what); }

// Paths of models, seconds and the machine are where a program expects them in any result.
void ReadPlaces(const JsonFields& result, size_t model, EvaluationRun* run) {
  const JsonFields fields = result.Object("model"), machine = result.Object("machine");
  RunModel& described = run->models[model];
  described.load_seconds = fields.Real("load_time");
  std::vector<std::string> paths = fields.Texts("family");
  if (paths.empty()) paths.push_back(fields.Text("file"));
  for (size_t i = 0; i < std::min(paths.size(), described.members.size()); ++i) {
    described.members[i].path = paths[i];
  }
  run->machine = {machine.Text("cpu"), machine.Text("target"),
                  static_cast<int>(machine.Whole("threads", 1U << 20)),
                  machine.Real("peak_rss_mib")};
}

ShardResults ReadShard(const Json& json, std::string* fault) {
  ShardResults shard;
  const JsonFields whole(json, fault);
  const JsonFields fields = whole.Object("shard");
  const size_t index = fields.Whole("index", kMostShards);
  const size_t of = fields.Whole("of", kMostShards);
  shard.run_json = fields.Object("run").json();
  shard.run = ReadRun(fields.Object("run"), fault);
  if (fault->empty() && (index == 0 || index > of)) *fault = "it is no shard that there can be";
  shard.run.shard = Shard{index - 1, of};
  shard.run.source = fields.Text("source");
  shard.run.left_out = fields.Text("left_out");
  if (!fault->empty()) return shard;
  shard.steps = ReadResults(json, shard.run, fault);
  const std::vector<JsonFields> models =
      whole.Has("models") ? whole.Objects("models") : std::vector<JsonFields>{whole};
  for (size_t m = 0; m < shard.run.models.size() && fault->empty(); ++m) {
    ReadPlaces(models[m], m, &shard.run);
  }
  return shard;
}

}  // namespace

Expected<ShardResults> ReadShardFile(const std::string& path) {
  const Expected<Json> json = ReadJson(path, kMostBytes);
  if (!json) return json.error();
  if (!json->is_object() || !json->contains("shard")) {
    return Invalid(path + ": is no result of evaluate --shard");
  }
  std::string fault;
  ShardResults shard = ReadShard(*json, &fault);
  if (!fault.empty()) return Invalid(path + ": is no result of evaluate --shard: " + fault);
  shard.path = path;
  return shard;
}

}  // namespace glint::tools
