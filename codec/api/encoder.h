// What the encoder offers inside the library, beside the public EncodeRows.
// Internal to codec/; tests use it too.
// Thread rules: functions of their arguments.
#ifndef GLINT_CODEC_API_ENCODER_H_
#define GLINT_CODEC_API_ENCODER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "codec/api/analysis.h"
#include "codec/api/memory_plan.h"
#include "codec/api/reconstruction.h"
#include "codec/model/model_impl.h"
#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint {

struct EncodingExtras {
  ReconstructionTaker* taker = nullptr;  // nullptr: nobody looks at what will be decoded
  // None: the one that takes less memory. The stream is the same. What needs all rows at once comes
  // at once whatever is said here.
  std::optional<Analysis::Flow> flow;
};

// EncodeRows and PlanEncoding with extras.
Expected<std::vector<uint8_t>> EncodeRows(const Model& model, const PictureInfo& info,
                                          const Metadata& metadata, const RowReader& read,
                                          const EncodeOptions& options,
                                          const EncodingExtras& extras, Report* report);
Result<EncodingMemory> PlanEncoding(const Model::Impl& model, const PictureInfo& info,
                                    const EncodeOptions& options, const EncodingExtras& extras);

}  // namespace glint

#endif  // GLINT_CODEC_API_ENCODER_H_
