// JPEG in: every kind that is read comes as libjpeg gives it, the others are named; metadata,
// limits, damage.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <tuple>

#include "tests/codec_helpers.h"
#include "tests/failing_allocations.h"
#include "tests/jpeg_maker.h"
#include "tests/mutate.h"
#include "tests/peak_memory.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::Bytes;
using testing::ExifSegment;
using testing::IccSegment;
using testing::JpegForm;
using testing::MakeJpeg;
using testing::Mutator;
using testing::PeakMemory;
using testing::ReadJpegPlainly;
using testing::SmoothPicture;

constexpr int kApp0 = 0xE0, kApp1 = 0xE1, kApp2 = 0xE2, kApp11 = 0xEB, kApp14 = 0xEE;

struct JpegRead {
  Expected<Picture> picture = Error{};
  std::string format;
  std::vector<std::string> warnings;
  uint64_t memory = 0;
};

enum class Pixels { kRead, kSkipped };

JpegRead ReadAll(const Bytes& file, const Limits& limits = {}, Pixels pixels = Pixels::kRead) {
  JpegRead read;
  const auto reader = PictureReader::FromMemory(file.data(), file.size(), "memory", limits);
  if (!reader) {
    read.picture = reader.error();
    return read;
  }
  Picture picture;
  picture.info = (*reader)->info();
  Error error;
  if (pixels == Pixels::kSkipped) {
    error = (*reader)->SkipRows();
  } else {
    picture.samples.resize(picture.info.RowBytes() * picture.info.height);
  }
  for (uint32_t y = 0; y < picture.info.height && !picture.samples.empty() && error.ok(); ++y) {
    error = (*reader)->ReadRow(picture.samples.data() + y * picture.info.RowBytes());
  }
  if (error.ok()) error = (*reader)->Finish();
  read.format = (*reader)->format();
  read.warnings = (*reader)->warnings();
  read.memory = (*reader)->memory();
  if (!error.ok()) {
    read.picture = error;
    return read;
  }
  picture.metadata = (*reader)->metadata();
  read.picture = std::move(picture);
  return read;
}

JpegRead Skip(const Bytes& file, const Limits& limits = {}) {
  return ReadAll(file, limits, Pixels::kSkipped);
}

// Where the second byte of the first marker `code` lies; 0 if there is none.
size_t FindMarker(const Bytes& file, uint8_t code) {
  for (size_t at = 2; at + 4 <= file.size();) {
    if (file[at] != 0xFF) return 0;
    if (file[at + 1] == code) return at + 1;
    if (file[at + 1] == 0xDA) return 0;
    at += 2 + (size_t{file[at + 2]} << 8 | file[at + 3]);
  }
  return 0;
}

struct NamedForm {
  const char* format;
  uint32_t channels;
  JpegForm form;
};

std::vector<NamedForm> Forms() {
  std::vector<NamedForm> forms = {
      {"JPEG, baseline", 1, {}},           {"JPEG, baseline, 4:2:0", 3, {}},
      {"JPEG, progressive", 1, {}},        {"JPEG, progressive, 4:2:0", 3, {}},
      {"JPEG, baseline, 4:4:4", 3, {}},    {"JPEG, baseline, 4:2:2", 3, {}},
      {"JPEG, progressive, 4:4:0", 3, {}}, {"JPEG, baseline, 4:1:1", 3, {}},
      {"JPEG, baseline, RGB", 3, {}},      {"JPEG, baseline, 4:2:0", 3, {}},
      {"JPEG, baseline, 4:2:0", 3, {}}};
  forms[2].form.progressive = forms[3].form.progressive = forms[6].form.progressive = true;
  forms[4].form.across = forms[4].form.down = 1;
  forms[5].form.down = 1;
  forms[6].form.across = 1;
  forms[7].form.across = 4;
  forms[7].form.down = 1;
  forms[8].form.rgb = true;
  forms[9].form.restart = 3;
  forms[10].form.interleaved = false;
  return forms;
}

