// Streams that are decoded while their bytes come: the same rows whatever the pieces, as soon as
// they can be had, and none that is wrong.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "glint/glint.hpp"
#include "tests/c_api_helpers.h"
#include "tests/codec_helpers.h"
#include "tests/draws.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::Bytes;
using testing::Draws;

// What a decoder gave.
struct Taken {
  Picture picture;
  int starts = 0;
  uint32_t rows = 0;
  bool in_order = true;

  std::function<bool(const PictureInfo&, const Metadata&)> start() {
    return [this](const PictureInfo& info, const Metadata& metadata) {
      picture.info = info;
      picture.metadata = metadata;
      ++starts;
      return true;
    };
  }
  RowWriter write() {
    return [this](uint32_t y, const void* row) {
      in_order = in_order && starts == 1 && y == rows;
      ++rows;
      const auto* bytes = static_cast<const uint8_t*>(row);
      picture.samples.insert(picture.samples.end(), bytes, bytes + picture.info.RowBytes());
      return true;
    };
  }
};

StreamDecoder MustMake(const Model& model, Taken* taken, const DecodeOptions& options = {}) {
  auto decoder = StreamDecoder::Make(model, taken->start(), taken->write(), options);
  REQUIRE(decoder.ok());
  return std::move(*decoder);
}

// The begin of a picture's rows is that of `whole`.
void CheckRows(const Taken& taken, const Picture& whole) {
  CHECK(taken.in_order);
  REQUIRE(taken.picture.samples.size() == taken.rows * whole.info.RowBytes());
  CHECK(std::equal(taken.picture.samples.begin(), taken.picture.samples.end(),
                   whole.samples.begin()));
}

struct Case {
  std::string name;
  Model model;
  Bytes stream;
  DecodeOptions options;
  Picture whole;
  Report report;
};

Case MakeCase(const std::string& name, const Bytes& file, const PictureInfo& info,
              const EncodeOptions& encode, const DecodeOptions& decode = {}) {
  const Model model = testing::LoadModel(file);
  Picture picture = testing::SmoothPicture(info, 7);
  picture.metadata = testing::SomeMetadata();
  Case made{name, model, testing::MustEncode(model, picture, encode), decode, {}, {}};
  made.whole = testing::MustDecode(model, made.stream, decode, &made.report);
  return made;
}

std::vector<Case> MakeCases() {
  EncodeOptions plain, details, lossless;
  plain.detail = Detail::kOff;
  details.detail = Detail::kOn;
  lossless.lossless = true;
  DecodeOptions blend, skip;
  blend.alpha = AlphaOutput::kBlend;
  blend.background = {9, 80, 200};
  skip.detail = DetailOutput::kSkip;
  const Bytes segments = testing::TinyModelFile(2), one = testing::TinyModelFile();
  const Bytes integers = testing::IntegerModelFile(4);
  std::vector<Case> cases;
  cases.push_back(MakeCase("one pixel", one, MakeInfo(1, 1, 3, false, 8), plain));
  cases.push_back(MakeCase("one segment", one, MakeInfo(60, 45, 3, false, 8), plain));
  cases.push_back(MakeCase("many segments", segments, MakeInfo(40, 500, 3, false, 8), plain));
  cases.push_back(MakeCase("gray", segments, MakeInfo(40, 300, 1, false, 4), plain));
  cases.push_back(MakeCase("alpha", segments, MakeInfo(40, 300, 3, true, 8), plain));
  cases.push_back(MakeCase("alpha of 16 bits", segments, MakeInfo(30, 200, 1, true, 16), plain));
  cases.push_back(MakeCase("blended", segments, MakeInfo(40, 300, 1, true, 8), details, blend));
  cases.push_back(MakeCase("details", integers, MakeInfo(24, 3000, 3, false, 8), details));
  cases.push_back(
      MakeCase("details left out", integers, MakeInfo(24, 2100, 3, false, 8), details, skip));
  cases.push_back(
      MakeCase("details of few rows", segments, MakeInfo(50, 70, 3, false, 8), details));
  cases.push_back(MakeCase("lossless", integers, MakeInfo(16, 1100, 3, true, 8), lossless));
  cases.push_back(MakeCase("wide", integers, MakeInfo(3000, 20, 3, false, 8), details));
  return cases;
}

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = MakeCases();
  return cases;
}

