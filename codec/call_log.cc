#include "codec/call_log.h"

#include <array>
#include <cstdio>
#include <string>
#include <utility>

#include "codec/public_error.h"
#include "kernels/targets.h"

namespace glint {
namespace {

std::string Seconds(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4f s", seconds);
  return text.data();
}

std::string Stages(const StageTimes& times) {
  const std::array<std::pair<const char*, double>, 7> stages = {{{"analysis", times.analysis},
                                                                 {"hyper", times.hyper},
                                                                 {"context", times.context},
                                                                 {"entropy", times.entropy},
                                                                 {"synthesis", times.synthesis},
                                                                 {"detail", times.detail},
                                                                 {"effort", times.effort}}};
  std::string text;
  for (const auto& [name, seconds] : stages) {
    if (seconds > 0)
      text += (text.empty() ? "" : ", ") + std::string(name) + " " + Seconds(seconds);
  }
  return text.empty() ? text : " (" + text + ")";
}

std::string LineOf(const LoggedCall& call) {
  std::string line = call.error.ok() ? call.done : "not " + std::string(call.done);
  if (call.info.width > 0) {
    line += " " + std::to_string(call.info.width) + " x " + std::to_string(call.info.height);
  }
  if (!call.error.ok()) {
    line += ": " + call.error.message;
  } else {
    line += ":";
    if (call.stream_bytes > 0) line += " " + std::to_string(call.stream_bytes) + " bytes,";
    line += " " + std::to_string(call.report.planned_bytes) + " bytes of memory, " +
            Seconds(call.report.times.total) + Stages(call.report.times);
  }
  return line;
}

std::string LineOf(const Expected<Model>& model) {
  if (!model) return "not loaded: " + model.error().message;
  const ModelInfo& info = model->info();
  return "loaded " + info.name + " " + info.form + " (" + info.id +
         "): " + std::to_string(info.file_bytes) + " bytes, for " + kernels::CurrentTarget() +
         ", " + Seconds(info.load_seconds) + "; Glint " + Version();
}

// Without memory for its line a call ends as it would without a log.
template <typename Event>
void LogLine(const LogFunction& log, const Event& event) {
  if (!log) return;
  static_cast<void>(PublicCall([&]() -> Error {
    log(LineOf(event));
    return {};
  }));
}

}  // namespace

void Log(const LogFunction& log, const LoggedCall& call) { LogLine(log, call); }
void LogLoading(const LogFunction& log, const Expected<Model>& model) { LogLine(log, model); }

}  // namespace glint
