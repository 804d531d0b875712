// A quantised model before it is a file: what every layer and every tensor shall be. Called by
// codec/quantiser only.
// Thread rules: plain data.
#ifndef GLINT_CODEC_QUANTISER_DRAFT_H_
#define GLINT_CODEC_QUANTISER_DRAFT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "codec/quantiser/groups.h"
#include "codec/quantiser/layers.h"
#include "codec/quantiser/rounding.h"

namespace glint::quantiser {

struct LayerDraft {
  LayerPrecision precision = LayerPrecision::kFp32;
  IntegerMatrix matrix;     // integer precisions
  std::vector<float> bias;  // replaces the layer's; empty: stays
  // Reads bytes, `split` of its channels in two digits, of an input that is kept as int16.
  bool digits = false;
  int zero = 0;  // of the bytes
  Split split;
};

struct TensorDraft {
  Quantisation quantisation;  // `factor` is chosen by the writer; scales of dynamic ones go unsaid
  std::vector<float> factor;  // per channel; empty: none
};

struct Draft {
  std::string form;  // "int8"
  std::map<TensorKey, TensorDraft> tensors;
  std::vector<LayerDraft> layers;                 // as ListLayers gives them
  std::map<std::string, std::string> provenance;  // how it was made
  bool without_shrunk = false;                    // leaves graphs for shrunk pictures out
};

// Writes the file. Whatever the draft does not mention is as in `model`.
std::vector<uint8_t> WriteDraft(const ModelFile& model, const std::vector<Layer>& layers,
                                const Draft& draft);

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_DRAFT_H_