// The chunks of a stream, its signature before them.
std::vector<Bytes> PartsOf(const Bytes& stream, std::string* types) {
  const auto info = Inspect(stream.data(), stream.size());
  REQUIRE(info.ok());
  const auto at = [&](uint64_t offset) {
    return stream.begin() + static_cast<std::ptrdiff_t>(offset);
  };
  std::vector<Bytes> parts = {Bytes(at(0), at(info->chunks[0].offset))};
  *types = "-";
  for (const auto& chunk : info->chunks) {
    parts.emplace_back(at(chunk.offset), at(chunk.offset + chunk.bytes));
    *types += chunk.type;
  }
  return parts;
}

}  // namespace

TEST_CASE("stream decoder: any pieces give the rows of the whole") {
  Draws draws({TestSeed(), 1});
  for (const Case& of : Cases()) {
    CAPTURE(of.name);
    for (const int most : {1, 3, 40, 700, 1 << 20}) {
      CAPTURE(most);
      Taken taken;
      StreamDecoder decoder = MustMake(of.model, &taken, of.options);
      for (size_t at = 0; at < of.stream.size();) {
        CHECK_FALSE(decoder.is_complete());
        const size_t count = std::min(static_cast<size_t>(draws.Whole(most > 1 ? 0 : 1, most)),
                                      of.stream.size() - at);
        // A copy that is gone after the call.
        const Bytes piece(of.stream.begin() + static_cast<std::ptrdiff_t>(at),
                          of.stream.begin() + static_cast<std::ptrdiff_t>(at + count));
        const Error error = decoder.Push(piece.data(), piece.size());
        REQUIRE_MESSAGE(error.ok(), error.message);
        CHECK(decoder.rows_given() == taken.rows);
        at += count;
      }
      CHECK(decoder.is_complete());
      CHECK(decoder.Finish().ok());
      CHECK(taken.rows == of.whole.info.height);
      CheckRows(taken, of.whole);
      CHECK(testing::SameMetadata(taken.picture.metadata, of.whole.metadata));
      CHECK(decoder.report().latent_crc == of.report.latent_crc);
      CHECK(decoder.report().symbols == of.report.symbols);
      CHECK(decoder.report().detail.bytes == of.report.detail.bytes);
    }
  }
}

TEST_CASE("stream decoder: a stream that is cut short gives the rows before its end, and says so") {
  for (const Case& of : Cases()) {
    CAPTURE(of.name);
    Draws draws({TestSeed(), 2});
    uint32_t before = 0;
    for (int i = 0; i < 12; ++i) {
      const size_t size = of.stream.size() * static_cast<size_t>(i) / 12 +
                          (i == 11 ? of.stream.size() - of.stream.size() * 11 / 12 - 1 : 0);
      Taken taken;
      StreamDecoder decoder = MustMake(of.model, &taken, of.options);
      REQUIRE(decoder.Push(of.stream.data(), size).ok());
      const Error error = decoder.Finish();
      CHECK(error.code == ErrorCode::kBadStream);
      if (taken.starts > 0) {
        CHECK(error.message.find(std::to_string(taken.rows) + " of " +
                                 std::to_string(of.whole.info.height) + " rows") !=
              std::string::npos);
      }
      CheckRows(taken, of.whole);
      CHECK(taken.rows >= before);
      before = taken.rows;
      CHECK(decoder.Push(of.stream.data(), 1).message == error.message);
    }
  }
}