TEST_CASE("JPEG: every kind comes as libjpeg gives it") {
  std::mt19937 random(TestSeed());
  for (const NamedForm& form : Forms()) {
    for (const uint32_t side : {1U, 8U, 17U, 63U}) {
      CAPTURE(form.format);
      CAPTURE(side);
      const Picture source =
          SmoothPicture(MakeInfo(side, SmallSide(40, &random), form.channels, false, 8), side);
      const Bytes file = MakeJpeg(source, form.form);
      const JpegRead read = ReadAll(file);
      REQUIRE_MESSAGE(read.picture.ok(), read.picture.error().message);
      CHECK(read.format == form.format);
      CHECK(read.warnings.empty());
      CHECK(SamePixels(*read.picture, ReadJpegPlainly(file)));
    }
  }
}

TEST_CASE("JPEG: from files, and whole") {
  const TemporaryFolder folder;
  const Bytes file = MakeJpeg(SmoothPicture(MakeInfo(300, 200, 3, false, 8), 1));
  REQUIRE(WriteFile(folder.File("a.jpg"), file.data(), file.size()).ok());
  std::vector<std::string> warnings = {"old"};
  const Expected<Picture> picture = ReadPicture(folder.File("a.jpg"), {}, &warnings);
  REQUIRE_MESSAGE(picture.ok(), picture.error().message);
  CHECK(warnings.empty());
  CHECK(SamePixels(*picture, ReadJpegPlainly(file)));
}

// ---- metadata ----------------------------------------------------------------------------------

Bytes SomeTiff(const char* order = "II*") {
  Bytes tiff(100);
  std::memcpy(tiff.data(), order, 4);
  for (size_t i = 8; i < tiff.size(); ++i) tiff[i] = static_cast<uint8_t>(i * 7);
  return tiff;
}

Bytes SomeProfile(size_t size) {
  Bytes profile(size);
  for (size_t i = 0; i < size; ++i) profile[i] = static_cast<uint8_t>(i * i >> 4);
  return profile;
}

Bytes WithMarkers(std::vector<std::pair<int, Bytes>> markers) {
  JpegForm form;
  form.markers = std::move(markers);
  return MakeJpeg(SmoothPicture(MakeInfo(16, 16, 3, false, 8), 2), form);
}

TEST_CASE("JPEG: EXIF, XMP and profiles of several parts are kept") {
  const Bytes profile = SomeProfile(70000);
  const Bytes first(profile.begin(), profile.begin() + 60000);
  const Bytes second(profile.begin() + 60000, profile.end());
  const std::string space = "http://ns.adobe.com/xap/1.0/", text = "<x:xmpmeta>\xc3\xa4</x>";
  Bytes xmp(space.c_str(), space.c_str() + space.size() + 1);
  xmp.insert(xmp.end(), text.begin(), text.end());
  // Parts may come in any order, and other segments between them.
  const JpegRead read = ReadAll(WithMarkers({{kApp2, IccSegment(second, 2, 2)},
                                             {kApp1, ExifSegment(SomeTiff())},
                                             {kApp2, {'M', 'P', 'F', 0, 1, 2, 3}},
                                             {kApp1, xmp},
                                             {kApp1, ExifSegment(SomeTiff("MM\0*"))},
                                             {kApp2, IccSegment(first, 1, 2)}}));
  REQUIRE_MESSAGE(read.picture.ok(), read.picture.error().message);
  const Metadata& metadata = read.picture->metadata;
  CHECK(read.warnings ==
        std::vector<std::string>{"other pictures in the same file: only the first is taken",
                                 "a second EXIF: left out"});
  CHECK(metadata.icc == profile);
  CHECK(metadata.exif == SomeTiff());  // the first of two
  REQUIRE(metadata.chunks.size() == 1);
  CHECK(metadata.chunks[0].first == "iTXt");
  const std::string kept(metadata.chunks[0].second.begin(), metadata.chunks[0].second.end());
  CHECK(kept == std::string("XML:com.adobe.xmp\0\0\0\0\0", 22) + text);

  // All of it comes through a PNG.
  const Expected<Picture> again = ReadFromMemory(FileBytes(*read.picture, ".png"));
  REQUIRE(again.ok());
  CHECK(testing::SameMetadata(again->metadata, metadata));
}

