// The C interface: what nobody sees, pictures without alpha, kinds of metadata.
#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "glint/glint.h"
#include "tests/c_api_helpers.h"
#include "tests/codec_helpers.h"

namespace glint {
namespace {

using testing::Bytes;
using testing::Defaults;
using testing::InC;
using testing::Owned;
using testing::Taken;
using testing::Tiny;

Bytes EncodeInC(const Picture& picture, const glint_encode_options* options) {
  const glint_picture_info info = InC(picture.info);
  uint8_t* stream = nullptr;
  size_t size = 0;
  REQUIRE(glint_encode(Tiny().c.get(), &info, picture.samples.data(), 0, nullptr, options, &stream,
                       &size, nullptr) == GLINT_OK);
  return Taken(stream, size);
}

// Half of it hidden, the rest half transparent.
Picture HalfHidden() {
  Picture picture = testing::SmoothPicture(MakeInfo(40, 30, 3, true, 8), 2);
  for (size_t i = 0; i < 1200; ++i) picture.samples[4 * i + 3] = i % 40 < 20 ? 0 : 128;
  return picture;
}

TEST_CASE("C interface: exact") {
  const Picture picture = HalfHidden();
  EncodeOptions cpp;
  auto c = Defaults<glint_encode_options>();
  CHECK(c.exact == 0);
  CHECK(EncodeInC(picture, &c) == testing::MustEncode(Tiny().cpp, picture, cpp));
  CHECK(EncodeInC(picture, nullptr) == EncodeInC(picture, &c));
  c.exact = 1;
  cpp.exact = true;
  CHECK(EncodeInC(picture, &c) == testing::MustEncode(Tiny().cpp, picture, cpp));
  c.exact = 0;
  CHECK(EncodeInC(picture, &c) != testing::MustEncode(Tiny().cpp, picture, cpp));
  // A caller from before there was such an option.
  c.exact = 1;
  c.struct_size = offsetof(glint_encode_options, exact);
  CHECK(EncodeInC(picture, &c) == EncodeInC(picture, nullptr));
  c.struct_size = sizeof(c);
  c.detail = GLINT_DETAIL_ON + 1;
  const glint_picture_info info = InC(picture.info);
  uint8_t* stream = nullptr;
  size_t size = 0;
  CHECK(glint_encode(Tiny().c.get(), &info, picture.samples.data(), 0, nullptr, &c, &stream, &size,
                     nullptr) == GLINT_INVALID_ARGUMENT);
}

TEST_CASE("C interface: alpha left out or blended") {
  const Bytes stream = EncodeInC(HalfHidden(), nullptr);
  auto c = Defaults<glint_decode_options>();
  CHECK(c.alpha == GLINT_ALPHA_KEEP);
  CHECK(c.background == 0xFFFFFF);
  const auto decode = [&] {
    glint_picture* picture = nullptr;
    REQUIRE(glint_decode(Tiny().c.get(), stream.data(), stream.size(), &c, &picture, nullptr) ==
            GLINT_OK);
    const Owned<glint_picture> owned(picture);
    glint_picture_info info = testing::EmptyInfo();
    const void* samples = nullptr;
    size_t size = 0;
    REQUIRE(glint_picture_get_info(picture, &info) == GLINT_OK);
    REQUIRE(glint_picture_get_samples(picture, &samples, &size) == GLINT_OK);
    Picture taken;
    taken.info =
        MakeInfo(info.width, info.height, info.channels, info.has_alpha != 0, info.bit_depth);
    taken.samples.resize(size);
    std::memcpy(taken.samples.data(), samples, size);
    return taken;
  };
  const auto in_cpp = [&](AlphaOutput alpha, const Rgb8& background) {
    DecodeOptions options;
    options.alpha = alpha;
    options.background = background;
    return testing::MustDecode(Tiny().cpp, stream, options);
  };
  CHECK(SamePixels(decode(), in_cpp(AlphaOutput::kKeep, {})));
  c.alpha = GLINT_ALPHA_DROP;
  CHECK(SamePixels(decode(), in_cpp(AlphaOutput::kDrop, {})));
  c.alpha = GLINT_ALPHA_BLEND;
  CHECK(SamePixels(decode(), in_cpp(AlphaOutput::kBlend, {255, 255, 255})));
  c.background = 0x0A80FF;
  CHECK(SamePixels(decode(), in_cpp(AlphaOutput::kBlend, {0x0A, 0x80, 0xFF})));

  // Into a buffer: as large as what comes.
  Bytes buffer(40 * 30 * 3);
  glint_picture_info info = testing::EmptyInfo();
  CHECK(glint_decode_into(Tiny().c.get(), stream.data(), stream.size(), &c, buffer.data(),
                          buffer.size(), 0, &info, nullptr) == GLINT_OK);
  CHECK(info.has_alpha == 0);
  CHECK(buffer == decode().samples);

  glint_picture* none = nullptr;
  const auto status = [&] {
    return glint_decode(Tiny().c.get(), stream.data(), stream.size(), &c, &none, nullptr);
  };
  c.background = 0x1000000;
  CHECK(status() == GLINT_INVALID_ARGUMENT);
  c.background = 0;
  c.alpha = 3;
  CHECK(status() == GLINT_INVALID_ARGUMENT);
}

TEST_CASE("C interface: gray RGB is told") {
  Picture picture = testing::SmoothPicture(MakeInfo(20, 20, 3, false, 8), 2);
  const auto told = [&] {
    const Bytes stream = EncodeInC(picture, nullptr);
    glint_stream_info* info = nullptr;
    REQUIRE(glint_inspect(stream.data(), stream.size(), nullptr, &info, nullptr) == GLINT_OK);
    const Owned<glint_stream_info> owned(info);
    glint_stream_properties properties;
    REQUIRE(glint_stream_properties_init(&properties, sizeof(properties)) == GLINT_OK);
    REQUIRE(glint_stream_get_properties(info, &properties) == GLINT_OK);
    return properties.is_gray;
  };
  CHECK(told() == 0);
  for (size_t i = 0; i < picture.samples.size(); ++i)
    picture.samples[i] = picture.samples[i / 3 * 3];
  CHECK(told() == 1);
}

TEST_CASE("C interface: kinds of metadata") {
  const Owned<glint_metadata> metadata = InC(testing::SomeMetadata());
  uint64_t bytes = 0;
  CHECK(glint_metadata_get_size(metadata.get(), GLINT_METADATA_ALL, &bytes) == GLINT_OK);
  CHECK(bytes == 300 + 10 + 3 + 9);
  CHECK(glint_metadata_get_size(metadata.get(), GLINT_METADATA_TEXT, &bytes) == GLINT_OK);
  CHECK(bytes == 3);
  CHECK(glint_metadata_keep(metadata.get(), GLINT_METADATA_ICC | GLINT_METADATA_OTHER) == GLINT_OK);
  const Metadata wanted = MetadataOfKinds(testing::SomeMetadata(), kMetadataIcc | kMetadataOther);
  CHECK(testing::Same(testing::FromC(metadata.get()), wanted));
  CHECK(wanted.chunks.size() == 1);
  CHECK(glint_metadata_keep(nullptr, 0) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_metadata_get_size(nullptr, 0, &bytes) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_metadata_get_size(metadata.get(), 0, nullptr) == GLINT_INVALID_ARGUMENT);
  CHECK(static_cast<int>(kMetadataAll) == GLINT_METADATA_ALL);
  CHECK(static_cast<int>(kMetadataXmp) == GLINT_METADATA_XMP);
  CHECK(static_cast<int>(kMetadataExif) == GLINT_METADATA_EXIF);
}

}  // namespace
}  // namespace glint
