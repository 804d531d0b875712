// Metadata to chunks of a stream and back; deflated where that makes them smaller.
// docs/BITSTREAM.md, "Metadata". Called by codec/stream/container and codec/api/encoder.
// Thread rules: values of one caller.
#ifndef GLINT_CODEC_STREAM_METADATA_CHUNKS_H_
#define GLINT_CODEC_STREAM_METADATA_CHUNKS_H_

#include <cstdint>

#include "codec/stream/container.h"
#include "codec/stream/payload_reader.h"
#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint {

// The most that WriteMetadata holds at once beside the metadata and the stream.
uint64_t MetadataWorkingBytes(const Metadata& metadata);

// kInvalidArgument when something in `metadata` has no place in a stream.
Status WriteMetadata(const Metadata& metadata, ContainerWriter* container);

// Collects the metadata of a stream from its ancillary chunks.
class MetadataCollector {
 public:
  MetadataCollector(HeldMemory* memory, Metadata* metadata)
      : memory_(*memory), metadata_(*metadata) {}

  // Chunks of unknown types are passed over.
  Status Add(const ChunkView& view);

 private:
  Status AddIcc(ByteSpan payload);
  Status AddPacked(ByteSpan payload);
  Status AddExif(ByteSpan content);
  Status AddOther(ByteSpan entries);
  Result<Bytes> Inflate(ByteSpan packed, uint64_t size, const char* what);

  HeldMemory& memory_;
  Metadata& metadata_;
};

}  // namespace glint

#endif  // GLINT_CODEC_STREAM_METADATA_CHUNKS_H_
