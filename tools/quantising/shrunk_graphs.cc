#include "tools/quantising/shrunk_graphs.h"

#include <cstdio>
#include <utility>

#include "tools/common/console.h"
#include "tools/common/messages.h"
#include "tools/common/models.h"
#include "tools/common/output.h"
#include "tools/common/pictures.h"
#include "tools/common/signals.h"
#include "tools/common/table.h"
#include "tools/common/text.h"
#include "tools/evaluation/measurement.h"
#include "tools/quantising/picture_set.h"
#include "tools/quantising/quantise_status.h"

namespace glint::tools {

Error RunShrunkGraphs(const std::string& tool, const ShrunkGraphsJob& job) {
  const Expected<std::string> path = FindModel(job.model);
  if (!path) return path.error();
  const Expected<Model> model = LoadModel(*path, job.options.threads);
  if (!model) return model.error();
  const Expected<std::string> source =
      job.calibration.empty() ? FindSamples() : Expected<std::string>(job.calibration);
  if (!source) return source.error();
  for (const double lrd : job.options.lrds) {
    const Error wrong = CheckLrd(model->info(), lrd, Detail::kOff);
    if (!wrong.ok()) return At("--calibration-lrd", wrong);
  }
  const Expected<uint64_t> planned = PlanShrunkGraphs(*model);
  if (!planned) return planned.error();
  Limits room = job.limits;
  room.held_memory = *planned;
  Error error = CheckPictureSets({*source}, *model, room);
  if (!error.ok()) return At("model and pictures", error);
  const Expected<PictureSet> pictures = ReadPictureSet(tool, *source, job.limits);
  if (!pictures) return pictures.error();
  InputFiles inputs;
  inputs.Add(*path);
  for (const std::string& picture : pictures->paths) inputs.Add(picture);
  for (const std::string& out : {job.out, job.log}) {
    error = inputs.Check(out);
    if (!error.ok()) return error;
  }
  const std::string little = TooLittleToLearn(*pictures);
  if (!little.empty()) Warn(tool, "calibration", {little});
  StatusLine status;
  ShrunkGraphOptions options = job.options;
  options.max_memory = job.limits.max_memory;
  QuantiseStatus shown(&status, 0);
  options.progress = [&shown](const QuantiseProgress& progress) {
    shown.Show(progress);
    return !Interrupted();
  };
  const Expected<ShrunkModel> fitted = AddShrunkGraphs(*model, pictures->pictures, options);
  status.Clear();
  if (!fitted) return fitted.error();
  const ModelInfo& info = model->info();
  const std::string report =
      "Glint " + std::string(Version()) + ": " + info.name + ", id " + info.id +
      ", graphs for shrunk pictures\nCalibration: " + Count(pictures->pictures.size(), "picture") +
      " from " + *source + "\n" + ShrunkGraphsText(fitted->fits) + "\n" + job.out + ": " +
      ByteSize(static_cast<double>(fitted->file.size())) + "\n";
  std::fputs(report.c_str(), stdout);
  error = WriteOutput(job.out, fitted->file.data(), fitted->file.size());
  if (!error.ok() || job.log.empty()) return error;
  return WriteOutput(job.log, report.data(), report.size());
}

std::string ShrunkGraphsText(const std::vector<ShrunkGraphFit>& fits) {
  std::vector<Table::Cells> rows;
  rows.reserve(fits.size());
  for (const ShrunkGraphFit& fit : fits) {
    rows.push_back(
        {"1/" + std::to_string(fit.shrink), std::to_string(fit.channels), Fixed(fit.psnr, 1)});
  }
  return "\nShrunk pictures, against means of the whole one's pixels\n" +
         FormatTable({{"size", Table::Align::kLeft}, {"channels of y"}, {"PSNR dB"}}, rows);
}

}  // namespace glint::tools
