#include "tools/evaluation/layers.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace glint::tools {

Peaks::Peaks(int threads)
    : fp32(threads * MeasurePeak("f32 ") * 1e-9),
      i16(threads * MeasurePeak("i16 ") * 1e-9),
      u8(threads * MeasurePeak("u8 ") * 1e-9) {}

// By the type of its products, which a kernel's name begins with.
double Peaks::Of(const std::string& kernel) const {
  if (kernel.starts_with("i16 ")) return i16;
  return kernel.starts_with("u8 ") ? u8 : fp32;
}

void Arithmetic::Add(const LayerProfile& layer, const Peaks& peaks) {
  macs += layer.macs;
  seconds_at_peak += 1e-9 * layer.macs / peaks.Of(layer.kernel);
}

void KeepFaster(const Layers& layers, Layers* best) {
  for (size_t i = 0; i < std::min(layers.size(), best->size()); ++i) {
    (*best)[i].seconds = std::min((*best)[i].seconds, layers[i].seconds);
  }
}

Expected<CodingLayers> ProfileLayers(const Model& model, const Picture& picture,
                                     const EncodeOptions& options, int codings) {
  EncodeOptions encode = options;
  encode.profile = true;
  DecodeOptions decode;
  static_cast<CallOptions&>(decode) = encode;
  CodingLayers best;
  for (int i = 0; i < codings; ++i) {
    Report encoding, decoding;
    const Expected<std::vector<uint8_t>> stream = Encode(model, picture, encode, &encoding);
    if (!stream) return stream.error();
    const Error error = Decode(model, stream->data(), stream->size(), decode, &decoding).error();
    if (!error.ok()) return error;
    if (i == 0) {
      best = {std::move(encoding.layers), std::move(decoding.layers)};
    } else {
      KeepFaster(encoding.layers, &best.encoding);
      KeepFaster(decoding.layers, &best.decoding);
    }
  }
  return best;
}

void LayerLine::Add(const LayerProfile& layer, const Peaks& peaks) {
  arithmetic.Add(layer, peaks);
  seconds += layer.seconds;
}

std::vector<LayerLine> LinesOf(const Layers& layers, const Peaks& peaks) {
  std::vector<LayerLine> lines;
  LayerLine stage, all;
  all.stage = "all";
  stage.name = all.name = "(sum)";
  for (size_t i = 0; i < layers.size(); ++i) {
    LayerLine line{layers[i].stage, layers[i].name, layers[i].kernel, {}, 0};
    for (LayerLine* sum : {&line, &stage, &all}) sum->Add(layers[i], peaks);
    lines.push_back(line);
    if (i + 1 < layers.size() && layers[i + 1].stage == line.stage) continue;
    stage.stage = line.stage;
    lines.push_back(stage);
    stage = LayerLine{"", "(sum)", "", {}, 0};
  }
  lines.push_back(all);
  return lines;
}

Json LinesJson(const std::vector<LayerLine>& lines) {
  Json json = Json::array();
  for (const LayerLine& line : lines) {
    json.push_back({{"stage", line.stage},
                    {"name", line.name},
                    {"kernel", line.kernel},
                    {"macs", line.arithmetic.macs},
                    {"seconds", line.seconds},
                    {"peak_seconds", line.arithmetic.seconds_at_peak}});
  }
  return json;
}

}  // namespace glint::tools
