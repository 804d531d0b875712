#include "tools/evaluation/page_layers.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "glint/image_io.hpp"
#include "tools/common/signals.h"
#include "tools/common/text.h"
#include "tools/evaluation/layers.h"
#include "tools/evaluation/measurement.h"

namespace glint::tools {

Error AddLayers(const EvaluateFlags& flags, const Job& job, const EvaluationRun& run,
                size_t picture, StatusLine* status, EvaluationPage* page) {
  constexpr uint32_t kWidth = 768, kHeight = 512;
  constexpr int kCodings = 3;
  const PictureFile& file = job.pictures.files[picture];
  const Expected<Picture> whole = ReadPicture(file.path, flags.limits);
  if (!whole) return {};
  const ShownPart corner{0, 0, std::min(kWidth, whole->info.width),
                         std::min(kHeight, whole->info.height)};
  const Picture part = PartOf(AsSeen(*whole), corner);
  const int threads = run.machine.threads;
  const Peaks peaks(threads);
  EncodeOptions options;
  options.threads = flags.threads;
  options.lrd = job.points.front().lrd;
  options.detail = job.detail;
  options.progress = [](double) { return !Interrupted(); };
  for (size_t m = 0; m < job.models.size(); ++m) {
    status->ShowProgress("measuring layers",
                         static_cast<double>(m) / static_cast<double>(job.models.size()));
    const LoadedModel& member = job.models[m].members[job.points.front().member];
    const Expected<CodingLayers> layers = ProfileLayers(member.encoder, part, options, kCodings);
    if (!layers) return At(member.path, layers.error());
    page->AddLayers(run.models[m].label + " encode", LinesOf(layers->encoding, peaks));
    page->AddLayers(run.models[m].label + " decode", LinesOf(layers->decoding, peaks));
  }
  page->SetLayersNote("Of " + std::to_string(corner.width) + " x " + std::to_string(corner.height) +
                      " pixels of " + file.name + ", each layer the fastest of " +
                      std::to_string(kCodings) + " codings. Peaks of this machine with " +
                      Count(static_cast<size_t>(threads), "thread") +
                      ", measured just before: FP32 " + Fixed(peaks.fp32, 1) + ", int16 " +
                      Fixed(peaks.i16, 1) + ", int8 " + Fixed(peaks.u8, 1) + " GMAC/s.");
  status->Clear();
  return {};
}

}  // namespace glint::tools
