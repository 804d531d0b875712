// What the normalisations over channels have in common. Called by layer_norm and rms_norm in
// engine/ops/.
// Thread rules: as engine/op.h.
#ifndef GLINT_ENGINE_OPS_NORM_H_
#define GLINT_ENGINE_OPS_NORM_H_

#include <memory>
#include <utility>

#include "engine/gradient_builder.h"
#include "engine/graph.h"
#include "engine/json.h"

namespace glint::ops {

struct NormAttributes final : Attributes {
  float epsilon = 0.0f;
};

inline float EpsilonOf(const Node& node) {
  return static_cast<const NormAttributes&>(*node.attributes).epsilon;
}

inline Status ReadNorm(ObjectReader* reader, Node* node) {
  double epsilon = 0;
  GLINT_TRY(reader->Number("epsilon", &epsilon));
  if (!(epsilon >= 1e-12 && epsilon <= 1)) return reader->Fail("epsilon is not in 1e-12..1");
  auto attributes = std::make_shared<NormAttributes>();
  attributes->epsilon = static_cast<float>(epsilon);
  node->attributes = std::move(attributes);
  return Status::Ok();
}

// Of x less its mean, or of x itself.
enum class Centred { kNo, kYes };
void NormBackward(const GradientNode& at, Centred centred, GradientBuilder* builder);

}  // namespace glint::ops

#endif  // GLINT_ENGINE_OPS_NORM_H_
