#include "tools/evaluation/run.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "tools/common/pictures.h"
#include "tools/common/text.h"
#include "tools/program/detail_flags.h"

namespace glint::tools {
namespace {

namespace fs = std::filesystem;

RunModel DescribeModel(const TestedModel& model) {
  RunModel described;
  described.label = model.label;
  described.type = model.type;
  described.name = model.info().name;
  described.load_seconds = model.info().load_seconds;
  for (const LoadedModel& member : model.members) {
    const ModelInfo& info = member.encoder.info();
    described.members.push_back({member.name, member.path, info.id, info.file_bytes});
  }
  return described;
}

Json ModelsJson(const std::vector<RunModel>& models) {
  Json json = Json::array();
  for (const RunModel& model : models) {
    Json members = Json::array();
    for (const RunModel::Member& member : model.members) {
      members.push_back(Json{{"id", member.id}, {"name", member.name}, {"bytes", member.bytes}});
    }
    json.push_back(Json{
        {"label", model.label}, {"type", model.type}, {"name", model.name}, {"members", members}});
  }
  return json;
}

RunModel ReadModel(const JsonFields& fields) {
  RunModel model;
  model.label = fields.Text("label");
  model.type = fields.Text("type");
  model.name = fields.Text("name");
  for (const JsonFields& member : fields.Objects("members")) {
    model.members.push_back({member.Text("name"), "", member.Text("id"), member.Whole("bytes")});
  }
  return model;
}

// What nothing may be done with.
std::string FaultOf(const EvaluationRun& run) {
  if (run.models.empty() || run.points.empty() || run.pictures.empty()) {
    return "it has no models, no rates or no pictures";
  }
  for (const RunModel& model : run.models) {
    if (model.members.empty()) return "a model has no file";
    for (const CurvePoint& point : run.points) {
      if (point.member >= model.members.size()) return "a rate is of a member that there is not";
    }
  }
  return run.freq < 1 ? "freq is 0" : "";
}

std::string Short(const Json& json) {
  return Printable(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

EvaluationRun DescribeRun(const EvaluateFlags& flags, const Job& job) {
  EvaluationRun run;
  run.version = Version();
  for (const TestedModel& model : job.models) run.models.push_back(DescribeModel(model));
  run.has_families = job.has_families;
  run.points = job.points;
  run.rates_given = !flags.lrd.empty() || !flags.quality.empty();
  run.detail = DetailName(job.detail);
  run.detail_given = flags.detail.has_value();
  run.effort = flags.effort;
  run.repeat = flags.repeat;
  run.freq = job.freq;
  run.verify = flags.verify;
  run.limits = flags.limits;
  run.is_folder = job.pictures.is_folder;
  for (const PictureFile& file : job.pictures.files) {
    std::error_code error;
    const uintmax_t bytes = fs::file_size(file.path, error);
    run.pictures.push_back({file.name, error ? 0 : bytes});
  }
  run.shard = flags.shard;
  run.source = job.source;
  run.left_out = LeftOutText(job.pictures);
  run.machine = {CpuName(), CurrentTarget(), flags.threads > 0 ? flags.threads : HardwareThreads(),
                 0};
  return run;
}

std::vector<size_t> PicturesOf(const EvaluationRun& run) {
  const Shard shard = run.shard.value_or(Shard{});
  std::vector<size_t> pictures;
  for (size_t i = shard.index; i < run.pictures.size(); i += shard.of) pictures.push_back(i);
  return pictures;
}

std::string RateName(const EvaluationRun& run, size_t model, size_t point) {
  const CurvePoint& at = run.points[point];
  if (!run.has_families) return at.lrd == 0 ? "fixed" : Shortest(at.lrd);
  const std::string& name = run.models[model].members[at.member].name;
  return name + (at.lrd == 0 ? "" : "_lrd" + Shortest(at.lrd));
}

Json RunJson(const EvaluationRun& run) {
  Json rates = Json::array(), pictures = Json::array();
  for (const CurvePoint& point : run.points) {
    rates.push_back(Json{{"lrd", point.lrd}, {"member", point.member}});
  }
  for (const RunPicture& picture : run.pictures) {
    pictures.push_back(Json{{"name", picture.name}, {"bytes", picture.bytes}});
  }
  return Json{{"version", run.version},
              {"models", ModelsJson(run.models)},
              {"families", run.has_families},
              {"rates", rates},
              {"rates_given", run.rates_given},
              {"detail", run.detail},
              {"detail_given", run.detail_given},
              {"effort", run.effort},
              {"repeat", run.repeat},
              {"freq", run.freq},
              {"verify", run.verify},
              {"max_pixels", run.limits.max_pixels},
              {"max_memory", run.limits.max_memory},
              {"folder", run.is_folder},
              {"pictures", pictures}};
}

EvaluationRun ReadRun(const JsonFields& fields, std::string* fault) {
  constexpr uint64_t kMostOfInt = std::numeric_limits<int>::max();
  const auto number = [&](const char* key) {
    return static_cast<int>(fields.Whole(key, kMostOfInt));
  };
  EvaluationRun run;
  run.version = fields.Text("version");
  for (const JsonFields& model : fields.Objects("models")) run.models.push_back(ReadModel(model));
  run.has_families = fields.Flag("families");
  for (const JsonFields& rate : fields.Objects("rates")) {
    run.points.push_back({rate.Real("lrd"), rate.Whole("member")});
  }
  run.rates_given = fields.Flag("rates_given");
  run.detail = fields.Text("detail");
  run.detail_given = fields.Flag("detail_given");
  run.effort = number("effort");
  run.repeat = number("repeat");
  run.freq = number("freq");
  run.verify = fields.Flag("verify");
  run.limits.max_pixels = fields.Whole("max_pixels");
  run.limits.max_memory = fields.Whole("max_memory");
  run.is_folder = fields.Flag("folder");
  for (const JsonFields& picture : fields.Objects("pictures")) {
    run.pictures.push_back({picture.Text("name"), picture.Whole("bytes")});
  }
  if (fault->empty()) *fault = FaultOf(run);
  return run;
}

std::string DifferenceText(const Json& one, const Json& other, const std::string& place) {
  if (one == other) return "";
  const std::string separator = place.empty() ? "" : ", ";
  if (one.is_object() && other.is_object()) {
    for (const auto& [key, value] : one.items()) {
      const Json theirs = other.contains(key) ? other[key] : Json(nullptr);
      const std::string inner = DifferenceText(value, theirs, place + separator + key);
      if (!inner.empty()) return inner;
    }
    for (const auto& [key, value] : other.items()) {
      if (!one.contains(key)) return place + separator + key + ": nothing, not " + Short(value);
    }
    return "";  // the same in another order
  }
  if (one.is_array() && other.is_array() && one.size() == other.size()) {
    for (size_t i = 0; i < one.size(); ++i) {
      const std::string inner =
          DifferenceText(one[i], other[i], place + " " + std::to_string(i + 1));
      if (!inner.empty()) return inner;
    }
    return "";
  }
  if (one.is_array() && other.is_array()) {
    return place + ": " + std::to_string(one.size()) + ", not " + std::to_string(other.size());
  }
  return place + ": " + Short(one) + ", not " + Short(other);
}

}  // namespace glint::tools