TEST_CASE("JPEG: broken profiles and EXIF are left out with a warning") {
  const Bytes part = SomeProfile(50);
  const std::vector<std::vector<std::pair<int, Bytes>>> broken = {
      {{kApp2, IccSegment(part, 1, 2)}},
      {{kApp2, IccSegment(part, 2, 2)}},
      {{kApp2, IccSegment(part, 1, 1)}, {kApp2, IccSegment(part, 1, 1)}},
      {{kApp2, IccSegment(part, 1, 2)}, {kApp2, IccSegment(part, 2, 3)}},
      {{kApp2, IccSegment(part, 0, 1)}},
      {{kApp2, IccSegment(part, 1, 0)}},
      {{kApp2, IccSegment({}, 1, 1)}}};
  for (size_t i = 0; i < broken.size(); ++i) {
    CAPTURE(i);
    const JpegRead read = ReadAll(WithMarkers(broken[i]));
    REQUIRE_MESSAGE(read.picture.ok(), read.picture.error().message);
    CHECK(read.picture->metadata.icc.empty());
    CHECK(read.warnings == std::vector<std::string>{"its ICC profile is broken: left out"});
  }
  const JpegRead read = ReadAll(WithMarkers({{kApp1, ExifSegment(SomeTiff("What"))}}));
  REQUIRE(read.picture.ok());
  CHECK(read.picture->metadata.exif.empty());
  CHECK(read.warnings == std::vector<std::string>{"its EXIF is broken: left out"});
}

// Where the data of each scan end, by the markers alone.
std::vector<size_t> ScanEnds(const Bytes& file) {
  std::vector<size_t> ends;
  for (size_t at = 2; at + 4 <= file.size() && file[at] == 0xFF && file[at + 1] != 0xD9;) {
    const bool is_scan = file[at + 1] == 0xDA;
    at += 2 + (size_t{file[at + 2]} << 8 | file[at + 3]);
    if (!is_scan) continue;
    const auto is_data = [&] {
      return file[at] != 0xFF || file[at + 1] == 0 || (file[at + 1] & 0xF8) == 0xD0;
    };
    while (at + 1 < file.size() && is_data()) ++at;
    ends.push_back(at);
  }
  return ends;
}

Bytes WithSegmentAt(const Bytes& file, size_t at, int marker, const Bytes& content) {
  const size_t size = content.size() + 2;
  Bytes segment = {0xFF, static_cast<uint8_t>(marker), static_cast<uint8_t>(size >> 8),
                   static_cast<uint8_t>(size)};
  segment.insert(segment.end(), content.begin(), content.end());
  Bytes changed = file;
  changed.insert(changed.begin() + static_cast<int64_t>(at), segment.begin(), segment.end());
  return changed;
}