// Latents of segment s and all before; a tiny model's g_s reads few rows of the next one.
TEST_CASE("stream decoder: rows come with the segment that they need") {
  const Case& of = Cases()[2];
  std::string types;
  const std::vector<Bytes> parts = PartsOf(of.stream, &types);
  const auto segments = static_cast<uint32_t>(std::count(types.begin(), types.end(), 'S'));
  REQUIRE(segments > 8);
  const uint32_t segment_rows = of.whole.info.height / segments;
  DecodeOptions options;
  options.detail = DetailOutput::kSkip;
  Taken taken, patient;
  StreamDecoder decoder = MustMake(of.model, &taken, options);
  StreamDecoder waits = MustMake(of.model, &patient);
  uint32_t seen = 0;
  for (size_t p = 0; p < parts.size(); ++p) {
    REQUIRE(decoder.Push(parts[p].data(), parts[p].size()).ok());
    REQUIRE(waits.Push(parts[p].data(), parts[p].size()).ok());
    if (types[p] != 'S') continue;
    ++seen;
    CHECK(taken.rows + 2 * segment_rows > seen * segment_rows);
    // Details of these rows would lie behind the last segment.
    CHECK(patient.rows == 0);
  }
  CHECK(taken.rows == of.whole.info.height);
  CHECK(patient.rows == of.whole.info.height);
}

TEST_CASE("stream decoder: rows wait for their section of details, not for the others") {
  const Case& of = Cases()[7];
  std::string types;
  const std::vector<Bytes> parts = PartsOf(of.stream, &types);
  REQUIRE(std::count(types.begin(), types.end(), 'D') == 3);
  Taken taken;
  StreamDecoder decoder = MustMake(of.model, &taken);
  uint32_t sections = 0;
  for (size_t p = 0; p < parts.size(); ++p) {
    REQUIRE(decoder.Push(parts[p].data(), parts[p].size()).ok());
    if (types[p] == 'D') ++sections;
    CHECK(taken.rows <= sections * 1024);
    // Blocks have 64 rows, and g_s reads ahead.
    if (types[p] == 'D' && sections < 3) CHECK(taken.rows + 320 > sections * 1024);
  }
  CHECK(taken.rows == 3000);
}

TEST_CASE("stream decoder: details may come early, and are refused when they come too late") {
  const Case& of = Cases()[7];
  std::string types;
  const std::vector<Bytes> parts = PartsOf(of.stream, &types);
  Bytes early, late, sections;
  for (size_t p = 0; p < parts.size(); ++p) {
    if (types[p] == 'D') sections.insert(sections.end(), parts[p].begin(), parts[p].end());
  }
  for (size_t p = 0; p < parts.size(); ++p) {
    if (types[p] == 'D') continue;
    if (types[p] == 'E') late.insert(late.end(), sections.begin(), sections.end());
    for (Bytes* stream : {&early, &late}) {
      stream->insert(stream->end(), parts[p].begin(), parts[p].end());
    }
    if (types[p] == 'H') early.insert(early.end(), sections.begin(), sections.end());
  }
  REQUIRE(early.size() == of.stream.size());
  REQUIRE(SamePixels(testing::MustDecode(of.model, late), of.whole));
  for (const size_t piece : {size_t{1}, early.size()}) {
    Taken taken;
    StreamDecoder decoder = MustMake(of.model, &taken);
    for (size_t at = 0; at < early.size(); at += piece) {
      REQUIRE(decoder.Push(early.data() + at, piece).ok());
    }
    CHECK(decoder.Finish().ok());
    CheckRows(taken, of.whole);

    Taken refused;
    StreamDecoder second = MustMake(of.model, &refused);
    Error error;
    for (size_t at = 0; at < late.size() && error.ok(); at += piece) {
      error = second.Push(late.data() + at, piece);
    }
    CHECK(error.code == ErrorCode::kUnsupported);

    DecodeOptions skip;
    skip.detail = DetailOutput::kSkip;
    Taken preview;
    StreamDecoder third = MustMake(of.model, &preview, skip);
    REQUIRE(third.Push(late.data(), late.size()).ok());
    CheckRows(preview, testing::MustDecode(of.model, late, skip));
  }
}

