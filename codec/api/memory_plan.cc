#include "codec/api/memory_plan.h"

#include "codec/public_error.h"
#include "engine/float_env.h"

namespace glint {

uint64_t MetadataBytes(const Metadata& metadata) {
  uint64_t bytes = metadata.icc.size() + metadata.exif.size();
  for (const auto& chunk : metadata.chunks) bytes += chunk.second.size() + 16;
  return bytes;
}

Expected<MemoryPlan> PlanMemory(const Model& model, const PictureInfo& info,
                                const EncodeOptions& options) {
  const ScopedFloatEnv float_env;  // the model may make its gradient's plan now
  return PublicCall([&]() -> Result<MemoryPlan> {
    EncodeOptions unlimited = options;
    unlimited.limits.max_memory = UINT64_MAX;
    unlimited.limits.held_memory = 0;
    GLINT_ASSIGN(const EncodingMemory encoding, PlanEncoding(model.impl(), info, unlimited));
    GLINT_ASSIGN(const uint64_t decoding, PlanDecoding(model.impl(), info, unlimited));
    return MemoryPlan{encoding.all, decoding, encoding.stream};
  });
}

Expected<MemoryPlan> PlanMemory(const Model& model, const PictureInfo& info,
                                const CallOptions& options) {
  return PublicCall([&] {
    EncodeOptions encode;
    static_cast<CallOptions&>(encode) = options;
    return PlanMemory(model, info, encode);
  });
}

}  // namespace glint