TEST_CASE("JPEG: metadata between scans are left out with a warning") {
  const std::string space = "http://ns.adobe.com/xap/1.0/";
  const Bytes xmp(space.c_str(), space.c_str() + space.size() + 1);
  for (const bool progressive : {false, true}) {
    JpegForm form;
    form.progressive = progressive;
    const Picture source = SmoothPicture(MakeInfo(40, 40, 3, false, 8), 2);
    const Bytes file = MakeJpeg(source, form);
    const size_t at = ScanEnds(file).front();
    for (const auto& [marker, content, text] :
         {std::tuple(kApp1, ExifSegment(SomeTiff()), "EXIF that stands behind pixels: left out"),
          std::tuple(kApp1, xmp, "XMP that stands behind pixels: left out"),
          std::tuple(kApp2, IccSegment(SomeProfile(50), 1, 1),
                     "an ICC profile that stands behind pixels: left out")}) {
      const JpegRead read = ReadAll(WithSegmentAt(file, at, marker, content));
      REQUIRE_MESSAGE(read.picture.ok(), read.picture.error().message);
      CHECK(read.warnings == std::vector<std::string>{text});
      CHECK(read.picture->metadata.exif.empty());
      CHECK(read.picture->metadata.icc.empty());
      CHECK(SamePixels(*read.picture, ReadJpegPlainly(file)));
    }
    CHECK(ReadAll(WithSegmentAt(file, at, kApp0 + 5, {1, 2, 3})).warnings.empty());
    // A profile in two parts of which one comes late: said once.
    form.markers = {{kApp2, IccSegment(SomeProfile(50), 1, 2)}};
    const Bytes half = MakeJpeg(source, form);
    const JpegRead read = ReadAll(
        WithSegmentAt(half, ScanEnds(half).front(), kApp2, IccSegment(SomeProfile(50), 2, 2)));
    CHECK(read.warnings == std::vector<std::string>{"its ICC profile is broken: left out"});
  }
}

TEST_CASE("JPEG: content credentials are left out with a warning") {
  Bytes box(40);
  std::memcpy(box.data(), "JP\0\1\0\0\0\1\0\0\0\40jumb\0\0\0\30jumdc2pa", 28);
  JpegRead read = ReadAll(WithMarkers({{kApp11, box}, {kApp11, box}}));
  REQUIRE_MESSAGE(read.picture.ok(), read.picture.error().message);
  CHECK(read.warnings == std::vector<std::string>{"its content credentials (C2PA): left out"});
  box[24] = 'x';  // other boxes
  CHECK(ReadAll(WithMarkers({{kApp11, box}})).warnings.empty());
}

TEST_CASE("JPEG: other pictures in the same file are left out with a warning") {
  const JpegRead read = ReadAll(WithMarkers({{kApp2, {'M', 'P', 'F', 0, 'M', 'M', 0, '*'}}}));
  REQUIRE_MESSAGE(read.picture.ok(), read.picture.error().message);
  CHECK(read.warnings ==
        std::vector<std::string>{"other pictures in the same file: only the first is taken"});
  CHECK(ReadAll(WithMarkers({{kApp2, {'M', 'P', 'F', '1'}}})).warnings.empty());
}

// ---- what is not read ---------------------------------------------------------------------------