TEST_CASE("stream decoder: damage is an error once it is there, and rows before it stand") {
  for (const Case& of : Cases()) {
    CAPTURE(of.name);
    Draws draws({TestSeed(), 3});
    for (int i = 0; i < 10; ++i) {
      Bytes damaged = of.stream;
      const auto at = static_cast<size_t>(draws.Whole(0, static_cast<int>(damaged.size()) - 1));
      damaged[at] = static_cast<uint8_t>(damaged[at] ^ (1 << draws.Whole(0, 7)));
      Taken taken;
      StreamDecoder decoder = MustMake(of.model, &taken, of.options);
      Error error;
      for (size_t byte = 0; byte < damaged.size() && error.ok(); byte += 100) {
        error = decoder.Push(damaged.data() + byte, std::min<size_t>(100, damaged.size() - byte));
      }
      if (error.ok()) error = decoder.Finish();
      const Expected<Picture> whole = Decode(of.model, damaged.data(), damaged.size(), of.options);
      // Damage to details that nobody decodes is no damage.
      CHECK(error.ok() == whole.ok());
      if (error.ok()) continue;
      CHECK(error.code != ErrorCode::kOk);
      if (taken.starts > 0) CheckRows(taken, of.whole);
      const uint32_t rows = taken.rows;
      CHECK(decoder.Push(damaged.data(), damaged.size()).message == error.message);
      CHECK(decoder.Finish().message == error.message);
      CHECK(taken.rows == rows);
    }
  }
}

TEST_CASE("stream decoder: damaged details can be left out") {
  const Case& of = Cases()[7];
  const auto info = Inspect(of.stream.data(), of.stream.size());
  Bytes damaged = of.stream;
  int sections = 0;
  for (const auto& chunk : info->chunks) {
    if (chunk.type == 'D' && ++sections == 2) damaged[chunk.offset + chunk.bytes - 9] ^= 1;
  }
  DecodeOptions options;
  options.detail = DetailOutput::kSkipDamaged;
  Report report;
  const Picture whole = testing::MustDecode(of.model, damaged, options, &report);
  REQUIRE(report.detail.damaged_rows.size() == 1);
  Taken taken;
  StreamDecoder decoder = MustMake(of.model, &taken, options);
  for (const uint8_t byte : damaged) REQUIRE(decoder.Push(&byte, 1).ok());
  CHECK(decoder.Finish().ok());
  CheckRows(taken, whole);
  REQUIRE(decoder.report().detail.damaged_rows.size() == 1);
  CHECK(decoder.report().detail.damaged_rows[0].begin == report.detail.damaged_rows[0].begin);
}

TEST_CASE("stream decoder: refusals") {
  const Case& of = Cases()[2];
  const auto nothing = [](const PictureInfo&, const Metadata&) { return true; };
  CHECK(StreamDecoder::Make(of.model, nothing, nullptr).error().code ==
        ErrorCode::kInvalidArgument);
  CHECK(StreamDecoder::Make(of.model, nullptr, [](uint32_t, const void*) { return true; })
            .error()
            .code == ErrorCode::kInvalidArgument);

  // Another model's, as soon as its header is there.
  Taken taken;
  StreamDecoder decoder = MustMake(Cases()[7].model, &taken);
  std::string types;
  const std::vector<Bytes> parts = PartsOf(of.stream, &types);
  REQUIRE(decoder.Push(parts[0].data(), parts[0].size()).ok());
  CHECK(decoder.Push(parts[1].data(), parts[1].size()).code == ErrorCode::kWrongModel);

  // What is no stream, at its first byte.
  StreamDecoder second = MustMake(of.model, &taken);
  CHECK(second.Push("P", 1).code == ErrorCode::kBadStream);

  // Bytes behind the end.
  Taken all;
  StreamDecoder third = MustMake(of.model, &all);
  REQUIRE(third.Push(of.stream.data(), of.stream.size()).ok());
  REQUIRE(third.Push(nullptr, 0).ok());
  CHECK(third.Push("x", 1).code == ErrorCode::kBadStream);
  CHECK(all.rows == of.whole.info.height);

  // Nothing at all.
  StreamDecoder fourth = MustMake(of.model, &taken);
  CHECK(fourth.Finish().code == ErrorCode::kBadStream);
}

