// Makes a model of integers or float16 out of a model in FP32, by calibration on pictures.
// Part of the public interface (C++17). Errors and ownership as in glint.hpp.
// Thread rules: as in glint.hpp; a call uses `threads` workers of its own.
#ifndef GLINT_QUANTISE_HPP_
#define GLINT_QUANTISE_HPP_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "glint/glint.hpp"

namespace glint {

enum class QuantisedType { kInt8, kInt16, kFp16 };

// What a layer's products are made of: weights x activations. All integer products have int32 sums.
enum class LayerPrecision { kFp32, kFp16, kW16A16, kW8A16, kW8A8 };
GLINT_API const char* NameOf(LayerPrecision precision);  // "W8A16"

enum class QuantisationScope {
  kAll,
  kEntropy,     // hyper transforms, contexts and parameter networks
  kTransforms,  // g_a and g_s
};

// How far the 8-bit range of an activation reaches.
enum class RangeMethod {
  kMax,         // the least and the greatest value that calibration saw
  kMse,         // where the squared error, as the next layer's weights weigh it, is least
  kPercentile,  // so many percent of the values
};

enum class WeightRounding {
  kNearest,
  kGptq,  // the errors of earlier weights compensated by later ones, by the inputs' second moments
};

// What counts as an error of a picture, where loss is measured.
enum class LossMetric {
  kSquaredError,  // as training weighed it; where the model does not say, a percent is worth two of
                  // the bits
  kMsSsim,        // 1 - MS-SSIM; a percent is worth one of the bits, as in models tuned for it
};

struct QuantiseProgress {
  // "calibrate", "second moments", "measure", "mix", "built-in pictures", "tune", "shrunk
  // pictures"; a mix has several passes, which go through their stages again.
  const char* stage = "";
  double done = 0;     // 0..1 of the stage
  std::string trying;  // what is tried now, for people: "g_a/a1 in 8 bits"; may be empty
  double loss = -1;    // percent, of the best that was found so far; negative: not known
};

struct QuantiseOptions {
  QuantisedType type = QuantisedType::kInt8;
  QuantisationScope scope = QuantisationScope::kAll;
  int activation_bits = 8;  // kInt8: 8, or 16 (8-bit weights alone)
  // kInt8 with 16-bit activations: in g_a and g_s each tensor's range is that of the picture at
  // hand, found while it is coded. No calibration can be too narrow, but encoder and decoder hold
  // whole pictures at every layer: memory grows with the area.
  bool dynamic_ranges = false;
  // Layers, as "g_a/a1" or "a1", and what they shall be whatever else is asked for.
  std::vector<std::pair<std::string, LayerPrecision>> keep;

  std::vector<double> lrds;  // of calibration; empty: five over the model's range
  RangeMethod ranges = RangeMethod::kMax;
  double percentile = 99.99;
  WeightRounding rounding = WeightRounding::kGptq;
  bool correct_bias = true;
  // Factors per channel between a tensor and the next weights: range^exponent. Negative: the best
  // of several for each layer; 0: none.
  double smoothing = -1;
  // W8A8: the share of a layer's input channels that get a second digit besides their byte, those
  // where it takes most noise away. Each digit costs as many products as a channel. 0: none;
  // negative: an eighth. In a mix this is the largest share that a layer may get; negative: any.
  double splitting = -1;
  // Vary the range of each 8-bit tensor, and keep what makes R + lambda D on the pictures least.
  bool tune = false;
  // Above 0: finds the cheapest mix of precisions whose loss on the pictures stays below so many
  // percent. An error when 16 bits everywhere lose more.
  double max_loss = 0;
  // kMsSsim takes pictures of at least 161 x 161.
  LossMetric metric = LossMetric::kSquaredError;
  // Learn ranges from BuiltInPictures() besides the pictures given, and hold a mix to them.
  bool built_in = true;
  // The scheme of "Light Uniform PTQ": weights of 8 bits between least and greatest, activations of
  // 16 bits with 8 fractional ones. For kInt8 only; of the options above it goes with none but
  // layers that `keep` leaves in FP32.
  bool seed_scheme = false;

