#include "conformance/conformance_case.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "engine/byte_order.h"
#include "engine/model_file.h"
#include "engine/sha256.h"
#include "nlohmann/json.hpp"

namespace glint::conformance {
namespace {

Error Wrong(const std::string& what) { return {ErrorCode::kIo, what}; }

uint32_t SampleAt(const uint8_t* samples, size_t i, bool wide) {
  return wide ? uint32_t{samples[2 * i]} << 8 | samples[2 * i + 1] : samples[i];
}

// Of 16 bits, a level of the 8 that the model makes.
Error CompareSamples(const PictureInfo& info, const std::vector<uint8_t>& got,
                     const uint8_t* wanted) {
  const bool wide = info.SampleBytes() == 2;
  const size_t each = info.SamplesPerPixel();
  for (size_t i = 0; i < got.size() / info.SampleBytes(); ++i) {
    const uint32_t a = SampleAt(got.data(), i, wide), b = SampleAt(wanted, i, wide);
    const bool alpha = info.has_alpha && i % each == each - 1;
    const uint32_t allowed = alpha ? 0 : wide ? 257 : 1;
    if (std::max(a, b) - std::min(a, b) > allowed) {
      return Wrong("sample " + std::to_string(i) + " is " + std::to_string(a) + ", not " +
                   std::to_string(b));
    }
  }
  return {};
}

}  // namespace

Expected<std::vector<Case>> ReadManifest(const std::string& folder) {
  const std::string path = folder + "/manifest.json";
  const Expected<std::vector<uint8_t>> text = ReadBytes(path);
  if (!text) return text.error();
  try {
    std::vector<Case> cases;
    for (const auto& entry : nlohmann::json::parse(*text)) {
      cases.push_back({entry.at("stream"), entry.at("model"), entry.at("model_id"),
                       entry.at("exact"), entry.at("latents"), entry.at("pixels")});
    }
    return cases;
  } catch (const nlohmann::json::exception& error) {
    return Wrong(path + ": " + error.what());
  }
}

Error WriteManifest(const std::string& folder, const std::vector<Case>& cases) {
  auto list = nlohmann::ordered_json::array();
  for (const Case& each : cases) {
    list.push_back({{"stream", each.name},
                    {"model", each.model},
                    {"model_id", each.model_id},
                    {"exact", each.exact},
                    {"latents", each.latents},
                    {"pixels", each.pixels}});
  }
  std::ofstream file(folder + "/manifest.json");
  file << list.dump(1) << "\n";
  file.close();
  return file ? Error{} : Wrong(folder + "/manifest.json cannot be written");
}

std::string StreamPath(const std::string& folder, const Case& which) {
  return folder + "/streams/" + which.name + ".glint";
}

std::string PicturePath(const std::string& folder, const Case& which) {
  return folder + "/pictures/" + which.name + ".pam";
}

Expected<std::vector<uint8_t>> ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) return Wrong(path + " cannot be read");
  return bytes;
}

std::vector<uint8_t> PamSamples(const Picture& picture) {
  std::vector<uint8_t> bytes = picture.samples;
  if (picture.info.SampleBytes() == 1) return bytes;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    uint16_t sample = 0;
    std::memcpy(&sample, &bytes[i], sizeof(sample));
    bytes[i] = static_cast<uint8_t>(sample >> 8);
    bytes[i + 1] = static_cast<uint8_t>(sample);
  }
  return bytes;
}

Expected<Outcome> DecodeCase(const Model& model, const std::vector<uint8_t>& stream,
                             DecodeOptions options) {
  Sha256 latents;
  options.latents = [&latents](const LatentRow& row) {
    std::vector<uint8_t> bytes(size_t{row.columns} * row.channels * sizeof(int16_t));
    std::memcpy(bytes.data(), row.values, bytes.size());
    SwapToLittleEndian(bytes.data(), bytes.size() / sizeof(int16_t), sizeof(int16_t));
    latents.Update(bytes);
    return true;
  };
  Expected<Picture> picture = Decode(model, stream.data(), stream.size(), options);
  if (!picture) return picture.error();
  Outcome outcome;
  outcome.picture = std::move(*picture);
  outcome.latents = ToHex(latents.Finish());
  outcome.pixels = ToHex(Sha256Of(PamSamples(outcome.picture)));
  return outcome;
}

Error Compare(const std::string& folder, const Case& which, const Outcome& outcome) {
  if (outcome.latents != which.latents) return Wrong("the latents are others");
  if (which.exact) {
    return outcome.pixels == which.pixels ? Error{} : Wrong("the pixels are others");
  }
  const std::vector<uint8_t> got = PamSamples(outcome.picture);
  const Expected<std::vector<uint8_t>> file = ReadBytes(PicturePath(folder, which));
  if (!file) return file.error();
  if (file->size() <= got.size() || std::memcmp(file->data(), "P7\n", 3) != 0) {
    return Wrong("the picture has another size");
  }
  return CompareSamples(outcome.picture.info, got, file->data() + (file->size() - got.size()));
}

}  // namespace glint::conformance
