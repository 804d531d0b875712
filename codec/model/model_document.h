// What a model file says besides its graphs: pictures and latents, rate control, tables, and what
// is coded in which order. docs/MODEL_FORMAT.md. Read here, with keys, types, values and tables
// checked; whether transforms and coding steps work is checked by codec/model/transform_check.h and
// coding_check.h.
// Thread rules: immutable after loading, shared freely.
#ifndef GLINT_CODEC_MODEL_MODEL_DOCUMENT_H_
#define GLINT_CODEC_MODEL_MODEL_DOCUMENT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "codec/stream/entropy_tables.h"
#include "engine/model_file.h"
#include "engine/positions.h"
#include "engine/status.h"

namespace glint {

// Tables under a name, for coding steps. Those of steps that take scales from a graph have
// thresholds, tables.count() - 1 of them, ascending: index = number of thresholds <= raw scale.
struct TableSet {
  CdfTables tables;
  bool has_thresholds = false;
  std::vector<float> thresholds;
};

// Where a graph's input comes from: psi, or a range of channels of the decoded latents.
struct StepInput {
  std::string name;
  bool is_psi = false;
  int channel_begin = 0;
  int channel_end = 0;
};

// Hyper latents z or latents y.
enum class Coded { kHyper, kLatents };

// Where the distributions of a coding step's symbols come from.
enum class Distribution {
  kFixed,          // a table for each channel, mean 0
  kScales,         // raw scales of a graph, mean 0
  kMeansAndScales  // means, then raw scales of a graph
};

// Channels [channel_begin, channel_end) at these positions.
struct CodedPart {
  int channel_begin = 0;
  int channel_end = 0;
  PositionSet positions = kAllPositions;
  int channels() const { return channel_end - channel_begin; }
};

// In what order a step codes positions. kRows: row by row, and it reads nothing that it codes
// itself. kWavefront: front by front (docs/BITSTREAM.md section 6); its causal convolutions read
// what it has coded before.
enum class Order { kRows, kWavefront };

struct CodingStep {
  Coded codes = Coded::kLatents;
  Order order = Order::kRows;
  std::vector<CodedPart> parts;  // in the order of the graph's outputs
  int ahead = 0;                 // rows of what it codes beyond its segment
  Distribution distribution = Distribution::kFixed;
  std::string tables;
  std::string graph;  // empty when fixed
  std::vector<StepInput> inputs;

  int channels() const;           // of all parts
  PositionSet positions() const;  // at which it codes anything
  bool has_graph() const { return distribution != Distribution::kFixed; }
};

struct Coding {
  int segment_rows = 64;  // of y
  std::map<std::string, TableSet> tables;
  std::vector<CodingStep> steps;
};

// What the rate parameter lrd does. In models of a fixed rate all numbers but `lambda` are 0, and
// lrd is 0.
struct RateControl {
  enum class Map { kFixed, kLog, kLinear };
  Map map = Map::kLog;
  double min = 0, max = 0, default_value = 0;
  double suggested_min = 0, suggested_max = 0;
  // Training minimised bpp + lambda * MSE of 8-bit samples, where lambda is lambda_per_lrd * lrd,
  // or in models of a fixed rate `lambda`; 0: not known.
  double lambda_per_lrd = 0;
  double lambda = 0;
  // What of the weight of errors is that of squared error; the rest was of another measure.
  double squared_error_share = 1;

  bool is_fixed() const { return map == Map::kFixed; }
  double LambdaAt(double lrd) const { return is_fixed() ? lambda : lambda_per_lrd * lrd; }
};
// -1 at rate.min, 1 at rate.max, evenly over lrd or over its logarithm; 0 at a fixed rate. The same
// bits everywhere.
double RateToT(const RateControl& rate, double lrd);

// What stands around a picture so that its sides are multiples of ModelDocument::picture_stride.
enum class Padding {
  kEdge,         // on the right and below: the edge pixels again
  kCentredZeros  // on all sides: zeros, the smaller half on the left and on top
};

// A graph that makes the picture at a fraction of its size, of the first channels of y alone.
struct ShrunkGraph {
  std::string graph;
  size_t steps = 0;  // of coding: the first ones, which code all that it reads
};
// What pictures may be shrunk by.
inline constexpr std::array<int, 3> kShrinks = {2, 4, 8};

struct ModelDocument {
  std::string name;
  std::string form;  // "fp32", ...
  std::string architecture;
  int picture_channels = 3;
  int picture_stride = 16;
  Padding padding = Padding::kEdge;
  float picture_offset = 0;  // subtracted from pixels in 0..1 before g_a, added after g_s
  int latent_channels = 0;
  int latent_stride = 16;
  int fraction_bits = 6;  // of y and y_hat as int16
  bool has_hyper = false;
  int hyper_channels = 0;  // 0 without
  int hyper_stride = 64;
  RateControl rate;
  Coding coding;
  std::map<int, ShrunkGraph> shrunk;  // by one of kShrinks
  std::string provenance;             // JSON text, for `glint info`

  // Rows of y for one of z.
  int hyper_ratio() const { return hyper_stride / latent_stride; }
};

// Reads and checks all of it, with what the codec asks of the graphs. Errors: kBadModel, with the
// file's name.
Result<ModelDocument> LoadDocument(const ModelFile& file);

}  // namespace glint

#endif  // GLINT_CODEC_MODEL_MODEL_DOCUMENT_H_