TEST_CASE("stream decoder: callbacks may stop it or throw") {
  const Case& of = Cases()[2];
  uint32_t rows = 0;
  auto stopped = StreamDecoder::Make(
      of.model, [](const PictureInfo&, const Metadata&) { return true; },
      [&](uint32_t y, const void*) {
        ++rows;
        return y < 20;
      });
  CHECK(stopped->Push(of.stream.data(), of.stream.size()).code == ErrorCode::kCancelled);
  CHECK(rows == 21);
  CHECK(stopped->Push(of.stream.data(), 1).code == ErrorCode::kCancelled);
  CHECK(rows == 21);

  auto thrown = StreamDecoder::Make(
      of.model, [](const PictureInfo&, const Metadata&) { return true; },
      [](uint32_t, const void*) -> bool { throw std::runtime_error("mine"); });
  CHECK_THROWS_AS((void)thrown->Push(of.stream.data(), of.stream.size()), std::runtime_error);
  CHECK(thrown->Push(of.stream.data(), 1).code == ErrorCode::kCancelled);
}

TEST_CASE("stream decoder: bytes that wait count against the limit on memory") {
  const Case& of = Cases()[2];
  Taken taken;
  DecodeOptions options;
  options.detail = DetailOutput::kSkip;  // so that no segment waits
  Report report;
  REQUIRE(DecodeRows(of.model, of.stream.data(), of.stream.size(), taken.start(), taken.write(),
                     options, &report)
              .ok());
  taken = {};
  options.limits.max_memory = report.planned_bytes + of.stream.size() / 2;
  // Piece by piece they never are many.
  StreamDecoder decoder = MustMake(of.model, &taken, options);
  for (const uint8_t byte : of.stream) {
    const Error error = decoder.Push(&byte, 1);
    REQUIRE_MESSAGE(error.ok(), error.message);
  }
  CHECK(decoder.is_complete());
  options.limits.max_memory = report.planned_bytes + of.stream.size() / 2 - 1;
  StreamDecoder second = MustMake(of.model, &taken, options);
  CHECK(second.Push(of.stream.data(), of.stream.size()).code == ErrorCode::kLimit);
  options.limits.max_memory = 1000;
  StreamDecoder third = MustMake(of.model, &taken, options);
  const Bytes many(2000, 'S');
  CHECK(third.Push(many.data(), many.size()).code == ErrorCode::kLimit);
}

TEST_CASE("stream decoder: C gives what C++ gives") {
  const Picture& picture = testing::SmallPicture();
  const Bytes& stream = testing::SmallStream();
  const Picture whole = testing::MustDecode(testing::Tiny().cpp, stream);
  testing::RowSink sink;
  glint_report report = testing::EmptyReport();
  auto options = testing::Defaults<glint_decode_options>();
  options.report = &report;
  glint_stream_decoder* made = nullptr;
  REQUIRE(glint_stream_decoder_create(testing::Tiny().c.get(), &options, testing::RowSink::Start,
                                      testing::RowSink::Write, &sink, &made, nullptr) == GLINT_OK);
  const testing::Owned<glint_stream_decoder> decoder(made);
  for (const uint8_t byte : stream) {
    REQUIRE(glint_stream_decoder_push(decoder.get(), &byte, 1, nullptr) == GLINT_OK);
  }
  CHECK(glint_stream_decoder_finish(decoder.get(), nullptr) == GLINT_OK);
  CHECK(SamePixels(sink.picture, whole));
  CHECK(sink.next == picture.info.height);
  CHECK(report.symbols > 0);

  glint_error error;
  CHECK(glint_stream_decoder_create(testing::Tiny().c.get(), nullptr, nullptr, nullptr, nullptr,
                                    &made, &error) == GLINT_INVALID_ARGUMENT);
  CHECK(made == nullptr);
  CHECK(glint_stream_decoder_push(nullptr, stream.data(), 1, &error) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_stream_decoder_push(decoder.get(), nullptr, 1, &error) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_stream_decoder_finish(nullptr, &error) == GLINT_INVALID_ARGUMENT);
  REQUIRE(glint_stream_decoder_create(testing::Tiny().c.get(), nullptr, nullptr,
                                      testing::RowSink::Write, &sink, &made, nullptr) == GLINT_OK);
  const testing::Owned<glint_stream_decoder> cut(made);
  REQUIRE(glint_stream_decoder_push(cut.get(), stream.data(), stream.size() / 2, &error) ==
          GLINT_OK);
  CHECK(glint_stream_decoder_finish(cut.get(), &error) == GLINT_BAD_STREAM);
  CHECK(std::string(error.message).find("rows came") != std::string::npos);
}

}  // namespace glint
