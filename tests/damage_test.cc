// Damaged and hostile files: streams, model files and pictures with every bit flipped, cut at every
// length, and mutated at random. Each gives an error or a sound result within its limits.
// GLINT_FUZZ_ROUNDS: mutations of each kind (default 3000); with fewer, one or two bits of each
// byte are flipped under right CRCs, not all. GLINT_SEED repeats a run.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"
#include "tests/model_builder.h"
#include "tests/mutate.h"
#include "tests/peak_memory.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::Bytes;
using testing::DynamicModelFile;
using testing::Float16ModelFile;
using testing::IntegerModelFile;
using testing::LoadModel;
using testing::MiniModelFile;
using testing::MustDecode;
using testing::MustEncode;
using testing::Mutator;
using testing::PeakMemory;
using testing::SameMetadata;
using testing::SmoothPicture;
using testing::SomeMetadata;
using testing::StreamChunk;
using testing::TinyModelFile;
using testing::WavefrontModelFile;

constexpr uint64_t kMostPixels = uint64_t{1} << 20;
constexpr uint64_t kMostMemory = uint64_t{64} << 20;
// What allocators and the test itself may hold on to.
constexpr uint64_t kSlackMemory = (uint64_t{32} << 20) + testing::kSanitizerMemory;

constexpr size_t kDefaultRounds = 3000;

size_t Rounds() {
  const char* text = std::getenv("GLINT_FUZZ_ROUNDS");
  const size_t wanted = text == nullptr ? 0 : std::strtoul(text, nullptr, 10);
  return wanted == 0 ? kDefaultRounds : wanted;
}

DecodeOptions SmallDecode() {
  DecodeOptions options;
  options.limits.max_pixels = kMostPixels;
  options.limits.max_memory = kMostMemory;
  return options;
}

EncodeOptions SmallEncode() {
  EncodeOptions options;
  options.limits = SmallDecode().limits;
  return options;
}

// A stream with all that a stream can have: segments, alpha, every kind of metadata.
struct Sample {
  Picture source;
  Bytes stream;
  Picture decoded;
};

Sample MakeSample(const Model& model, const PictureInfo& info, uint32_t seed) {
  Sample sample;
  sample.source = SmoothPicture(info, seed);
  sample.source.metadata = SomeMetadata();
  if (seed % 2 == 0) {  // as well in the form that is packed
    sample.source.metadata.exif.resize(60, 'x');
    sample.source.metadata.chunks.emplace_back("tEXt", Bytes(60, 'y'));
  }
  sample.stream = MustEncode(model, sample.source);
  sample.decoded = MustDecode(model, sample.stream);
  return sample;
}

// Inspect and Decode of anything: what is not refused is whole and agrees with itself. True when
// it was decoded, into `out`.
bool DecodeAnything(const Model& model, const Bytes& stream, Picture* out = nullptr) {
  const DecodeOptions options = SmallDecode();
  const auto inspected = Inspect(stream.data(), stream.size(), options.limits);
  const auto decoded = Decode(model, stream.data(), stream.size(), options);
  const auto check_error = [](const Error& error) {
    const bool known = error.code == ErrorCode::kBadStream ||
                       error.code == ErrorCode::kWrongModel || error.code == ErrorCode::kLimit ||
                       error.code == ErrorCode::kUnsupported;
    CHECK_MESSAGE(known, error.message);
    CHECK_FALSE(error.message.empty());
  };
  if (!inspected) check_error(inspected.error());
  if (!decoded) {
    check_error(decoded.error());
    return false;
  }
  REQUIRE(inspected.ok());
  CHECK(inspected->output.width == decoded->info.width);
  CHECK(inspected->output.height == decoded->info.height);
  CHECK(decoded->samples.size() == decoded->info.RowBytes() * decoded->info.height);
  CHECK(SameMetadata(inspected->metadata, decoded->metadata));
  if (out != nullptr) *out = *decoded;
  return true;
}

