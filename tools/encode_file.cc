#include "tools/encode_file.h"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "tools/console.h"
#include "tools/output.h"
#include "tools/picture_source.h"
#include "tools/text.h"

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
                                   const std::optional<Target>& target, uint32_t metadata) {
  const std::string name = InputName(in);
  const Expected<std::unique_ptr<PictureSource>> source = PictureSource::Open(
      in, options.limits, target ? PictureSource::Passes::kSeveral : PictureSource::Passes::kOne,
      metadata);
  if (!source) return At(name, source.error());
  CodingSummary summary;
  summary.picture = (*source)->info();
  const Expected<std::vector<uint8_t>> stream =
      EncodeSource(model, source->get(), options, target, &summary);
  if (!(*source)->error().ok()) return At(name, (*source)->error());
  if (!stream) return At(name, stream.error());
  const Error written = WriteOutput(out, stream->data(), stream->size());
  if (!written.ok()) return written;
  summary.stream_bytes = stream->size();
  summary.warnings = (*source)->warnings();
  summary.left_out = LeftOut(**source, *stream);
  return summary;
}

}  // namespace glint::tools
