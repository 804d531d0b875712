// The memory that Encode and Decode would hold, for PlanMemory. Each function is defined beside the
// code that allocates.
// Thread rules: pure functions.
#ifndef GLINT_CODEC_API_MEMORY_PLAN_H_
#define GLINT_CODEC_API_MEMORY_PLAN_H_

#include <cstdint>

#include "codec/model/model_impl.h"
#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint {

uint64_t MetadataBytes(const Metadata& metadata);

struct EncodingMemory {
  uint64_t all = 0;
  uint64_t stream = 0;  // the part of it that the stream takes
};
Result<EncodingMemory> PlanEncoding(const Model::Impl& model, const PictureInfo& info,
                                    const EncodeOptions& options);
Result<uint64_t> PlanDecoding(const Model::Impl& model, const PictureInfo& source,
                              const CallOptions& options);

}  // namespace glint

#endif  // GLINT_CODEC_API_MEMORY_PLAN_H_
