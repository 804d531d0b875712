// The C++ interface without the callbacks that it needs.
#include <doctest/doctest.h>

#include <vector>

#include "glint/glint.hpp"
#include "tests/model_builder.h"

namespace glint {

TEST_CASE("callbacks: an empty one is refused, not called") {
  const std::vector<uint8_t> file = testing::MiniModel().Build();
  const auto model = Model::FromMemory(file.data(), file.size());
  REQUIRE(model.ok());
  Picture picture;
  picture.info.width = 3;
  picture.info.height = 2;
  picture.samples.assign(3 * 2 * 3, 99);

  const auto none = EncodeRows(*model, picture.info, {}, nullptr);
  CHECK(none.error().code == ErrorCode::kInvalidArgument);
  const auto stream = Encode(*model, picture);
  REQUIRE(stream.ok());
  const auto start = [](const PictureInfo&, const Metadata&) { return true; };
  const RowWriter write = [](uint32_t, const void*) { return true; };
  CHECK(DecodeRows(*model, stream->data(), stream->size(), nullptr, write).code ==
        ErrorCode::kInvalidArgument);
  CHECK(DecodeRows(*model, stream->data(), stream->size(), start, nullptr).code ==
        ErrorCode::kInvalidArgument);
  CHECK(DecodeRows(*model, stream->data(), stream->size(), start, write).ok());
}

}  // namespace glint