TEST_CASE("JPEG: what is not read is named") {
  const Picture source = SmoothPicture(MakeInfo(16, 16, 3, false, 8), 3);
  const auto check = [](const Bytes& file, const std::string& part) {
    const JpegRead read = ReadAll(file);
    CAPTURE(part);
    REQUIRE_FALSE(read.picture.ok());
    CHECK(read.picture.error().code == ErrorCode::kUnsupported);
    CHECK_MESSAGE(read.picture.error().message.find(part) != std::string::npos,
                  read.picture.error().message);
  };
  JpegForm form;
  form.cmyk = true;
  check(MakeJpeg(source, form), "CMYK");
  form.markers = {{kApp14, {'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 2}}};  // YCCK
  check(MakeJpeg(source, form), "CMYK");
  form = {};
  form.arithmetic = true;
  check(MakeJpeg(source, form), "arithmetic");

  Bytes file = MakeJpeg(source);
  const size_t frame = FindMarker(file, 0xC0);
  REQUIRE(frame != 0);
  const auto with = [&](uint8_t process, uint8_t precision) {
    Bytes changed = file;
    changed[frame] = process;
    changed[frame + 3] = precision;
    return changed;
  };
  check(with(0xC3, 8), "lossless");
  check(with(0xC1, 12), "12 bits");
  check(with(0xC5, 8), "hierarchical");
  check(with(0xF7, 8), "JPEG-LS");
}

// ---- damage -------------------------------------------------------------------------------------

TEST_CASE("JPEG: what cannot change pixels is a warning, corrupt data are errors") {
  const Bytes file = MakeJpeg(SmoothPicture(MakeInfo(40, 40, 3, false, 8), 4));
  const Picture whole = *ReadAll(file).picture;
  Bytes padded = file;  // cameras do that
  padded.insert(padded.end() - 2, 7, 0);
  JpegRead read = ReadAll(padded);
  REQUIRE_MESSAGE(read.picture.ok(), read.picture.error().message);
  CHECK(read.warnings.size() == 1);
  CHECK(SamePixels(*read.picture, whole));

  Bytes trailing = file;  // as a second picture behind the first, or a video
  trailing.insert(trailing.end(), file.begin(), file.end());
  read = ReadAll(trailing);
  REQUIRE_MESSAGE(read.picture.ok(), read.picture.error().message);
  CHECK(read.warnings.empty());
  CHECK(SamePixels(*read.picture, whole));

  JpegForm form;
  form.restart = 2;
  Bytes out_of_step = MakeJpeg(SmoothPicture(MakeInfo(64, 64, 3, false, 8), 4), form);
  for (size_t i = 0; i + 1 < out_of_step.size(); ++i) {
    if (out_of_step[i] == 0xFF && out_of_step[i + 1] == 0xD2) out_of_step[i + 1] = 0xD5;
  }
  read = ReadAll(out_of_step);
  REQUIRE_FALSE(read.picture.ok());
  CHECK(read.picture.error().code == ErrorCode::kBadImage);
  CHECK(read.picture.error().message.rfind("memory: damaged JPEG: ", 0) == 0);
}

// Of a file with a scan for each component, one scan is left out.
TEST_CASE("JPEG: a component that no scan has is missed") {
  JpegForm form;
  form.interleaved = false;
  const Bytes file = MakeJpeg(SmoothPicture(MakeInfo(40, 40, 3, false, 8), 4), form);
  REQUIRE(ReadAll(file).picture.ok());
  std::vector<std::ptrdiff_t> scans;  // where they begin, and the end of the picture
  for (size_t i = 0; i + 1 < file.size(); ++i) {
    if (file[i] == 0xFF && (file[i + 1] == 0xDA || file[i + 1] == 0xD9)) {
      scans.push_back(static_cast<std::ptrdiff_t>(i));
    }
  }
  REQUIRE(scans.size() == 4);
  for (size_t s = 0; s < 3; ++s) {
    Bytes lacking = file;
    lacking.erase(lacking.begin() + scans[s], lacking.begin() + scans[s + 1]);
    const JpegRead read = ReadAll(lacking);
    REQUIRE_FALSE(read.picture.ok());
    CHECK(read.picture.error().message ==
          "memory: damaged JPEG: no scan has one of its components");
  }
}

// As a download that broke off and was given an end by whoever noticed.
TEST_CASE("JPEG: a progressive file that ends before its last scan gives a warning") {
  for (const uint32_t channels : {1U, 3U}) {
    JpegForm form;
    form.progressive = true;
    const Bytes file = MakeJpeg(SmoothPicture(MakeInfo(61, 40, channels, false, 8), 4), form);
    const std::vector<size_t> ends = ScanEnds(file);
    REQUIRE(ends.size() == (channels == 1 ? 6 : 10));
    for (const size_t end : ends) {
      CAPTURE(end);
      Bytes cut(file.begin(), file.begin() + static_cast<int64_t>(end));
      cut.insert(cut.end(), {0xFF, 0xD9});
      const JpegRead read = ReadAll(cut);
      REQUIRE_MESSAGE(read.picture.ok(), read.picture.error().message);
      const std::string text = "scans are missing: the picture is coarser than it was made";
      CHECK(read.warnings ==
            (end == ends.back() ? std::vector<std::string>{} : std::vector<std::string>{text}));
      CHECK(Skip(cut).warnings == read.warnings);
    }
    // Without one scan the next that refines it has nothing to begin with.
    size_t refused = 0;
    for (size_t s = 1; s < ends.size(); ++s) {
      CAPTURE(s);
      Bytes lacking = file;
      lacking.erase(lacking.begin() + static_cast<int64_t>(ends[s - 1]),
                    lacking.begin() + static_cast<int64_t>(ends[s]));
      const JpegRead read = ReadAll(lacking), skipped = Skip(lacking);
      CHECK(read.picture.ok() == skipped.picture.ok());
      CHECK(read.warnings == skipped.warnings);
      refused += !read.picture.ok();
    }
    CHECK(refused == (channels == 1 ? 3 : 5));
  }
}

TEST_CASE("JPEG: rows are skipped to the same metadata, warnings and ends") {
  for (const NamedForm& form : Forms()) {
    CAPTURE(form.format);
    JpegForm with_metadata = form.form;
    with_metadata.markers = {{kApp1, ExifSegment(SomeTiff())},
                             {kApp1, ExifSegment(SomeTiff())},
                             {kApp2, IccSegment(SomeProfile(40), 1, 1)}};
    const Bytes file =
        MakeJpeg(SmoothPicture(MakeInfo(33, 20, form.channels, false, 8), 5), with_metadata);
    const JpegRead read = ReadAll(file), skipped = Skip(file);
    REQUIRE_MESSAGE(skipped.picture.ok(), skipped.picture.error().message);
    CHECK(skipped.warnings == read.warnings);
    CHECK(testing::SameMetadata(skipped.picture->metadata, read.picture->metadata));
    size_t accepted = 0;
    for (size_t size = 0; size < file.size(); ++size) {
      accepted += Skip(Bytes(file.begin(), file.begin() + static_cast<int64_t>(size))).picture.ok();
    }
    CHECK(accepted == 0);
  }
  // Neither is the memory of the pixels wanted.
  JpegForm progressive;
  progressive.progressive = true;
  const Bytes large = MakeJpeg(SmoothPicture(MakeInfo(2000, 1000, 3, false, 8), 6), progressive);
  Limits limits;
  limits.max_memory = uint64_t{1} << 20;
  CHECK_FALSE(ReadAll(large, limits).picture.ok());
  CHECK(Skip(large, limits).picture.ok());
  JpegForm split;
  split.split = true;
  const JpegRead many = Skip(MakeJpeg(SmoothPicture(MakeInfo(32, 32, 3, false, 8), 9), split));
  REQUIRE_FALSE(many.picture.ok());
  CHECK(many.picture.error().message.find("100 scans") != std::string::npos);
}

TEST_CASE("JPEG: a file cut at any length is an error") {
  for (const NamedForm& form : Forms()) {
    CAPTURE(form.format);
    JpegForm with_metadata = form.form;
    with_metadata.markers = {{kApp1, ExifSegment(SomeTiff())},
                             {kApp2, IccSegment(SomeProfile(40), 1, 1)}};
    const Bytes file =
        MakeJpeg(SmoothPicture(MakeInfo(33, 20, form.channels, false, 8), 5), with_metadata);
    REQUIRE(ReadAll(file).picture.ok());
    size_t accepted = 0;
    for (size_t size = 0; size < file.size(); ++size) {
      // A copy of that size, so that a sanitizer sees every byte beyond.
      const JpegRead read = ReadAll(Bytes(file.begin(), file.begin() + static_cast<int64_t>(size)));
      accepted += read.picture.ok();
      if (read.picture) continue;
      CHECK(read.picture.error().code == ErrorCode::kBadImage);
      CHECK_FALSE(read.picture.error().message.empty());
    }
    CHECK(accepted == 0);
  }
}

TEST_CASE("JPEG: a failure stays") {
  Bytes file = MakeJpeg(SmoothPicture(MakeInfo(64, 64, 1, false, 8), 6));
  file.resize(file.size() * 2 / 3);
  const auto reader = PictureReader::FromMemory(file.data(), file.size(), "memory");
  REQUIRE(reader.ok());
  Bytes row(64);
  Error error;
  for (int y = 0; y < 64 && error.ok(); ++y) error = (*reader)->ReadRow(row.data());
  REQUIRE_FALSE(error.ok());
  CHECK((*reader)->ReadRow(row.data()).message == error.message);
  CHECK((*reader)->Finish().message == error.message);
}

constexpr uint64_t kMostMemory = uint64_t{32} << 20;
constexpr uint64_t kSlackMemory = (uint64_t{32} << 20) + testing::kSanitizerMemory;

Limits SmallLimits() {
  Limits limits;
  limits.max_pixels = uint64_t{1} << 20;
  limits.max_memory = kMostMemory;
  return limits;
}

bool ReadAnything(const Bytes& file) {
  const JpegRead read = ReadAll(file, SmallLimits());
  if (read.picture) {
    CHECK(Skip(file, SmallLimits()).picture.ok());
    return true;
  }
  const ErrorCode code = read.picture.error().code;
  const bool known =
      code == ErrorCode::kBadImage || code == ErrorCode::kLimit || code == ErrorCode::kUnsupported;
  CHECK_MESSAGE(known, read.picture.error().message);
  CHECK_FALSE(read.picture.error().message.empty());
  return false;
}

std::vector<Bytes> DamageSamples() {
  std::vector<Bytes> files;
  for (NamedForm& form : Forms()) {
    form.form.markers = {{kApp1, ExifSegment(SomeTiff())},
                         {kApp2, IccSegment(SomeProfile(30), 1, 2)},
                         {kApp2, IccSegment(SomeProfile(30), 2, 2)}};
    files.push_back(
        MakeJpeg(SmoothPicture(MakeInfo(19, 17, form.channels, false, 8), 7), form.form));
  }
  return files;
}

TEST_CASE("damage: JPEG files with every bit flipped") {
  const PeakMemory peak;
  size_t accepted = 0, refused = 0;
  for (const Bytes& file : DamageSamples()) {
    for (size_t bit = 0; bit < 8 * file.size(); ++bit) {
      Bytes flipped = file;
      flipped[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
      ReadAnything(flipped) ? ++accepted : ++refused;
    }
  }
  CHECK(accepted > 0);  // JPEG has no checksums
  CHECK(refused > 0);
  CHECK(peak.Growth() < kMostMemory + kSlackMemory);
}

TEST_CASE("damage: mutated JPEG files") {
  const PeakMemory peak;
  const std::vector<Bytes> files = DamageSamples();
  Mutator mutator(TestSeed() + 104);
  const char* const rounds = std::getenv("GLINT_FUZZ_ROUNDS");
  const size_t count = 4 * (rounds == nullptr ? 3000 : std::strtoul(rounds, nullptr, 10));
  for (size_t round = 0; round < count; ++round) {
    CAPTURE(round);
    Bytes file = files[mutator.Below(files.size())];
    mutator.EditBytes(&file, files[mutator.Below(files.size())]);
    ReadAnything(file);
  }
  CHECK(peak.Growth() < kMostMemory + kSlackMemory);
}

// ---- limits -------------------------------------------------------------------------------------

TEST_CASE("JPEG: memory is what the reader said, and limits hold before it is taken") {
  constexpr uint64_t kSlack = (uint64_t{1} << 20) + testing::kSanitizerMemory;
  for (const bool progressive : {false, true}) {
    for (const uint32_t width : {3000U, 60000U}) {
      CAPTURE(progressive);
      CAPTURE(width);
      JpegForm form;
      form.progressive = progressive;
      form.markers = {{kApp2, IccSegment(SomeProfile(60000), 1, 1)}};
      const uint32_t height = width == 3000 ? 2000 : 64;
      const PictureInfo info = MakeInfo(width, height, 3, false, 8);
      const Bytes file = MakeJpeg(SmoothPicture(info, 8), form);
      const PeakMemory peak;
      const auto reader = PictureReader::FromMemory(file.data(), file.size(), "memory");
      REQUIRE(reader.ok());
      const uint64_t memory = (*reader)->memory();
      Bytes row(info.RowBytes());
      for (uint32_t y = 0; y < height; ++y) REQUIRE((*reader)->ReadRow(row.data()).ok());
      REQUIRE((*reader)->Finish().ok());
      CHECK(peak.Growth() < memory + row.size() + kSlack);
      if (progressive) CHECK(memory > uint64_t{3} * width * height);

      Limits limits;
      limits.max_memory = memory + 1000;
      limits.held_memory = 1000;
      CHECK(ReadAll(file, limits).picture.ok());
      limits.max_memory -= 1;
      const JpegRead refused = ReadAll(file, limits);
      REQUIRE_FALSE(refused.picture.ok());
      CHECK(refused.picture.error().code == ErrorCode::kLimit);
      CHECK(refused.picture.error().memory_needed == memory + 1000);
    }
  }
}

TEST_CASE("JPEG: many scans, large claims and much metadata are refused") {
  JpegForm split;
  split.split = true;
  const JpegRead read = ReadAll(MakeJpeg(SmoothPicture(MakeInfo(32, 32, 3, false, 8), 9), split));
  REQUIRE_FALSE(read.picture.ok());
  CHECK(read.picture.error().message.find("100 scans") != std::string::npos);
  CHECK(ReadAll(MakeJpeg(SmoothPicture(MakeInfo(32, 32, 1, false, 8), 9), split)).picture.ok());

  Bytes file = MakeJpeg(SmoothPicture(MakeInfo(64, 64, 1, false, 8), 10));
  const size_t frame = FindMarker(file, 0xC0);
  std::fill_n(file.begin() + static_cast<int64_t>(frame) + 4, 4, uint8_t{0xFA});  // 64250 x 64250
  Limits limits;
  limits.max_pixels = UINT64_MAX;
  const JpegRead claim = ReadAll(file, limits);
  REQUIRE_FALSE(claim.picture.ok());
  CHECK(claim.picture.error().code == ErrorCode::kBadImage);
  CHECK(claim.picture.error().message.find("64250x64250") != std::string::npos);
  CHECK(ReadAll(file).picture.error().code == ErrorCode::kLimit);  // on pixels

  limits.max_memory = 20000;
  const Bytes much = WithMarkers({{kApp2, IccSegment(SomeProfile(60000), 1, 1)}});
  const JpegRead refused = ReadAll(much, limits);
  CHECK(refused.picture.error().code == ErrorCode::kLimit);
  limits.max_memory = refused.picture.error().memory_needed;  // that would do, and no less
  CHECK(ReadAll(much, limits).picture.ok());
  limits.max_memory -= 1;
  CHECK(ReadAll(much, limits).picture.error().code == ErrorCode::kLimit);
  const Bytes unknown = WithMarkers({{kApp0 + 7, SomeProfile(60000)}});
  limits.max_memory = uint64_t{1} << 20;
  CHECK(ReadAll(unknown, limits).picture.ok());
}

TEST_CASE("out of memory: JPEG files") {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.jpg");
  const Bytes file = MakeJpeg(SmoothPicture(MakeInfo(40, 30, 3, false, 8), 1));
  REQUIRE(WriteFile(path, file.data(), file.size()).ok());
  testing::FailEach([&] { return ReadPicture(path).error(); });
}

}  // namespace
}  // namespace glint
