// Any picture with any options: encoders with other threads and bands make the same stream,
// decoders find the encoder's latents and all make the same picture, and limits of errors hold.
#include <cstdlib>

#include "tests/fuzz/calls.h"
#include "tests/fuzz/models.h"
#include "tests/fuzz/target.h"
#include "tests/picture_helpers.h"

namespace glint::fuzz {
namespace {

constexpr uint32_t kMostSide = 72;

void RequireCodingError(const Error& error) {
  RequireError(error, {ErrorCode::kLimit, ErrorCode::kUnsupported});
}

// No sample of up to 8 bits is further off than was asked for.
void CheckErrors(const Picture& source, const EncodeOptions& options, const Picture& decoded) {
  if (options.lossless) {
    Require(SamePixels(source, decoded), "lossless, and another picture");
    return;
  }
  // With alpha the colours may be changed where nobody sees them.
  if (options.max_error < 0 || source.info.bit_depth > 8 || source.info.has_alpha) return;
  Require(SameForm(source.info, decoded.info), "limited errors, and another form");
  for (size_t i = 0; i < source.samples.size(); ++i) {
    const int off = std::abs(source.samples[i] - decoded.samples[i]);
    Require(off <= options.max_error, "a sample is " + std::to_string(off) + " off");
  }
}

// An alpha channel comes back as it was, or it was opaque everywhere.
void CheckAlpha(const Picture& source, const Picture& decoded) {
  if (!source.info.has_alpha) return;
  const size_t size = source.info.SampleBytes(), step = source.info.SamplesPerPixel() * size;
  constexpr uint8_t kOpaque = 0xFF;  // alpha has 8 or 16 bits here
  if (decoded.info.has_alpha) {
    Require(decoded.info.SampleBytes() == size, "an alpha of another depth");
  }
  const size_t decoded_step = decoded.info.SamplesPerPixel() * size;
  const size_t pixels = size_t{source.info.width} * source.info.height;
  for (size_t i = 0; i < pixels; ++i) {
    for (size_t b = 0; b < size; ++b) {
      const uint8_t was = source.samples[(i + 1) * step - size + b];
      const uint8_t is =
          decoded.info.has_alpha ? decoded.samples[(i + 1) * decoded_step - size + b] : kOpaque;
      Require(was == is, "another alpha");
    }
  }
}

// Options: the model; those of the picture, and of encoding; calls of the first encoding and of the
// second; of the first decoding, and of the second.
void RunPicture(Input* input) {
  Choices& choices = input->choices;
  const SmallModel& small = ModelOf(choices.Byte());
  const Picture picture = ChoosePicture(&choices, kMostSide, input->data);
  EncodeOptions encode = ChooseEncode(&choices, small.model.info(), picture.info);
  ChooseCall(&choices, &encode);
  Report made, made_again, found, found_again;
  const auto stream = Encode(small.model, picture, encode, &made);
  if (!stream.ok()) return RequireCodingError(stream.error());
  encode.limits = Limits();
  encode.threads = 1 + static_cast<int>(choices.Below(3));
  encode.band_rows = choices.Byte();
  const auto again = Encode(small.model, picture, encode, &made_again);
  Require(again.ok(), again.ok() ? "" : again.error().message);
  Require(*stream == *again, "other threads or bands: another stream");

  DecodeOptions decode;
  decode.threads = 1 + static_cast<int>(choices.Below(3));
  decode.band_rows = choices.Byte();
  const auto decoded = Decode(small.model, stream->data(), stream->size(), decode, &found);
  Require(decoded.ok(), decoded.ok() ? "" : decoded.error().message);
  Require(made.latent_crc == found.latent_crc && made.symbols == found.symbols,
          "the decoder finds other latents");
  Require(decoded->info.width == picture.info.width && decoded->info.height == picture.info.height,
          "another size");
  Require(SameMetadata(decoded->metadata, picture.metadata), "other metadata");
  CheckErrors(picture, encode, *decoded);
  CheckAlpha(picture, *decoded);
  decode.threads = 3 - decode.threads / 2;
  decode.band_rows = choices.Byte();
  const auto other = Decode(small.model, stream->data(), stream->size(), decode, &found_again);
  Require(other.ok(), other.ok() ? "" : other.error().message);
  Require(SamePixels(*decoded, *other), "other threads or bands: another picture");
}

std::vector<Seed> PictureSeeds() {
  const Bytes noise = {0x12, 0xF0, 0x53, 0x9A, 0xC4, 0x07, 0x6E, 0xB1, 0x38, 0xDD, 0x84};
  const Bytes stripes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255};
  std::vector<Seed> seeds;
  for (uint8_t kind = 0; kind < kModelKinds; ++kind) {
    // Forms of pictures, contents and kinds of details by turns.
    constexpr uint8_t kForms[] = {0, 3, 2, 4, 1, 0, 25, 7};
    const uint8_t details = static_cast<uint8_t>(kind % 4 + 4 * (kind / 4));
    const Bytes& data = kind % 2 == 0 ? noise : stripes;
    const uint8_t side = static_cast<uint8_t>(23 + 7 * kind), form = kForms[kind];
    const std::string number = std::to_string(kind);
    seeds.push_back({"flat-" + number, MakeInput({kind, 20, side, form, 0, 6, details, 3}, {9})});
    seeds.push_back(
        {"drawn-" + number,
         MakeInput({kind, side, 40, form, 0, 5, details, 128, 0, 0, 1, 16, 2, 3, 1, 40}, data)});
    seeds.push_back(
        {"smooth-" + number, MakeInput({kind, 35, 70, form, 1, 7, static_cast<uint8_t>(details + 1),
                                        200, 0, 2, 0, 0, 9, 2, 33},
                                       kind % 2 == 0 ? Bytes{} : noise)});
  }
  seeds.push_back({"effort", MakeInput({kMiniModel, 19, 15, 0, 1, 0, 253, 100}, {})});
  return seeds;
}

}  // namespace

const Target kPictureTarget = {"picture", Form::kBytes, RunPicture, PictureSeeds};

}  // namespace glint::fuzz
