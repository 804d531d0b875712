// Streams of every kind of model: whatever they hold, they decode to a whole picture or give an
// error, and other threads and bands make no difference.
#include <algorithm>

#include "tests/codec_helpers.h"
#include "tests/fuzz/calls.h"
#include "tests/fuzz/mend.h"
#include "tests/fuzz/models.h"
#include "tests/fuzz/target.h"
#include "tests/picture_helpers.h"

namespace glint::fuzz {
namespace {

void RequireStreamError(const Error& error) {
  RequireError(error, {ErrorCode::kBadStream, ErrorCode::kWrongModel, ErrorCode::kLimit,
                       ErrorCode::kUnsupported});
}

bool AtLimit(const Error& error) { return error.code == ErrorCode::kLimit; }

// Pieces of so many bytes give the picture of the whole, or an error where that gives one.
void RunInPieces(const Model& model, const Bytes& stream, const DecodeOptions& options,
                 size_t piece, const Expected<Picture>& whole) {
  Picture picture;
  auto decoder = StreamDecoder::Make(
      model,
      [&](const PictureInfo& info, const Metadata&) {
        picture.info = info;
        return true;
      },
      [&](uint32_t, const void* row) {
        const auto* begin = static_cast<const uint8_t*>(row);
        picture.samples.insert(picture.samples.end(), begin, begin + picture.info.RowBytes());
        return true;
      },
      options);
  Require(decoder.ok(), "no stream decoder");
  Error error;
  for (size_t at = 0; at < stream.size() && error.ok(); at += piece) {
    // A copy of just the piece, so that nothing beyond it is read, or later.
    const Bytes bytes(
        stream.begin() + static_cast<std::ptrdiff_t>(at),
        stream.begin() + static_cast<std::ptrdiff_t>(std::min(at + piece, stream.size())));
    error = decoder->Push(bytes.data(), bytes.size());
  }
  if (error.ok()) error = decoder->Finish();
  if (!error.ok()) RequireStreamError(error);
  // Details that come too late are unsupported here alone.
  if (AtLimit(error) || error.code == ErrorCode::kUnsupported) return;
  if (!whole.ok() && AtLimit(whole.error())) return;
  Require(error.ok() == whole.ok(), "piece by piece: decodes or does not");
  Require(!error.ok() || SamePixels(picture, *whole), "piece by piece: another picture");
}

// Other threads and bands make no difference.
void RunAgain(const Model& model, const Bytes& stream, DecodeOptions options,
              const Expected<Picture>& first, const Report& first_report, Choices* choices) {
  ChooseCall(choices, &options);
  Report report;
  const auto again = Decode(model, stream.data(), stream.size(), options, &report);
  if (!again.ok()) RequireStreamError(again.error());
  if (AtLimit(first.error()) || AtLimit(again.error())) return;
  Require(first.ok() == again.ok(), "other threads or bands: decodes or does not");
  if (!first.ok()) return;
  Require(SamePixels(*first, *again), "other threads or bands: another picture");
  Require(first_report.latent_crc == report.latent_crc, "other threads or bands: other latents");
}

// A crop is that part of the whole, of a shrunk picture too, where no floats are summed. What lies
// below it is not decoded, so it may be sound where the whole is not.
void RunCrop(const SmallModel& small, const Bytes& stream, DecodeOptions options,
             Choices* choices) {
  options.deep = choices->OneIn(2);
  options.shrink = 1 << choices->Below(4);
  const auto whole = Decode(small.model, stream.data(), stream.size(), options);
  if (!whole.ok()) return;
  const PictureInfo& info = whole->info;
  Crop crop;
  crop.width = 1 + choices->Below(std::min(info.width, 256U));
  crop.height = 1 + choices->Below(std::min(info.height, 256U));
  crop.x = choices->Word() % (info.width - crop.width + 1);
  crop.y = choices->Word() % (info.height - crop.height + 1);
  options.crop = crop;
  const auto part = Decode(small.model, stream.data(), stream.size(), options);
  if (!part.ok()) return Require(AtLimit(part.error()), "a crop that does not decode");
  Require(part->info.width == crop.width && part->info.height == crop.height, "another crop");
  Require(!small.exact_pictures || SamePixels(*part, testing::PartOf(*whole, crop)),
          "a crop of another picture");
}

// Options: model, bit 0 of a byte: leave id and CRCs as they are, bit 1: decode again, bit 2: piece
// by piece, of a size by its upper bits, bit 3: a crop; then those of ChooseDecode, of ChooseCall
// for the second decoding, and of the crop.
void RunStream(Input* input) {
  Choices& choices = input->choices;
  const SmallModel& small = ModelOf(choices.Byte());
  const uint8_t kind = choices.Byte();
  Bytes stream(input->data.begin(), input->data.end());
  if ((kind & 1) == 0) MendStream(small.model.info().id, &stream);
  stream.shrink_to_fit();
  DecodeOptions options = ChooseDecode(&choices);

  const bool accept_damage = options.detail != DetailOutput::kDecode;
  const auto inspected = Inspect(stream.data(), stream.size(), options.limits, accept_damage);
  Report report;
  const auto picture = Decode(small.model, stream.data(), stream.size(), options, &report);
  if (!inspected.ok()) RequireStreamError(inspected.error());
  if (!picture.ok()) {
    RequireStreamError(picture.error());
  } else {
    Require(inspected.ok(), "a stream decodes that cannot be inspected");
    const PictureInfo& info = picture->info;
    if (options.alpha == AlphaOutput::kKeep) {
      Require(SameForm(inspected->output, info), "another form than was announced");
    }
    Require(inspected->output.width == info.width && inspected->output.height == info.height,
            "another size than was announced");
    Require(picture->samples.size() == info.RowBytes() * info.height, "not a whole picture");
    Require(SameMetadata(inspected->metadata, picture->metadata), "other metadata");
  }
  if ((kind & 4) != 0) {
    RunInPieces(small.model, stream, options, size_t{1} << (kind >> 4), picture);
  }
  if ((kind & 2) != 0) RunAgain(small.model, stream, options, picture, report, &choices);
  if ((kind & 8) != 0) RunCrop(small, stream, options, &choices);
}

std::vector<Seed> StreamSeeds() {
  struct Form {
    const char* name;
    uint32_t width, height, channels;
    bool has_alpha;
    uint32_t depth;
  };
  // Segments and alpha, more than 8 bits, gray, few bits.
  constexpr Form kForms[] = {{"alpha", 9, 100, 3, true, 8},
                             {"deep", 40, 33, 3, false, 16},
                             {"gray", 21, 50, 1, true, 16},
                             {"bits", 20, 19, 1, false, 4}};
  constexpr const char* kNames[] = {"tiny",    "mini",    "wavefront",    "integer",  "dynamic",
                                    "float16", "lattice", "mini-integer", "shrinking"};
  std::vector<Seed> seeds;
  for (uint8_t kind = 0; kind < kModelKinds; ++kind) {
    // Each model with two forms and with other details; the first of all forms.
    for (uint32_t i = 0; i < std::size(kForms); ++i) {
      if (kind > kTinyModel && (i + kind) % 2 == 0) continue;
      const Form& form = kForms[i];
      Picture picture = testing::SmoothPicture(
          MakeInfo(form.width, form.height, form.channels, form.has_alpha, form.depth), kind + i);
      if (i % 2 == 0) picture.metadata = testing::SomeMetadata();
      EncodeOptions options;
      options.detail = (kind + i / 2) % 2 == 0 ? Detail::kOn : Detail::kOff;
      if (kind % 3 == 2 && options.detail == Detail::kOn) options.max_error = 3;
      const Bytes stream = testing::MustEncode(ModelOf(kind).model, picture, options);
      seeds.push_back({std::string(kNames[kind]) + "-" + form.name,
                       MakeInput({kind, 2 + 4 + 8, 0, 0, 0, 0, 0, 0, 0, 2, 7, 0, 5, 8}, stream)});
    }
  }
  return seeds;
}

}  // namespace

const Target kStreamTarget = {"stream", Form::kStream, RunStream, StreamSeeds};

}  // namespace glint::fuzz
