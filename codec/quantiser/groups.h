// Groups: tensors that must be kept alike. A layer's inputs share one scale; psi is the same tensor
// in every graph that reads it; latents have the scale of the stream. Called by
// codec/quantiser only.
// Thread rules: plain data.
#ifndef GLINT_CODEC_QUANTISER_GROUPS_H_
#define GLINT_CODEC_QUANTISER_GROUPS_H_

#include <map>
#include <string>
#include <vector>

#include "codec/quantiser/bounds.h"
#include "codec/quantiser/layers.h"
#include "codec/quantiser/statistics.h"

namespace glint::quantiser {

// One tensor of the codec, under all the names that graphs have for it.
struct GroupTensor {
  std::vector<TensorKey> names;
  size_t channels = 0;
  size_t first = 0;  // channel in the group
};

struct Group {
  enum class Kind {
    kFree,     // scale, factors and type are the quantiser's choice
    kPicture,  // the input of g_a
    kLatents,  // y and y-hat: int16 of the stream's scale
    kHyper,    // z: int16 of scale 1
  };
  Kind kind = Kind::kFree;
  std::vector<GroupTensor> tensors;
  std::vector<size_t> layers;  // that read one of them
  size_t channels = 0;         // of all tensors
  bool added = false;          // an `add` reads one: its rounding goes past the layers
  bool has_psi = false;        // which is kept as int16
  // Channels of the group that a layer's input channels are.
  std::vector<size_t> ChannelsOf(const Layer& layer) const;
};

std::vector<Group> ListGroups(const Model::Impl& model, const std::vector<Layer>& layers);

// What calibration saw of the group's channels, all of its tensors side by side, at one rate. A
// tensor may have been measured under several names. Then the first name with all channels counts;
// names with fewer channels (groups of latents) add their extremes, in the tensor's first channel.
struct GroupStatistics {
  std::vector<double> low, high;              // per channel; low <= 0 <= high
  std::vector<double> bound_low, bound_high;  // what no picture passes; infinite: not known
  std::vector<double> mean, magnitude, square;
  std::vector<TensorStatistics> parts;  // for samples; one a tensor
};
std::vector<GroupStatistics> StatisticsOf(const Group& group, const Statistics& statistics,
                                          const std::map<TensorKey, Bounds>& bounds);

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_GROUPS_H_