TEST_CASE("damage: every single bit of a stream flipped is found") {
  const Model model = LoadModel(TinyModelFile(2));
  Bytes stream = MakeSample(model, MakeInfo(9, 100, 3, true, 8), 1).stream;
  size_t accepted = 0;
  for (size_t bit = 0; bit < 8 * stream.size(); ++bit) {
    stream[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
    accepted += DecodeAnything(model, stream);
    stream[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
  }
  CHECK(accepted == 0);
}

TEST_CASE("damage: a stream cut at every length is found") {
  const Model model = LoadModel(TinyModelFile(2));
  const Bytes stream = MakeSample(model, MakeInfo(9, 100, 3, true, 8), 1).stream;
  size_t accepted = 0;
  for (size_t size = 0; size < stream.size(); ++size) {
    // A copy of that size, so that a sanitizer sees every byte beyond.
    accepted +=
        DecodeAnything(model, Bytes(stream.begin(), stream.begin() + static_cast<int64_t>(size)));
  }
  CHECK(accepted == 0);
  Bytes longer = stream;
  longer.push_back(0);
  CHECK_FALSE(DecodeAnything(model, longer));
}

// With right CRCs damage reaches the decoder itself. Behind the header, what decodes is the
// picture, but for details: they have no proof of their own.
TEST_CASE("damage: every bit flipped under right CRCs gives an error or the picture") {
  const Model tiny = LoadModel(TinyModelFile(2)), mini = LoadModel(MiniModelFile(4));
  const Model wavefront = LoadModel(WavefrontModelFile(2));
  // 7 and 8 have no common divisor, so all bits of bytes come in turn.
  const size_t step = Rounds() < kDefaultRounds ? 7 : 1;
  const auto check = [step](const Model& model, const PictureInfo& info) {
    const Sample sample = MakeSample(model, info, 2);
    const std::vector<StreamChunk> chunks = testing::StreamChunks(sample.stream);
    size_t wrong = 0, accepted = 0, segments = 0;
    for (const StreamChunk& chunk : chunks) segments += chunk.type == 'S';
    CHECK(segments > 2);
    for (size_t bit = 0; bit < 8 * sample.stream.size(); bit += step) {
      Bytes stream = sample.stream;
      stream[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
      testing::RepairStream(&stream);
      Picture picture;
      if (!DecodeAnything(model, stream, &picture)) continue;
      ++accepted;
      const bool in_header = bit / 8 < chunks[0].end();
      const bool in_details = std::any_of(chunks.begin(), chunks.end(), [&](const auto& chunk) {
        return chunk.type == 'D' && bit / 8 >= chunk.begin && bit / 8 < chunk.end();
      });
      if (!in_header && !in_details && !SamePixels(picture, sample.decoded)) ++wrong;
    }
    CHECK(wrong == 0);
    CHECK(accepted > 0);  // in metadata and CRCs
  };
  check(tiny, MakeInfo(9, 100, 3, true, 8));
  check(mini, MakeInfo(9, 30, 1, true, 16));
  check(wavefront, MakeInfo(5, 73, 3, true, 8));
}

TEST_CASE("damage: every payload cut at every length, under right CRCs") {
  const Model tiny = LoadModel(TinyModelFile(2)), wavefront = LoadModel(WavefrontModelFile(2));
  for (const uint32_t seed : {3U, 4U}) {
    const Model& model = seed == 3 ? wavefront : tiny;
    const Sample sample = MakeSample(model, MakeInfo(9, 100, 3, true, 8), seed);
    for (const StreamChunk& chunk : testing::StreamChunks(sample.stream)) {
      CAPTURE(chunk.type);
      const auto at = [&](size_t i) { return sample.stream.begin() + static_cast<int64_t>(i); };
      size_t accepted = 0;
      for (size_t size = 0; size < chunk.payload_bytes; ++size) {
        const Bytes payload(at(chunk.payload), at(chunk.payload + size));
        const Bytes cut = testing::MakeStreamChunk(chunk.type, payload);
        Bytes stream(at(0), at(chunk.begin));
        stream.insert(stream.end(), cut.begin(), cut.end());
        stream.insert(stream.end(), at(chunk.end()), sample.stream.end());
        accepted += DecodeAnything(model, stream);
      }
      // A shorter EXIF is an EXIF; texts can end between two of them. What is packed cannot.
      const bool is_text = chunk.type == 'e' || chunk.type == 't';
      CHECK((accepted == 0 || is_text));
    }
  }
}

TEST_CASE("damage: mutated streams") {
  const PeakMemory peak;
  const Model tiny = LoadModel(TinyModelFile(2)), mini = LoadModel(MiniModelFile(4));
  const Model wavefront = LoadModel(WavefrontModelFile(2));
  struct Seeded {
    const Model* model;
    Bytes stream;
  };
  const std::vector<Seeded> samples = {
      {&tiny, MakeSample(tiny, MakeInfo(9, 100, 3, true, 8), 4).stream},
      {&tiny, MakeSample(tiny, MakeInfo(40, 33, 3, false, 16), 5).stream},
      {&mini, MakeSample(mini, MakeInfo(9, 30, 1, true, 16), 6).stream},
      {&wavefront, MakeSample(wavefront, MakeInfo(21, 80, 3, false, 8), 6).stream},
      {&mini, MakeSample(mini, MakeInfo(20, 9, 1, false, 4), 7).stream}};
  Mutator mutator(TestSeed() + 100);
  for (size_t round = 0; round < 8 * Rounds(); ++round) {
    CAPTURE(round);
    const Seeded& sample = samples[mutator.Below(samples.size())];
    const Bytes& other = samples[mutator.Below(samples.size())].stream;
    Bytes stream = mutator.Stream(sample.stream, other);
    if (mutator.OneIn(4)) stream = mutator.Stream(stream, other);
    DecodeAnything(*sample.model, stream);
  }
  CHECK(peak.Growth() < kMostMemory + kSlackMemory);
}

// A model that loads must code pictures: whatever its numbers are, the decoder follows the encoder.
void CodeWith(const Model& model, const Picture& picture) {
  EncodeOptions encode = SmallEncode();
  encode.band_rows = 16;
  Report coded, decoded;
  const auto stream = Encode(model, picture, encode, &coded);
  if (!stream) {
    CHECK_MESSAGE(stream.error().code == ErrorCode::kLimit, stream.error().message);
    return;
  }
  DecodeOptions decode = SmallDecode();
  decode.threads = 2;
  const auto again = Decode(model, stream->data(), stream->size(), decode, &decoded);
  if (!again) {
    CHECK_MESSAGE(again.error().code == ErrorCode::kLimit, again.error().message);
    return;
  }
  CHECK(decoded.latent_crc == coded.latent_crc);
  CHECK(again->samples.size() == picture.samples.size());
}

TEST_CASE("damage: mutated model files") {
  const PeakMemory peak;
  const std::vector<Bytes> files = {TinyModelFile(2),    IntegerModelFile(2),
                                    DynamicModelFile(2), Float16ModelFile(2),
                                    MiniModelFile(4),    WavefrontModelFile(2)};
  const Picture picture = SmoothPicture(MakeInfo(21, 50, 3, false, 8), 8);
  Mutator mutator(TestSeed() + 101);
  size_t loaded = 0;
  for (size_t round = 0; round < Rounds(); ++round) {
    CAPTURE(round);
    const Bytes file = mutator.Model(files[mutator.Below(files.size())]);
    const auto model = Model::FromMemory(file.data(), file.size());
    if (!model) {
      const ErrorCode code = model.error().code;
      CHECK_MESSAGE((code == ErrorCode::kBadModel || code == ErrorCode::kUnsupported),
                    model.error().message);
      CHECK_FALSE(model.error().message.empty());
      continue;
    }
    ++loaded;
    CHECK_FALSE(model->Explain().empty());
    CodeWith(*model, picture);
  }
  CHECK(loaded > Rounds() / 20);  // or the mutations are too wild to show anything
  CHECK(peak.Growth() < kMostMemory + kSlackMemory);
}

TEST_CASE("damage: a model file cut at every length") {
  const Bytes file = MiniModelFile();
  size_t accepted = 0;
  for (size_t size = 0; size < file.size(); size += size < 6000 ? 1 : 7) {
    const Bytes cut(file.begin(), file.begin() + static_cast<int64_t>(size));
    accepted += Model::FromMemory(cut.data(), cut.size()).ok();
  }
  CHECK(accepted == 0);
}

std::vector<Bytes> PngSamples() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(GLINT_TEST_DATA) + "/pngsuite")) {
    if (entry.path().extension() == ".png") names.push_back(entry.path().string());
  }
  std::sort(names.begin(), names.end());
  std::vector<Bytes> files;
  for (const std::string& name : names) {
    auto file = ReadFile(name, uint64_t{1} << 24);
    REQUIRE_MESSAGE(file.ok(), file.error().message);
    if (file->size() < 16384) files.push_back(std::move(*file));
  }
  REQUIRE(files.size() > 100);
  return files;
}

