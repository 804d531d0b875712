#include "codec/picture_files/picture_files.h"

#include <algorithm>
#include <cstddef>

namespace glint {
namespace {

struct ChunkRule {
  std::string_view type;
  size_t size;  // 0: a text of any size
};

// What says how to show the samples, and texts. Left out: what depends on the colour type of the
// file (tRNS, which becomes alpha; bKGD, hIST, sBIT) and animation.
constexpr ChunkRule kKeptChunks[] = {{"tEXt", 0}, {"zTXt", 0},  {"iTXt", 0},  {"gAMA", 4},
                                     {"sRGB", 1}, {"cHRM", 32}, {"pHYs", 9},  {"tIME", 7},
                                     {"oFFs", 9}, {"cICP", 4},  {"mDCV", 24}, {"cLLI", 8}};

}  // namespace

bool MayRepeat(std::string_view type) { return type.substr(1) == "EXt" || type.substr(1) == "TXt"; }

bool IsKeptChunk(std::string_view type, size_t size) {
  const auto* rule = std::find_if(std::begin(kKeptChunks), std::end(kKeptChunks),
                                  [type](const ChunkRule& r) { return r.type == type; });
  if (rule == std::end(kKeptChunks)) return false;
  return rule->size == 0 ? size >= 2 : size == rule->size;
}

Error MetadataBeyondAll(const std::string& name) {
  return FileError(ErrorCode::kLimit, name,
                   "its metadata takes more than " + MemoryText(kMostMetadata) +
                       ", which is refused whatever the limit");
}

Error CheckPictureSize(const std::string& name, const PictureInfo& info, const Limits& limits) {
  const std::string size = std::to_string(info.width) + "x" + std::to_string(info.height);
  if (info.width == 0 || info.height == 0) {
    return FileError(ErrorCode::kBadImage, name, "a picture of " + size + " pixels");
  }
  if (uint64_t{info.width} * info.height > limits.max_pixels) {
    return FileError(ErrorCode::kLimit, name,
                     size + " pixels, " + std::to_string(uint64_t{info.width} * info.height) +
                         " in all, are more than the limit of " +
                         std::to_string(limits.max_pixels));
  }
  return {};
}

Error CheckPictureInfo(const std::string& name, const PictureInfo& info) {
  constexpr uint32_t kMaxSide = 0x7fffffff;  // what PNG can hold
  const uint32_t depth = info.bit_depth;
  const bool full = depth == 8 || depth == 16;
  const bool packed = depth == 1 || depth == 2 || depth == 4;
  if ((info.channels != 1 && info.channels != 3) || !(full || (packed && info.channels == 1))) {
    return FileError(ErrorCode::kInvalidArgument, name,
                     "no picture has " + std::to_string(info.channels) + " channels of " +
                         std::to_string(depth) + " bits" + (info.has_alpha ? " and alpha" : ""));
  }
  if (info.width == 0 || info.height == 0 || info.width > kMaxSide || info.height > kMaxSide) {
    return FileError(
        ErrorCode::kInvalidArgument, name,
        "a picture cannot be " + std::to_string(info.width) + "x" + std::to_string(info.height));
  }
  return {};
}

}  // namespace glint
