// Packed alpha: any bytes unpack to rows or give an error, and what is packed comes back.
#include "codec/stream/alpha.h"
#include "tests/fuzz/target.h"

namespace glint::fuzz {
namespace {

void RequireBadStream(const Status& status) {
  Require(status.code() == StatusCode::kBadStream && !status.message().empty(),
          "bytes that do not unpack: " + status.message());
}

// Reads rows of any bytes, as far as there are some.
void Unpack(std::span<const uint8_t> packed, size_t width, size_t sample_bytes, size_t height) {
  auto reader = AlphaReader::Make(width, sample_bytes, packed);
  Require(reader.ok(), "no reader");
  // On the heap at its size, so that a sanitizer sees what is written beyond.
  Bytes row(width * sample_bytes);
  for (size_t y = 0; y < height; ++y) {
    const Status status = (*reader)->ReadRow(row.data());
    if (!status.ok()) return RequireBadStream(status);
  }
  const Status end = (*reader)->Finish();
  if (!end.ok()) RequireBadStream(end);
}

void PackAndUnpack(std::span<const uint8_t> samples, size_t width, size_t sample_bytes) {
  const size_t row_bytes = width * sample_bytes, height = samples.size() / row_bytes;
  Bytes packed;
  auto writer = AlphaWriter::Make(width, sample_bytes, &packed);
  Require(writer.ok(), "no writer");
  Bytes row(row_bytes);
  const auto row_of = [&](size_t y) { return samples.subspan(y * row_bytes, row_bytes); };
  for (size_t y = 0; y < height; ++y) {
    std::copy_n(row_of(y).begin(), row_bytes, row.begin());
    Require((*writer)->AddRow(row.data()).ok(), "a row is not taken");
  }
  Require((*writer)->Finish().ok(), "packing does not end");
  auto reader = AlphaReader::Make(width, sample_bytes, packed);
  Require(reader.ok(), "no reader");
  for (size_t y = 0; y < height; ++y) {
    const Status status = (*reader)->ReadRow(row.data());
    Require(status.ok(), status.message());
    Require(std::equal(row.begin(), row.end(), row_of(y).begin()), "another row");
  }
  const Status end = (*reader)->Finish();
  Require(end.ok(), end.message());
}

// Options: bytes of a sample less one, width less one, height.
void RunAlpha(Input* input) {
  const size_t sample_bytes = 1 + input->choices.Below(2);
  const size_t width = 1 + size_t{input->choices.Byte()};
  const size_t height = 1 + size_t{input->choices.Byte()};
  Unpack(input->data, width, sample_bytes, height);
  PackAndUnpack(input->data, width, sample_bytes);
}

std::vector<Seed> AlphaSeeds() {
  std::vector<Seed> seeds;
  for (const uint8_t sample_bytes : {uint8_t{1}, uint8_t{2}}) {
    constexpr size_t kWidth = 20, kHeight = 12;
    Bytes packed, row(kWidth * sample_bytes);
    auto writer = AlphaWriter::Make(kWidth, sample_bytes, &packed);
    Require(writer.ok(), "no writer");
    for (size_t y = 0; y < kHeight; ++y) {
      for (size_t i = 0; i < row.size(); ++i) {
        row[i] = static_cast<uint8_t>(y < 4 ? 255 : y < 8 ? 7 * i + 13 * y : i * i * 31 + y * 17);
      }
      Require((*writer)->AddRow(row.data()).ok(), "a row is not taken");
    }
    Require((*writer)->Finish().ok(), "packing does not end");
    const uint8_t choice = static_cast<uint8_t>(sample_bytes - 1);
    seeds.push_back({"packed-" + std::to_string(sample_bytes),
                     MakeInput({choice, kWidth - 1, kHeight - 1}, packed)});
    seeds.push_back({"row-" + std::to_string(sample_bytes), MakeInput({choice, 4, 3}, row)});
  }
  return seeds;
}

}  // namespace

const Target kAlphaTarget = {"alpha", Form::kBytes, RunAlpha, AlphaSeeds};

}  // namespace glint::fuzz
