#include "tools/evaluation/steps.h"

#include <optional>

#include "tools/evaluation/measurement_json.h"

namespace glint::tools {
namespace {

// Says what is wrong with a step, by the picture's name and the rate.
class StepFaults {
 public:
  StepFaults(const EvaluationRun& run, std::string* fault) : run_(run), fault_(fault) {}

  bool Exists(size_t picture, size_t point) const {
    const Shard shard = run_.shard.value_or(Shard{});
    const bool exists =
        picture < run_.pictures.size() && point < run_.points.size() && shard.Has(picture);
    if (!exists) Say("it has a measurement of what is not in its list of pictures and rates");
    return exists;
  }
  void At(size_t picture, size_t point, const std::string& what) const {
    Say(run_.pictures[picture].name + " at rate " + std::to_string(point + 1) + " " + what);
  }
  void Say(const std::string& what) const {
    if (fault_->empty()) *fault_ = what;
  }
  bool found() const { return !fault_->empty(); }

 private:
  const EvaluationRun& run_;
  std::string* fault_;
};

// The steps as their parts come: measurements of one model after the other.
class Assembly {
 public:
  Assembly(const EvaluationRun& run, const StepFaults& faults) : run_(run), faults_(faults) {}

  void AddModel(size_t model, const JsonFields& evaluation) {
    for (const JsonFields& image : evaluation.Objects("images")) {
      Add(model, ReadMeasurement(image));
    }
    for (const JsonFields& fields : evaluation.Objects("failures")) {
      Failure failure = ReadFailure(fields);
      if (faults_.found() || !faults_.Exists(failure.picture, failure.point)) return;
      for (Measurement& measurement : failure.measured) Add(model, std::move(measurement));
      failure.measured.clear();
      if (model == 0) Fail(std::move(failure));
    }
  }

  // After a failure there is nothing more of a picture.
  StepTable Finish() {
    for (const size_t picture : PicturesOf(run_)) {
      if (faults_.found()) break;
      auto step = steps_.lower_bound({picture, 0});
      for (size_t point = 0; point < run_.points.size(); ++point, ++step) {
        const bool is_there = step != steps_.end() && step->first == std::pair(picture, point);
        if (is_there && step->second.failure) {
          ++step;
          break;
        }
        if (is_there && step->second.measurements.size() == run_.models.size()) continue;
        faults_.At(picture, point, "is missing");
        break;
      }
      if (step != steps_.end() && step->first.first == picture && !faults_.found()) {
        faults_.At(picture, step->first.second, "failed before");
      }
    }
    return std::move(steps_);
  }

 private:
  Step* At(size_t picture, size_t point) {
    Step& step = steps_[{picture, point}];
    step.picture = picture;
    step.point = point;
    return &step;
  }

  void Add(size_t model, Measurement measurement) {
    if (faults_.found() || !faults_.Exists(measurement.picture, measurement.point)) return;
    Step* const step = At(measurement.picture, measurement.point);
    if (step->measurements.size() != model) {
      faults_.At(measurement.picture, measurement.point,
                 step->measurements.size() < model ? "is missing" : "is there twice");
      return;
    }
    step->measurements.push_back(std::move(measurement));
  }

  void Fail(Failure failure) {
    Step* const step = At(failure.picture, failure.point);
    if (step->failure) faults_.At(failure.picture, failure.point, "has failed twice");
    step->failure = std::move(failure);
  }

  const EvaluationRun& run_;
  const StepFaults& faults_;
  StepTable steps_;
};

}  // namespace

Json StepJson(const Step& step) {
  Json images = Json::array();
  for (const Measurement& m : step.measurements) images.push_back(MeasurementJson(m));
  Json json = {{"picture", step.picture}, {"rate", step.point}, {"images", images}};
  if (step.failure) json["failure"] = FailureJson(*step.failure);
  return json;
}

Step ReadStep(const JsonFields& fields, const EvaluationRun& run, std::string* fault) {
  const StepFaults faults(run, fault);
  Step step;
  step.picture = fields.Whole("picture");
  step.point = fields.Whole("rate");
  for (const JsonFields& image : fields.Objects("images")) {
    step.measurements.push_back(ReadMeasurement(image));
  }
  if (fields.Has("failure")) step.failure = ReadFailure(fields.Object("failure"));
  if (faults.found() || !faults.Exists(step.picture, step.point)) return step;
  const size_t models = step.measurements.size();
  if (step.failure ? models >= run.models.size() : models != run.models.size()) {
    faults.At(step.picture, step.point, "has another number of models");
  }
  const auto is_other = [&](size_t picture, size_t point) {
    return picture != step.picture || point != step.point;
  };
  for (const Measurement& m : step.measurements) {
    if (is_other(m.picture, m.point)) faults.At(step.picture, step.point, "is of another");
  }
  if (step.failure && is_other(step.failure->picture, step.failure->point)) {
    faults.At(step.picture, step.point, "failed elsewhere");
  }
  return step;
}

Failure ReadFailure(const JsonFields& fields) {
  Failure failure;
  failure.source = fields.Text("source");
  failure.message = fields.Text("message");
  failure.picture = fields.Whole("picture");
  failure.point = fields.Whole("rate");
  for (const JsonFields& image : fields.Objects("measured")) {
    failure.measured.push_back(ReadMeasurement(image));
  }
  return failure;
}

StepTable ReadResults(const Json& json, const EvaluationRun& run, std::string* fault) {
  const JsonFields whole(json, fault);
  const StepFaults faults(run, fault);
  const bool several = run.models.size() > 1;
  const std::vector<JsonFields> models =
      several ? whole.Objects("models") : std::vector<JsonFields>{whole};
  if (models.size() != run.models.size()) faults.Say("it has results of another number of models");
  Assembly assembly(run, faults);
  for (size_t m = 0; m < models.size() && !faults.found(); ++m) assembly.AddModel(m, models[m]);
  return faults.found() ? StepTable() : assembly.Finish();
}

}  // namespace glint::tools
