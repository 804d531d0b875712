// What steps that multiply by a matrix have in common: how weights are read for this target, what
// is evaluated once a picture, and what may be fused behind the sums. Called by engine/ops/.
// Thread rules: as step.h.
#ifndef GLINT_ENGINE_PRODUCT_STEP_H_
#define GLINT_ENGINE_PRODUCT_STEP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "engine/picture_tensors.h"
#include "engine/step.h"
#include "kernels/element.h"

namespace glint {

class ProductStep : public Step {
 public:
  bool Stores(kernels::Element element) const override;
  std::vector<Slot> Epilogue() const override;
  bool Adds(kernels::Element element) const override;
  void Fuse(const Node& node) override;
  std::string Notes() const override;

 protected:
  friend class ProductConstants;

  // Its inputs are integers if its precision is.
  ProductStep(const PlanContext& context, const Node& node);

  bool integer() const { return integer_; }
  // What tells precisions apart in Kernel(): "i16 ".
  std::string PrecisionText(kernels::Element input, bool float16_sums) const;

  static std::vector<int16_t> ReadIntegers(const PlanContext& context, const Node& node);
  // The matrix of a node of floats. Where inputs are float16, it is multiplied by their factors;
  // those are powers of two, so nothing is rounded.
  static std::vector<float> ReadMatrix(const PlanContext& context, const Node& node);
  // The element that such a matrix is packed as; and the largest magnitude that float16 inputs
  // hold, 0 if unknown.
  static kernels::Element KeptAs(const Node& node);
  static float MostInput(const PlanContext& context, const Node& node);

  // Scale and bias of integer sums.
  void SetScales(const PlanContext& context, const Node& node);
  // The tensor whose values are added to the sums, or are the x of a GDN; -1: none.
  virtual int Added() const { return residual; }

 private:
  const bool integer_, float16_;
  std::vector<float> scale_, bias_;   // per output channel: of the weights; of sums
  bool squares_ = false;              // its sums are of squares of its input
  const Node* activation_ = nullptr;  // fused, or nullptr
  const Node* factors_ = nullptr;
};

// What a product's epilogue takes in one picture.
class ProductConstants {
 public:
  ProductConstants(const ProductStep& step, const PictureTensors& tensors);
  ProductConstants(const ProductConstants&) = delete;
  ProductConstants& operator=(const ProductConstants&) = delete;

  // To be called when a band begins: only then is a dynamic input's scale known.
  void Renew() {
    if (t_.tensor(step_.inputs[0]).dynamic()) Evaluate();
  }
  const kernels::Epilogue& epilogue() const { return epilogue_; }

 private:
  void Evaluate();

  const ProductStep& step_;
  const PictureTensors& t_;
  kernels::Epilogue epilogue_;
  std::vector<float> scale_;    // of sums
  std::vector<float> factors_;  // of the fused node
  std::vector<float> gain_;     // of values on their way out: the factors, and the output's unit
};

}  // namespace glint

#endif  // GLINT_ENGINE_PRODUCT_STEP_H_
