// What can be said of bytes without a model: is it a stream, and what is in it. Both interfaces say
// the same.
#include <memory>

#include "glint/glint.h"
#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"
#include "tests/fuzz/calls.h"
#include "tests/fuzz/mend.h"
#include "tests/fuzz/models.h"
#include "tests/fuzz/target.h"
#include "tests/picture_helpers.h"

namespace glint::fuzz {
namespace {

// The same through C.
void InspectInC(const Bytes& bytes, const Limits& limits, bool damaged,
                const Expected<StreamInfo>& expected) {
  glint_decode_options options;
  glint_decode_options_init(&options, sizeof(options));
  options.max_pixels = limits.max_pixels;
  options.max_memory = limits.max_memory;
  options.detail = damaged ? GLINT_DETAIL_SKIP_DAMAGED : GLINT_DETAIL_DECODE;
  glint_stream_info* info = nullptr;
  glint_error error;
  // NULL is another error in C.
  const void* const data = bytes.empty() ? static_cast<const void*>("") : bytes.data();
  const glint_status status = glint_inspect(data, bytes.size(), &options, &info, &error);
  const std::unique_ptr<glint_stream_info, void (*)(glint_stream_info*)> owned(
      info, glint_stream_info_free);
  const int code = expected.ok() ? 0 : static_cast<int>(expected.error().code);
  Require(static_cast<int>(status) == code, "C and C++ inspect otherwise");
  Require((info != nullptr) == (status == GLINT_OK), "a handle with an error, or none without");
  if (info == nullptr) return;
  glint_stream_properties properties;
  glint_stream_properties_init(&properties, sizeof(properties));
  Require(glint_stream_get_properties(info, &properties) == GLINT_OK, "no properties");
  Require(properties.chunk_count == expected->chunks.size(), "C and C++ count other chunks");
  uint64_t end = 0;
  for (size_t i = 0; i < properties.chunk_count; ++i) {
    glint_stream_chunk chunk;
    Require(glint_stream_get_chunk(info, i, &chunk) == GLINT_OK, "no chunk");
    Require(chunk.offset >= end && chunk.bytes <= bytes.size() - chunk.offset,
            "chunks lie over each other or beyond the stream");
    end = chunk.offset + chunk.bytes;
  }
}

// Options: bit 0 of a byte: leave CRCs as they are, bit 1: damaged details are accepted; limits.
void RunInspect(Input* input) {
  const uint8_t kind = input->choices.Byte();
  const Limits limits = ChooseLimits(&input->choices);
  const bool damaged = (kind & 2) != 0;
  Bytes bytes(input->data.begin(), input->data.end());
  if ((kind & 1) == 0) MendChecksums(&bytes);
  bytes.shrink_to_fit();

  const FileFormat format = IdentifyFormat(bytes.data(), bytes.size());
  const bool is_stream = IsStream(bytes.data(), bytes.size());
  if (is_stream) Require(!format.name.empty(), "a stream that has no name");
  const auto info = Inspect(bytes.data(), bytes.size(), limits, damaged);
  InspectInC(bytes, limits, damaged, info);
  if (!info.ok()) {
    RequireError(info.error(), {ErrorCode::kBadStream, ErrorCode::kLimit, ErrorCode::kUnsupported});
    return;
  }
  Require(is_stream, "inspected, and no stream");
  Require(info->bytes == bytes.size(), "another number of bytes");
  Require(uint64_t{info->source.width} * info->source.height <= limits.max_pixels,
          "more pixels than the limit");
  Require(damaged || info->damaged_rows.empty(), "damage was accepted");
}

std::vector<Seed> InspectSeeds() {
  std::vector<Seed> seeds;
  Picture picture = testing::SmoothPicture(MakeInfo(9, 30, 3, true, 8), 1);
  picture.metadata = testing::SomeMetadata();
  const Model& mini = ModelOf(kMiniModel).model;
  EncodeOptions options;
  options.detail = Detail::kOn;
  seeds.push_back({"details", MakeInput({}, testing::MustEncode(mini, picture, options))});
  // In the form that is packed.
  picture.metadata.exif.resize(60, 'x');
  picture.metadata.chunks.emplace_back("tEXt", Bytes(60, 'y'));
  options.detail = Detail::kOff;
  seeds.push_back({"packed", MakeInput({2}, testing::MustEncode(mini, picture, options))});
  // First bytes of files that are known, and no streams.
  const auto begins = [&](const char* name, const std::string& text) {
    seeds.push_back({name, Bytes(text.begin(), text.end())});
  };
  begins("webp", std::string("RIFF\0\1\0\0WEBPVP8 ", 16));
  begins("avif", std::string("\0\0\0\x1c", 4) + "ftypavif");
  begins("jxl", "\xff\x0a");
  begins("tiff", std::string("II*\0", 4));
  begins("gif", "GIF89a");
  return seeds;
}

}  // namespace

const Target kInspectTarget = {"inspect", Form::kStream, RunInspect, InspectSeeds};

}  // namespace glint::fuzz