void ReadAnything(const Bytes& file) {
  const auto picture = ReadFromMemory(file.data(), file.size(), SmallDecode().limits);
  if (picture) {
    CHECK(picture->samples.size() == picture->info.RowBytes() * picture->info.height);
    return;
  }
  const ErrorCode code = picture.error().code;
  const bool known =
      code == ErrorCode::kBadImage || code == ErrorCode::kLimit || code == ErrorCode::kUnsupported;
  CHECK_MESSAGE(known, picture.error().message);
}

TEST_CASE("damage: mutated PNG files") {
  const PeakMemory peak;
  const std::vector<Bytes> files = PngSamples();
  Mutator mutator(TestSeed() + 102);
  for (size_t round = 0; round < 4 * Rounds(); ++round) {
    CAPTURE(round);
    ReadAnything(
        mutator.Png(files[mutator.Below(files.size())], files[mutator.Below(files.size())]));
  }
  CHECK(peak.Growth() < kMostMemory + kSlackMemory);
}

TEST_CASE("damage: mutated PGM, PPM and PAM files") {
  const PeakMemory peak;
  std::vector<Bytes> files;
  files.push_back(FileBytes(SmoothPicture(MakeInfo(9, 7, 1, false, 8), 1), ".pgm"));
  files.push_back(FileBytes(SmoothPicture(MakeInfo(5, 6, 3, false, 8), 2), ".ppm"));
  files.push_back(FileBytes(SmoothPicture(MakeInfo(5, 6, 3, true, 8), 3), ".pam"));
  files.push_back(FileBytes(SmoothPicture(MakeInfo(4, 4, 1, true, 8), 4), ".pam"));
  for (const char* const text : {"P2\n# comment\n3 2\n15\n0 1 2 3 4 15\n", "P3 1 1 255 1 2 3",
                                 "P3\n2 1\n65535\n0 1 65535 7 8 9\n"}) {
    files.emplace_back(text, text + std::string(text).size());
  }
  Mutator mutator(TestSeed() + 103);
  for (size_t round = 0; round < 4 * Rounds(); ++round) {
    CAPTURE(round);
    Bytes file = files[mutator.Below(files.size())];
    mutator.EditBytes(&file, files[mutator.Below(files.size())]);
    ReadAnything(file);
  }
  CHECK(peak.Growth() < kMostMemory + kSlackMemory);
}

