#include "tools/commands/info_text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "tools/common/detail_text.h"
#include "tools/common/json_output.h"
#include "tools/common/text.h"

namespace glint::tools {
namespace {

constexpr size_t kNoLimit = static_cast<size_t>(-1);

using Facts = std::vector<std::pair<std::string, std::string>>;

std::string Lines(const Facts& facts) {
  size_t width = 0;
  for (const auto& [name, value] : facts) width = std::max(width, name.size());
  std::string text;
  for (const auto& [name, value] : facts) {
    if (value.empty()) continue;
    text += name + std::string(width + 2 - name.size(), ' ') + value + "\n";
  }
  return text;
}

// "S 12 (45.1 KiB), H 1 (37 bytes)": how many chunks of each type there are, and their bytes.
std::string ChunkText(const StreamInfo& stream) {
  std::map<char, std::pair<size_t, uint64_t>> types;
  for (const StreamInfo::Chunk& chunk : stream.chunks) {
    ++types[chunk.type].first;
    types[chunk.type].second += chunk.bytes;
  }
  std::string text;
  for (const auto& [type, sum] : types) {
    if (!text.empty()) text += ", ";
    text += std::string(1, type) + " x " + std::to_string(sum.first) + " (" +
            ByteSize(static_cast<double>(sum.second)) + ")";
  }
  return text;
}

std::string MetadataText(const Metadata& metadata) {
  std::string text;
  const auto add = [&text](const std::string& what, size_t bytes) {
    if (bytes == 0) return;
    text += (text.empty() ? "" : ", ") + what + " (" + ByteSize(static_cast<double>(bytes)) + ")";
  };
  add("ICC profile", metadata.icc.size());
  add("EXIF", metadata.exif.size());
  for (const auto& [type, content] : metadata.chunks) add(type, content.size());
  return text.empty() ? "none" : text;
}

// The provenance is JSON: one line for each of its entries.
Facts ProvenanceFacts(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return {{"provenance", Printable(text, kNoLimit)}};
  Facts facts;
  for (const auto& [key, value] : json.items()) {
    const std::string shown = value.is_string() ? value.get<std::string>() : value.dump();
    facts.emplace_back(facts.empty() ? "provenance" : "", Printable(key + ": " + shown, kNoLimit));
  }
  return facts;
}

bool SamePicture(const PictureInfo& a, const PictureInfo& b) {
  return a.width == b.width && a.height == b.height && a.channels == b.channels &&
         a.has_alpha == b.has_alpha && a.bit_depth == b.bit_depth;
}

std::string RatesText(const ModelInfo& model) {
  if (model.has_fixed_rate()) return "none: one fixed rate";
  return Shortest(model.lrd_min) + " to " + Shortest(model.lrd_max) + ", default " +
         Shortest(model.lrd_default) + ", best between " + Shortest(model.lrd_suggested_min) +
         " and " + Shortest(model.lrd_suggested_max);
}

// Four digits of a number, which `round` says how to end.
std::string FewDigits(double value, double (*round)(double)) {
  if (!(value > 0)) return Shortest(value);
  const double unit = std::pow(10, std::floor(std::log10(value)) - 3);
  const double units = value / unit, nearest = std::round(units);
  const bool whole = std::abs(units - nearest) < 1e-6;
  char text[32];
  std::snprintf(text, sizeof(text), "%.4g", (whole ? nearest : round(units)) * unit);
  return Shortest(std::strtod(text, nullptr));
}

// Ends that lie inside of what may be.
std::string DetailRatesText(const ModelInfo& model) {
  const auto up = [](double value) { return std::ceil(value); };
  const auto down = [](double value) { return std::floor(value); };
  const auto near = [](double value) { return std::round(value); };
  return FewDigits(model.detail_lrd_min, up) + " to " + FewDigits(model.detail_lrd_max, down) +
         ", default " + FewDigits(model.detail_lrd_default, near);
}

// "5.03 KiB, 45.1 % of the stream".
std::string DetailsText(const StreamInfo& stream) {
  if (!stream.detail) return "none";
  const auto bytes = static_cast<double>(DetailBytes(stream));
  const double percent = 100 * bytes / static_cast<double>(stream.bytes);
  return ByteSize(bytes) + ", " + Fixed(percent, 1) + " % of the stream";
}

std::string LrdText(const StreamInfo& stream) {
  if (stream.lrd == 0) return "none: the model has one fixed rate";
  return Shortest(NearFloat(stream.lrd)) + (stream.detail ? ", of the model's part" : "");
}

}  // namespace

uint64_t DetailBytes(const StreamInfo& stream) {
  constexpr char kDetail = 'D';
  uint64_t bytes = 0;
  for (const StreamInfo::Chunk& chunk : stream.chunks) {
    if (chunk.type == kDetail) bytes += chunk.bytes;
  }
  return bytes;
}

std::string PictureText(const PictureInfo& picture) {
  return std::to_string(picture.width) + "x" + std::to_string(picture.height) + ", " +
         (picture.channels == 1 ? "gray" : "RGB") + (picture.has_alpha ? " with alpha" : "") +
         ", " + Count(picture.bit_depth, "bit");
}

std::string PictureFileText(const PictureFacts& facts) {
  const double pixels = static_cast<double>(facts.info.width) * facts.info.height;
  Facts lines = {
      {"format", facts.format},
      {"picture", PictureText(facts.info)},
      {"size", ByteSize(static_cast<double>(facts.bytes)) + ", " +
                   Fixed(8 * static_cast<double>(facts.bytes) / pixels, 3) + " bpp"},
      {"metadata", MetadataText(facts.metadata)},
  };
  for (const std::string& warning : facts.warnings) lines.emplace_back("warning", warning);
  return Lines(lines);
}

std::string OtherFileText(const FileFormat& format) {
  return Lines({{"format", format.name}, {"not read", format.advice}});
}

namespace {

// "1/2, 1/4, 1/8": what the model has graphs for.
std::string ShrinksText(const ModelInfo& model) {
  std::string text;
  for (const uint32_t shrink : model.shrinks) {
    text += (text.empty() ? "1/" : ", 1/") + std::to_string(shrink);
  }
  return text.empty() ? "nothing by a graph of its own" : text;
}

}  // namespace

std::string ModelText(const ModelInfo& model) {
  Facts facts = {
      {"model", model.name + ", " + Upper(model.form)},
      {"architecture", model.architecture},
      {"id", model.id},
      {"size", ByteSize(static_cast<double>(model.file_bytes)) + ", " + Grouped(model.parameters) +
                   " parameters"},
      {"lrd", RatesText(model)},
      {"with details", DetailRatesText(model)},
      {"shrinks to", ShrinksText(model)},
      {"load time", Fixed(model.load_seconds, 3) + " s"},
  };
  const Facts provenance = ProvenanceFacts(model.provenance);
  facts.insert(facts.end(), provenance.begin(), provenance.end());
  return Lines(facts);
}

std::string StreamText(const StreamInfo& stream) {
  const double pixels = static_cast<double>(stream.source.width) * stream.source.height;
  const double bits = 8 * static_cast<double>(stream.bytes);
  return Lines({
      {"picture", PictureText(stream.source) + (stream.gray ? ", coded as gray" : "")},
      {"decodes to",
       SamePicture(stream.source, stream.output) ? "the same form" : PictureText(stream.output)},
      {"size", ByteSize(static_cast<double>(stream.bytes)) + ", " +
                   Fixed(pixels > 0 ? bits / pixels : 0, 3) + " bpp"},
      {"lrd", LrdText(stream)},
      {"details", DetailsText(stream)},
      {"damaged", stream.damaged_rows.empty() ? "" : "details of " + RowsText(stream.damaged_rows)},
      {"model id", stream.model_id},
      {"metadata", MetadataText(stream.metadata)},
      {"chunks", ChunkText(stream)},
  });
}

}  // namespace glint::tools
