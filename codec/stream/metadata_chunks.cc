#include "codec/stream/metadata_chunks.h"

#include <zlib.h>

#include <algorithm>
#include <string>
#include <utility>

#include "codec/memory_limit.h"

namespace glint {
namespace {

bool IsLetter(int c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

Status Invalid(const std::string& what) {
  return Status::Error(StatusCode::kInvalidArgument, what);
}

// Appends the length of `content` and its zlib stream.
Status AppendPacked(ByteSpan content, Bytes* out) {
  AppendLeb128(static_cast<uint32_t>(content.size()), out);
  const size_t head = out->size();
  uLongf size = compressBound(static_cast<uLong>(content.size()));
  out->resize(head + size);
  const int code = compress2(out->data() + head, &size, content.data(),
                             static_cast<uLong>(content.size()), Z_BEST_COMPRESSION);
  if (code != Z_OK) return Status::Error(StatusCode::kLimit, "out of memory for the metadata");
  out->resize(head + size);
  return Status::Ok();
}

// A chunk of `type`, or the same packed where that is smaller.
Status AddSmaller(char type, ByteSpan content, ContainerWriter* container) {
  if (content.size() > kMaxInflatedBytes) return container->Add(type, content);
  Bytes packed = {static_cast<uint8_t>(type)};
  GLINT_TRY(AppendPacked(content, &packed));
  return packed.size() < content.size() ? container->Add(chunk::kPacked, packed)
                                        : container->Add(type, content);
}

uint64_t EntriesBytes(const Metadata& metadata) {
  constexpr uint64_t kEntryHead = 4 + 5;  // type, and the longest length
  uint64_t bytes = 0;
  for (const auto& entry : metadata.chunks) bytes += kEntryHead + entry.second.size();
  return bytes;
}

// The payload of chunk 't'.
Result<Bytes> Entries(const Metadata& metadata) {
  if (metadata.chunks.size() > kMaxMetadataEntries) {
    return Invalid(std::to_string(metadata.chunks.size()) + " metadata chunks are too many");
  }
  Bytes entries;
  entries.reserve(static_cast<size_t>(EntriesBytes(metadata)));
  for (const auto& [type, content] : metadata.chunks) {
    if (type.size() != 4 || !std::all_of(type.begin(), type.end(), IsLetter)) {
      return Invalid("a metadata chunk of type \"" + type + "\", four letters are wanted");
    }
    if (content.size() > UINT32_MAX) {
      return Invalid("a metadata chunk of " + std::to_string(content.size()) +
                     " bytes is too long");
    }
    entries.insert(entries.end(), type.begin(), type.end());
    AppendLeb128(static_cast<uint32_t>(content.size()), &entries);
    entries.insert(entries.end(), content.begin(), content.end());
  }
  return entries;
}

}  // namespace

// ---- writing -----------------------------------------------------------------------------------

uint64_t MetadataWorkingBytes(const Metadata& metadata) {
  constexpr uint64_t kDeflateState = 512 * 1024;
  const uint64_t entries = EntriesBytes(metadata);
  const uint64_t most = std::max<uint64_t>({metadata.icc.size(), metadata.exif.size(), entries});
  if (most == 0) return 0;
  // zlib may make its input longer by less than a thousandth.
  return kDeflateState + entries + most + most / 1000 + 64;
}

Status WriteMetadata(const Metadata& metadata, ContainerWriter* container) {
  if (metadata.icc.size() > kMaxInflatedBytes) {
    return Invalid("an ICC profile of " + std::to_string(metadata.icc.size()) + " bytes, at most " +
                   std::to_string(kMaxInflatedBytes) + " are kept");
  }
  GLINT_ASSIGN(const Bytes entries, Entries(metadata));
  if (!metadata.icc.empty()) {
    Bytes packed;
    GLINT_TRY(AppendPacked(metadata.icc, &packed));
    GLINT_TRY(container->Add(chunk::kIcc, packed));
  }
  if (!metadata.exif.empty()) GLINT_TRY(AddSmaller(chunk::kExif, metadata.exif, container));
  return entries.empty() ? Status::Ok() : AddSmaller(chunk::kOther, entries, container);
}

// ---- reading -----------------------------------------------------------------------------------

Status MetadataCollector::Add(const ChunkView& view) {
  switch (view.type) {
    case chunk::kIcc:
      return AddIcc(view.payload);
    case chunk::kExif:
      return AddExif(view.payload);
    case chunk::kOther:
      return AddOther(view.payload);
    case chunk::kPacked:
      return AddPacked(view.payload);
    default:
      return Status::Ok();
  }
}

Status MetadataCollector::AddIcc(ByteSpan payload) {
  if (!metadata_.icc.empty()) return BadStream("a second ICC profile");
  PayloadReader reader(payload);
  const uint32_t size = reader.Leb128();
  GLINT_ASSIGN(metadata_.icc, Inflate(reader.Rest(), size, "the ICC profile"));
  return Status::Ok();
}

// Type, length, zlib stream.
Status MetadataCollector::AddPacked(ByteSpan payload) {
  PayloadReader reader(payload);
  const char type = static_cast<char>(reader.Byte());
  if (!reader.ok()) return BadStream("a packed chunk is empty");
  if (type != chunk::kExif && type != chunk::kOther) return Status::Ok();
  const uint32_t size = reader.Leb128();
  const char* const what = type == chunk::kExif ? "EXIF" : "its metadata";
  GLINT_ASSIGN(const Bytes content, Inflate(reader.Rest(), size, what));
  return type == chunk::kExif ? AddExif(content) : AddOther(content);
}

Status MetadataCollector::AddExif(ByteSpan content) {
  if (!metadata_.exif.empty()) return BadStream("a second EXIF chunk");
  if (content.empty()) return BadStream("the EXIF chunk is empty");
  GLINT_TRY(memory_.Hold(content.size(), "EXIF"));
  metadata_.exif.assign(content.begin(), content.end());
  return Status::Ok();
}

// Entries of four letters, length, content.
Status MetadataCollector::AddOther(ByteSpan entries) {
  if (!metadata_.chunks.empty()) return BadStream("a second metadata chunk");
  PayloadReader reader(entries);
  while (!reader.AtEnd()) {
    const ByteSpan type = reader.Take(4);
    const uint32_t size = reader.Leb128();
    const ByteSpan content = reader.Take(size);
    if (!reader.ok()) return BadStream("the metadata chunk has an entry that is cut short");
    if (!std::all_of(type.begin(), type.end(), IsLetter)) {
      return BadStream("the metadata chunk has an entry without a type of four letters");
    }
    if (metadata_.chunks.size() == kMaxMetadataEntries) {
      return BadStream("too many metadata entries");
    }
    // The list may hold three times its entries while it grows.
    constexpr uint64_t kEntry = 3 * sizeof(metadata_.chunks[0]);
    GLINT_TRY(memory_.Hold(kEntry + size, "its metadata"));
    metadata_.chunks.emplace_back(std::string(type.begin(), type.end()),
                                  Bytes(content.begin(), content.end()));
  }
  return metadata_.chunks.empty() ? BadStream("the metadata chunk is empty") : Status::Ok();
}

// `packed` is one zlib stream and inflates to `size` bytes, or is refused.
Result<Bytes> MetadataCollector::Inflate(ByteSpan packed, uint64_t size, const char* what) {
  const uint64_t most = std::min(kMaxInflatedBytes, packed.size() * kMostInflation);
  if (size == 0 || size > most) {
    return BadStream(std::string(what) + " claims " + std::to_string(size) + " bytes, at most " +
                     std::to_string(most) + " are possible");
  }
  GLINT_TRY(memory_.Hold(size, what));
  Bytes content(static_cast<size_t>(size));
  uLongf done = static_cast<uLongf>(size);
  uLong used = static_cast<uLong>(packed.size());
  const int code = uncompress2(content.data(), &done, packed.data(), &used);
  if (code == Z_MEM_ERROR) return Status::Error(StatusCode::kLimit, "out of memory");
  if (code != Z_OK || done != size || used != packed.size()) {
    return BadStream(std::string(what) + " does not inflate to its length");
  }
  return content;
}

}  // namespace glint
