#include "tools/commands/encode_file.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "tools/commands/error_check.h"
#include "tools/commands/picture_source.h"
#include "tools/common/console.h"
#include "tools/common/output.h"
#include "tools/common/text.h"
#include "tools/program/detail_flags.h"

namespace glint::tools {
namespace {

Expected<std::vector<uint8_t>> EncodeSource(const Model& model, PictureSource* source,
                                            const EncodeOptions& options,
                                            const std::optional<Target>& target,
                                            CodingSummary* summary) {
  EncodeOptions call = options;
  call.limits.held_memory += source->held_bytes();
  if (!target) {
    return EncodeRows(model, source->info(), source->metadata(), source->Callback(), call,
                      &summary->report);
  }
  Expected<TargetResult> found =
      EncodeRowsToTarget(model, source->info(), source->metadata(), source->Callback(), *target,
                         call, &summary->report);
  if (!found) return found.error();
  summary->found = "lrd " + Shortest(found->lrd) + " after " +
                   Count(static_cast<size_t>(found->probes), "probe");
  if (target->kind == Target::Kind::kPsnr) {
    summary->found += ", PSNR " + Fixed(found->psnr, 2) + " dB";
  }
  return std::move(found->stream);
}

// Where errors have a limit: decodes what was encoded, with the rows of another pass over the
// picture beside it.
Error ProveErrors(const Model& model, PictureSource* source, const std::vector<uint8_t>& stream,
                  const EncodeOptions& options) {
  CallOptions call = options;
  call.limits.held_memory += source->held_bytes();
  return CheckErrors(model, stream, source->info(), source->Callback(), FidelityOf(options), call);
}

// A part of the work, from `begin` to `begin` + `share` of it.
std::function<bool(double)> PartOf(const std::function<bool(double)>& progress, double begin,
                                   double share) {
  if (!progress) return nullptr;
  return [progress, begin, share](double done) { return progress(begin + share * done); };
}

// What of the picture did not go into the stream.
std::string LeftOut(const PictureSource& source, const std::vector<uint8_t>& stream) {
  std::string text = source.left_out();
  if (!source.info().has_alpha) return text;
  const Expected<StreamInfo> info = Inspect(stream.data(), stream.size());
  if (info && !info->source.has_alpha) {
    text += (text.empty() ? "" : ", ") + std::string("alpha (opaque everywhere)");
  }
  return text;
}

}  // namespace

Expected<CodingSummary> EncodeFile(const Model& model, const std::string& in,
                                   const std::string& out, const EncodeOptions& options,
                                   const std::optional<Target>& target, uint32_t metadata,
                                   Existing existing) {
  const std::string name = InputName(in);
  constexpr double kEncodingShare = 0.7;  // of the time, where errors are proved
  const bool proves = LimitsErrors(options);
  const auto passes =
      target || proves ? PictureSource::Passes::kSeveral : PictureSource::Passes::kOne;
  const Expected<std::unique_ptr<PictureSource>> source =
      PictureSource::Open(in, options.limits, passes, metadata, options.threads);
  if (!source) return At(name, source.error());
  CodingSummary summary;
  summary.picture = (*source)->info();
  summary.pixels = uint64_t{summary.picture.width} * summary.picture.height;
  EncodeOptions call = options;
  if (proves) call.progress = PartOf(options.progress, 0, kEncodingShare);
  const Expected<std::vector<uint8_t>> stream =
      EncodeSource(model, source->get(), call, target, &summary);
  if (!(*source)->error().ok()) return At(name, (*source)->error());
  if (!stream) return At(name, stream.error());
  if (proves) {
    call.progress = PartOf(options.progress, kEncodingShare, 1 - kEncodingShare);
    const Error proved = ProveErrors(model, source->get(), *stream, call);
    if (!(*source)->error().ok()) return At(name, (*source)->error());
    if (!proved.ok()) return At(name, proved);
  }
  const Error written = WriteOutput(out, stream->data(), stream->size(), existing);
  if (!written.ok()) return written;
  summary.stream_bytes = stream->size();
  summary.warnings = (*source)->warnings();
  summary.left_out = LeftOut(**source, *stream);
  return summary;
}

}  // namespace glint::tools