TEST_CASE("damage: PNG files of the suite with every bit of their first bytes flipped") {
  size_t index = 0;
  for (const Bytes& file : PngSamples()) {
    if (index++ % 8 != 0) continue;
    for (size_t bit = 0; bit < 8 * std::min<size_t>(64, file.size()); ++bit) {
      Bytes flipped = file;
      flipped[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
      ReadAnything(flipped);
      ReadAnything(testing::JoinPng(flipped, testing::PngChunks(flipped)));
    }
  }
}

// ---- promises about memory ----------------------------------------------------------------------

// Doubled 12 times and with 4096 channels, a row of 2^29 pixels has more bytes than 64 bits count.
TEST_CASE("damage: a model that blows pictures up beyond all memory") {
  using testing::ModelBuilder;
  ModelBuilder b = testing::MiniModel();
  testing::Json nodes = testing::Json::array();
  std::string last = "x";
  const auto add = [&](testing::Json node) {
    last = node["name"].get<std::string>();
    nodes.push_back(std::move(node));
  };
  add(b.Conv("c", last, 3, 64, 1, 1));
  add(ModelBuilder::Simple("wide", "concat", std::vector<std::string>(64, last)));
  b.AddRandom("up.weight", {4096, 1, 4, 4}, 0, 1);
  testing::Json narrow = b.Deconv("u0", last, 1, 1, 4);
  narrow["weights"] = {{"weight", "up.weight"}};
  add(narrow);
  for (int i = 1; i < 12; ++i) add(b.Deconv("u" + std::to_string(i), last, 1, 1, 4));
  add(b.Conv("c2", last, 1, 64, 1, 1));
  add(ModelBuilder::Simple("wide2", "concat", std::vector<std::string>(64, last)));
  // Behind a 1x1 a row of them would do.
  add(b.Conv("c3", last, 4096, 1, 3, 1));
  for (int i = 0; i < 13; ++i) {
    add(b.Conv("d" + std::to_string(i), last, 1, i == 12 ? 2 : 1, 3, 2));
  }
  b.document["graphs"]["g_a"] = ModelBuilder::Graph("close", {{"x", 3}}, nodes);
  const Model model = LoadModel(b.Build());
  uint64_t before = 0;  // what half the width needs; UINT64_MAX: beyond counting
  for (uint32_t width = 1; width <= uint32_t{1} << 29; width *= 2) {
    CAPTURE(width);
    const PictureInfo info = MakeInfo(width, 1, 3, false, 8);
    EncodeOptions options;
    options.limits.max_memory = kMostMemory;
    Report report;
    const auto read = [](uint32_t, void*) { return false; };
    const testing::PeakMemory peak;
    const auto stream = EncodeRows(model, info, {}, read, options, &report);
    CHECK(peak.Growth() < kMostMemory + kSlackMemory);
    REQUIRE_FALSE(stream.ok());
    CHECK(stream.error().code == ErrorCode::kLimit);
    const uint64_t planned = report.planned_bytes == 0 ? UINT64_MAX : report.planned_bytes;
    CHECK(planned >= before);
    before = planned;
  }
}

TEST_CASE("damage: working memory is what was planned") {
  const Model model = LoadModel(TinyModelFile());
  constexpr uint64_t kSlack = (uint64_t{8} << 20) + testing::kSanitizerMemory;
  const Picture picture = SmoothPicture(MakeInfo(3000, 2000, 3, true, 8), 20);
  Bytes stream;
  Report report;
  {
    const PeakMemory peak;
    stream = MustEncode(model, picture, {}, &report);
    const uint64_t growth = peak.Growth();
    CHECK(growth < report.planned_bytes + 4 * stream.size() + kSlack);
  }
  Error error;
  const auto start = [](const PictureInfo&, const Metadata&) { return true; };
  const auto write = [](uint32_t, const void*) { return true; };
  const PeakMemory peak;
  error = DecodeRows(model, stream.data(), stream.size(), start, write, {}, &report);
  const uint64_t growth = peak.Growth();
  CHECK_MESSAGE(error.ok(), error.message);
  CHECK(growth < report.planned_bytes + kSlack);
}

}  // namespace
}  // namespace glint