  // Bytes that the call may hold, as far as they are known before it works: the pictures given,
  // what coding the largest takes, and what PlanQuantisation counts. kLimit beyond.
  uint64_t max_memory = uint64_t{4} << 30;
  int threads = 1;                                        // 0: as many as the machine has
  std::function<bool(const QuantiseProgress&)> progress;  // return false to stop
};

// Loss: bits at equal quality, (dR + lambda dD) / R in percent, mean over the rates; D as the
// metric says, on built-in pictures always squared error.
struct QuantisedLayer {
  std::string name;  // "g_a/a1"
  LayerPrecision precision = LayerPrecision::kFp32;
  double macs_per_pixel = 0;             // of the picture
  double weight_snr = 0;                 // dB at the layer's output, of the rounding of its weights
  double activation_snr = 0;             // dB at the layer's output, of the rounding of its input
  double input_low = 0, input_high = 0;  // the range of its input at the middle rate (dynamic
                                         // ranges: on the calibration pictures)
  double loss = 0;                       // max_loss > 0: what 8 bits for this layer alone add
};

// What one picture loses against the model in FP32 at one rate. Decibels are counted above an error
// of kMostColour levels; of built-in pictures, all are means over nine rates close to that one.
struct PictureLoss {
  size_t picture = 0;  // of the set
  double lrd = 0;
  double decibels = 0;  // of PSNR
  double colour = 0;    // levels, 0 to 255, that the mean of a channel is off, at most
  double growth = 0;    // percent more bits, counted above 8 bytes; of built-in pictures alone,
                        // for the others are coded as one
};

// What a set of pictures loses, over three rates.
struct SetLoss {
  double loss = 0;    // bits at equal quality, percent; of the whole set
  PictureLoss worst;  // the picture that loses most decibels
  PictureLoss worst_colour;
  PictureLoss worst_growth;
};

// More than this is a fault of the ranges, not the price of fewer bits.
constexpr double kMostDecibels = 1.0;
constexpr double kMostColour = 2.0;

// A graph by which a model's pictures come at a fraction of their size (DecodeOptions::shrink).
struct ShrunkGraphFit {
  int shrink = 2;
  uint32_t channels = 0;  // of y that it reads, the first ones
  // dB, before its weights are rounded, against the means of decoded pixels that it is fitted to.
  double psnr = 0;
};

struct QuantisedModel {
  std::vector<uint8_t> file;
  std::vector<QuantisedLayer> layers;
  double loss = 0;           // calibration.loss
  SetLoss calibration;       // on the pictures given (crops from their middles)
  SetLoss built_in;          // on BuiltInPictures(), where options ask for them
  double relative_cost = 0;  // time of its multiply-adds, the model in FP32 being 1, by the
                             // products' widths alone
  // Where the model had such graphs: they are fitted anew, to what the others have become.
  std::vector<ShrunkGraphFit> shrunk;
};

struct NamedPicture {
  std::string name;
  Picture picture;
};

// The pictures that every calibration looks at besides those it is given: flat colours, gradients,
// edges, noise, text, charts, saturated scenes. 8-bit RGB; the same bytes on every machine.
GLINT_API std::vector<NamedPicture> BuiltInPictures();

// Bytes that Quantise will hold besides the pictures and what coding them takes (PlanMemory):
// weights, samples of every tensor, second moments of every layer (4 n^2 bytes of one that
// multiplies n values), and the tensors of the largest picture while moments are measured.
GLINT_API Expected<uint64_t> PlanQuantisation(const Model& model,
                                              const std::vector<PictureInfo>& pictures,
                                              const QuantiseOptions& options = {});

// `model`: in FP32. `pictures`: at least one; 8-bit RGB of any size.
GLINT_API Expected<QuantisedModel> Quantise(const Model& model,
                                            const std::vector<Picture>& pictures,
                                            const QuantiseOptions& options = {});

struct ShrunkGraphOptions {
  std::vector<double> lrds;  // of calibration; empty: five over what the model is meant for
  bool built_in = true;      // a tenth of what is looked at is of BuiltInPictures()
  // As those of QuantiseOptions; the stage of `progress` is "shrunk pictures".
  uint64_t max_memory = uint64_t{4} << 30;
  int threads = 1;
  std::function<bool(const QuantiseProgress&)> progress;
};
struct ShrunkModel {
  std::vector<uint8_t> file;
  std::vector<ShrunkGraphFit> fits;
};
// dB that a graph has at least which reads fewer channels than all.
constexpr double kEnoughForFewerChannels = 36.0;
// Bytes that AddShrunkGraphs holds besides the pictures and what coding them takes.
GLINT_API Expected<uint64_t> PlanShrunkGraphs(const Model& model);
// The model, of any precision, with graphs for shrunk pictures in place of those that it had. All
// else stays as it is, but the id is another. kUnsupported where no graph fits.
GLINT_API Expected<ShrunkModel> AddShrunkGraphs(const Model& model,
                                                const std::vector<Picture>& pictures,
                                                const ShrunkGraphOptions& options = {});

}  // namespace glint

#endif  // GLINT_QUANTISE_HPP_
