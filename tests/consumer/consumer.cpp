// A C++17 product in small: loads a model, encodes a picture, looks at the stream, decodes it.
// Usage: consumer_cpp MODEL. Ends with 0 when everything is as promised.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <glint/glint.hpp>
#include <glint/image_io.hpp>
#include <string>
#include <vector>

// The examples of README.md.
#include "push_example.cpp"
#include "session_example.cpp"

namespace {

int Fail(const char* where, const std::string& why) {
  std::fprintf(stderr, "consumer_cpp: %s: %s\n", where, why.c_str());
  return 1;
}

glint::Picture Gradient(uint32_t width, uint32_t height) {
  glint::Picture picture;
  picture.info.width = width;
  picture.info.height = height;
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      picture.samples.push_back(static_cast<uint8_t>(40 + 2 * x));
      picture.samples.push_back(static_cast<uint8_t>(60 + 3 * y));
      picture.samples.push_back(static_cast<uint8_t>(200 - x - y));
    }
  }
  return picture;
}

// The same rows as of the whole stream, and the first ones of a stream that is cut short.
bool ComesPieceByPiece(const glint::Model& model, const std::vector<uint8_t>& stream,
                       const glint::Picture& whole) {
  for (const size_t size : {stream.size(), stream.size() - 1}) {
    size_t at = 0;
    std::vector<uint8_t> samples;
    const glint::Error error = ShowWhileItComes(
        model,
        [&](char* bytes, size_t room) {
          const size_t count = std::min({room, size - at, size_t{100}});
          std::memcpy(bytes, stream.data() + at, count);
          at += count;
          return count;
        },
        [](const glint::PictureInfo&, const glint::Metadata&) { return true; },
        [&](uint32_t, const void* row) {
          const auto* begin = static_cast<const uint8_t*>(row);
          samples.insert(samples.end(), begin, begin + whole.info.RowBytes());
          return true;
        });
    if (error.ok() != (size == stream.size())) return false;
    if (error.ok() && samples != whole.samples) return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return Fail("usage", "consumer_cpp MODEL");
  std::printf("Glint %s on %s\n", glint::Version(), glint::CurrentTarget().c_str());

  const glint::Expected<glint::Model> model = glint::Model::Load(argv[1]);
  if (!model) return Fail("Load", model.error().message);

  const glint::Picture picture = Gradient(61, 37);
  const auto stream = glint::Encode(*model, picture);
  if (!stream) return Fail("Encode", stream.error().message);

  const auto info = glint::Inspect(stream->data(), stream->size());
  if (!info) return Fail("Inspect", info.error().message);
  if (info->source.width != 61 || info->source.height != 37) return Fail("Inspect", "another size");
  if (info->model_id != model->info().id) return Fail("Inspect", "another model");

  const auto decoded = glint::Decode(*model, stream->data(), stream->size());
  if (!decoded) return Fail("Decode", decoded.error().message);
  const double psnr = glint::PsnrRgb(picture, *decoded);
  std::printf("%zu bytes, %.2f dB\n", stream->size(), psnr);
  if (!(psnr > 25)) return Fail("PsnrRgb", "not the same picture");

  if (!ComesPieceByPiece(*model, *stream, *decoded)) return Fail("StreamDecoder", "other rows");
  size_t same = 0;
  const glint::Error failed =
      EncodeAll(*model, std::vector<glint::Picture>(3, picture),
                [&](const std::vector<uint8_t>& again) { same += again == *stream ? 1 : 0; });
  if (!failed.ok() || same != 3) return Fail("Session", "other streams");

  // What is wrong must come back as a message.
  if (glint::Decode(*model, stream->data(), stream->size() - 1)) {
    return Fail("Decode", "took a truncated stream");
  }
  // Links the readers of picture files, with the libraries that they need.
  const uint8_t start[] = {0xFF, 0xD8, 0xFF, 0xE0};
  const auto reader = glint::PictureReader::FromMemory(start, sizeof(start), "four bytes");
  if (reader || reader.error().message.empty()) {
    return Fail("PictureReader", "took four bytes of a JPEG");
  }
  const glint::Expected<glint::Model> none = glint::Model::Load("no-such-file.safetensors");
  if (none || none.error().message.empty()) return Fail("Load", "took a file that does not exist");
  return 0;
}
