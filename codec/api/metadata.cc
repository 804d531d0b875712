// Which kind a piece of metadata is, and how to keep some kinds only.
#include <algorithm>
#include <iterator>
#include <string_view>

#include "glint/glint.hpp"

namespace glint {
namespace {

struct KindOfName {
  std::string_view name;
  MetadataKind kind;
};

// Chunks that say what colours the samples stand for belong to the profile.
constexpr KindOfName kChunkKinds[] = {
    {"gAMA", kMetadataIcc},  {"cHRM", kMetadataIcc},  {"sRGB", kMetadataIcc},
    {"cICP", kMetadataIcc},  {"mDCV", kMetadataIcc},  {"cLLI", kMetadataIcc},
    {"tEXt", kMetadataText}, {"zTXt", kMetadataText}, {"iTXt", kMetadataText}};

// Keywords of texts that hold other metadata: XMP, and the hexadecimal dumps of ImageMagick.
constexpr KindOfName kKeywordKinds[] = {
    {"XML:com.adobe.xmp", kMetadataXmp},      {"Raw profile type xmp", kMetadataXmp},
    {"Raw profile type exif", kMetadataExif}, {"Raw profile type APP1", kMetadataExif},
    {"Raw profile type icc", kMetadataIcc},   {"Raw profile type icm", kMetadataIcc}};

template <size_t kCount>
MetadataKind KindIn(const KindOfName (&list)[kCount], std::string_view name,
                    MetadataKind otherwise) {
  const auto* found = std::find_if(std::begin(list), std::end(list),
                                   [name](const KindOfName& k) { return k.name == name; });
  return found == std::end(list) ? otherwise : found->kind;
}

MetadataKind KindOf(const std::pair<std::string, std::vector<uint8_t>>& chunk) {
  const MetadataKind kind = KindIn(kChunkKinds, chunk.first, kMetadataOther);
  if (kind != kMetadataText) return kind;
  // A text begins with its keyword and a zero.
  const std::string_view text(reinterpret_cast<const char*>(chunk.second.data()),
                              chunk.second.size());
  return KindIn(kKeywordKinds, text.substr(0, text.find('\0')), kMetadataText);
}

}  // namespace

Metadata MetadataOfKinds(const Metadata& metadata, uint32_t kinds) {
  Metadata kept;
  if ((kinds & kMetadataIcc) != 0) kept.icc = metadata.icc;
  if ((kinds & kMetadataExif) != 0) kept.exif = metadata.exif;
  std::copy_if(metadata.chunks.begin(), metadata.chunks.end(), std::back_inserter(kept.chunks),
               [kinds](const auto& chunk) { return (kinds & KindOf(chunk)) != 0; });
  return kept;
}

uint64_t MetadataSize(const Metadata& metadata, uint32_t kinds) {
  uint64_t bytes = 0;
  if ((kinds & kMetadataIcc) != 0) bytes += metadata.icc.size();
  if ((kinds & kMetadataExif) != 0) bytes += metadata.exif.size();
  for (const auto& chunk : metadata.chunks) {
    if ((kinds & KindOf(chunk)) != 0) bytes += chunk.second.size();
  }
  return bytes;
}

}  // namespace glint
