// Model files: those that load can be explained, and they code pictures: whatever their numbers
// are, the decoder follows the encoder.
#include "tests/codec_helpers.h"
#include "tests/fuzz/calls.h"
#include "tests/fuzz/models.h"
#include "tests/fuzz/target.h"
#include "tests/picture_helpers.h"

namespace glint::fuzz {
namespace {

constexpr uint32_t kMostSide = 48;

void RequireCodingError(const Error& error) {
  RequireError(error, {ErrorCode::kLimit, ErrorCode::kUnsupported});
}

// Options: limit and threads of loading; those of the picture, of encoding, and of decoding.
void RunModel(Input* input) {
  Choices& choices = input->choices;
  LoadOptions load;
  load.max_memory = ChooseMemory(&choices, kMostMemory, uint64_t{1} << 18);
  load.threads = 1 + static_cast<int>(choices.Below(3));
  const auto model = Model::FromMemory(input->data.data(), input->data.size(), "a model", load);
  if (!model.ok()) {
    RequireError(model.error(), {ErrorCode::kBadModel, ErrorCode::kUnsupported, ErrorCode::kLimit});
    return;
  }
  Require(!model->Explain().empty(), "a model without a plan");

  const Picture picture = ChoosePicture(&choices, kMostSide, {});
  EncodeOptions encode = ChooseEncode(&choices, model->info(), picture.info);
  ChooseCall(&choices, &encode);
  Report made, found;
  const auto stream = Encode(*model, picture, encode, &made);
  if (!stream.ok()) return RequireCodingError(stream.error());
  const DecodeOptions decode = ChooseDecode(&choices);
  const auto decoded = Decode(*model, stream->data(), stream->size(), decode, &found);
  if (!decoded.ok()) return RequireCodingError(decoded.error());
  Require(made.latent_crc == found.latent_crc && made.symbols == found.symbols,
          "the decoder finds other latents");
}

std::vector<Seed> ModelSeeds() {
  constexpr const char* kNames[] = {"tiny",    "mini",    "wavefront",    "integer",  "dynamic",
                                    "float16", "lattice", "mini-integer", "shrinking"};
  std::vector<Seed> seeds;
  const auto add = [&](const std::string& name, uint8_t form, uint8_t kind, const Bytes& file) {
    seeds.push_back(
        {name, MakeInput({0, 0, 20, 40, form, 1, 0, kind, 9, 0, 0, 1, 16, 0, 0, 2}, file)});
  };
  for (uint8_t kind = 0; kind < kModelKinds; ++kind) {
    add(kNames[kind], kind % 3, kind % 4, ModelOf(kind).file);
  }
  for (uint8_t drawn = 1; drawn <= 12; ++drawn) {
    const Bytes file = DrawnModelFile(drawn);
    // Most need more rows of z ahead than they have.
    if (!Model::FromMemory(file.data(), file.size()).ok()) continue;
    add("drawn-" + std::to_string(drawn), 0, drawn % 4, file);
  }
  return seeds;
}

}  // namespace

const Target kModelTarget = {"model", Form::kModel, RunModel, ModelSeeds};

}  // namespace glint::fuzz
