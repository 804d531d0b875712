// Files that appear only when complete, standard input and output, names and kinds, whole pictures.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <thread>

#include "codec/picture_files/byte_io.h"
#include "tests/peak_memory.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using Bytes = std::vector<uint8_t>;

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

void WriteText(const std::string& path, const std::string& text) {
  REQUIRE(WriteFile(path, text.data(), text.size()).ok());
}

std::string ReadText(const std::string& path) {
  const auto bytes = ReadFile(path, 1 << 20);
  REQUIRE_MESSAGE(bytes.ok(), bytes.error().message);
  return std::string(bytes->begin(), bytes->end());
}

// Puts a file in the place of standard input or output for a while.
class Redirected {
 public:
  Redirected(int standard, const std::string& path, int flags)
      : standard_(standard), saved_(dup(standard)) {
    const int fd = open(path.c_str(), flags | O_CLOEXEC, 0600);
    dup2(fd, standard);
    close(fd);
  }
  ~Redirected() {
    dup2(saved_, standard_);
    close(saved_);
  }
  Redirected(const Redirected&) = delete;
  Redirected& operator=(const Redirected&) = delete;

 private:
  int standard_, saved_;
};

TEST_CASE("files: whole pictures, and where their errors lie") {
  std::mt19937 random(TestSeed());
  const TemporaryFolder folder;
  const Picture picture = RandomPicture(MakeInfo(13, 11, 3, false, 8), &random);
  for (const std::string name : {"a.png", "b.ppm", "c.pam", "d.PNG"}) {
    CAPTURE(name);
    REQUIRE(WritePicture(folder.File(name), picture).ok());
    const Expected<Picture> back = ReadPicture(folder.File(name));
    REQUIRE(back.ok());
    CHECK(SamePixels(*back, picture));
  }
  // The whole picture counts beside the reader.
  Limits limits;
  const auto reader = PictureReader::Open(folder.File("a.png"));
  REQUIRE(reader.ok());
  limits.max_memory = (*reader)->memory() + 13 * 11 * 3;
  CHECK(ReadPicture(folder.File("a.png"), limits).ok());
  limits.max_memory -= 1;
  const Expected<Picture> large = ReadPicture(folder.File("a.png"), limits);
  CHECK(large.error().code == ErrorCode::kLimit);
  CHECK(large.error().memory_needed == limits.max_memory + 1);

  const std::string missing = folder.File("missing.png");
  const Expected<Picture> none = ReadPicture(missing);
  CHECK(none.error().code == ErrorCode::kNotFound);
  CHECK(none.error().message.rfind(missing + ": ", 0) == 0);
  const Expected<Picture> directory = ReadPicture(folder.File(""));
  CHECK(directory.error().code == ErrorCode::kIo);
  WriteText(folder.File("text.png"), "hello, world");
  CHECK(ReadPicture(folder.File("text.png")).error().code == ErrorCode::kBadImage);
}

TEST_CASE("files: a PNG in memory is the PNG in a file") {
  std::mt19937 random(TestSeed());
  const TemporaryFolder folder;
  for (const uint32_t channels : {1U, 3U}) {
    for (const bool alpha : {false, true}) {
      for (const uint32_t depth : {8U, 16U}) {
        // More than the buffer of a file, and less.
        for (const uint32_t side : {3U, 300U}) {
          const Picture picture =
              RandomPicture(MakeInfo(side, side, channels, alpha, depth), &random);
          const Expected<std::vector<uint8_t>> bytes = EncodePng(picture);
          REQUIRE(bytes.ok());
          REQUIRE(WritePicture(folder.File("a.png"), picture).ok());
          CHECK(*bytes == *ReadFile(folder.File("a.png"), 1 << 24));
        }
      }
    }
  }
  Picture lacking = RandomPicture(MakeInfo(5, 5, 3, false, 8), &random);
  lacking.samples.pop_back();
  CHECK(EncodePng(lacking).error().code == ErrorCode::kInvalidArgument);
  CHECK(EncodePng({}).error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("files: the ending says the kind") {
  const TemporaryFolder folder;
  const auto create = [&folder](const std::string& name, const PictureInfo& info) {
    return PictureWriter::Create(folder.File(name), info, {}).error().code;
  };
  const PictureInfo rgb = MakeInfo(2, 2, 3, false, 8);
  for (const char* name : {"a", "a.", "a.jpg", "png", ".d/a", "a.png.x"}) {
    CAPTURE(name);
    CHECK(create(name, rgb) == ErrorCode::kInvalidArgument);
  }
  CHECK(create("a.pgm", rgb) == ErrorCode::kInvalidArgument);
  CHECK(create("a.ppm", MakeInfo(2, 2, 3, true, 8)) == ErrorCode::kInvalidArgument);
  CHECK(create("a.png", MakeInfo(0, 2, 3, true, 8)) == ErrorCode::kInvalidArgument);
  CHECK(create("a.png", MakeInfo(2, 0, 3, true, 8)) == ErrorCode::kInvalidArgument);
  CHECK(create("a.png", MakeInfo(0x80000000u, 1, 1, true, 8)) == ErrorCode::kInvalidArgument);
  CHECK(create("a.png", MakeInfo(2, 2, 2, false, 8)) == ErrorCode::kInvalidArgument);
  CHECK(create("a.png", MakeInfo(2, 2, 3, false, 4)) == ErrorCode::kInvalidArgument);
  CHECK(create("a.png", MakeInfo(2, 2, 1, true, 4)) == ErrorCode::kInvalidArgument);
  CHECK(create("a.png", MakeInfo(2, 2, 1, false, 12)) == ErrorCode::kInvalidArgument);
  CHECK(create("nowhere/a.png", rgb) == ErrorCode::kIo);
  CHECK(folder.CountFiles() == 0);
}

TEST_CASE("files: nothing appears before Finish, nothing stays without it") {
  for (const std::string ending : {".png", ".ppm"}) {
    CAPTURE(ending);
    const TemporaryFolder folder;
    const std::string path = folder.File("out" + ending);
    WriteText(path, "old");
    const Bytes row(6, 9);
    {
      const auto writer = PictureWriter::Create(path, MakeInfo(2, 2, 3, false, 8), {});
      REQUIRE(writer.ok());
      CHECK((*writer)->WriteRow(row.data()).ok());
      const Error early = (*writer)->Finish();
      CHECK(early.code == ErrorCode::kInvalidArgument);
      CHECK(early.message == path + ": only 1 of 2 rows were written");
      CHECK(folder.CountFiles() == 2);
    }
    CHECK(folder.CountFiles() == 1);
    CHECK(ReadText(path) == "old");

    const auto writer = PictureWriter::Create(path, MakeInfo(2, 2, 3, false, 8), {});
    REQUIRE(writer.ok());
    for (int y = 0; y < 2; ++y) CHECK((*writer)->WriteRow(row.data()).ok());
    CHECK((*writer)->WriteRow(row.data()).code == ErrorCode::kInvalidArgument);
    CHECK(ReadText(path) == "old");
    CHECK((*writer)->Finish().ok());
    CHECK(folder.CountFiles() == 1);
    CHECK(ReadPicture(path).ok());
  }
}

TEST_CASE("files: a writer that is finished writes no more") {
  for (const std::string ending : {".png", ".ppm", ".pam"}) {
    CAPTURE(ending);
    const TemporaryFolder folder;
    const std::string path = folder.File("out" + ending);
    const std::string other = folder.File("other");
    const Bytes row(6, 9);
    const auto writer = PictureWriter::Create(path, MakeInfo(2, 1, 3, false, 8), {});
    REQUIRE(writer.ok());
    REQUIRE((*writer)->WriteRow(row.data()).ok());
    REQUIRE((*writer)->Finish().ok());
    const std::string written = ReadText(path);
    // Likely to get the number of the descriptor that the writer had.
    std::vector<int> others;
    for (int i = 0; i < 4; ++i) {
      others.push_back(open(other.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600));
      REQUIRE(others.back() >= 0);
    }
    for (int i = 0; i < 2; ++i) {
      for (const Error& error : {(*writer)->Finish(), (*writer)->WriteRow(row.data())}) {
        CHECK(error.code == ErrorCode::kInvalidArgument);
        CHECK(error.message == path + ": is finished already");
      }
    }
    CHECK(ReadText(other).empty());
    for (const int fd : others) CHECK(close(fd) == 0);
    CHECK(ReadText(path) == written);
    CHECK(folder.CountFiles() == 2);
  }
}

TEST_CASE("files: what is there, or appears meanwhile, is kept where that is asked for") {
  const TemporaryFolder folder;
  const std::string path = folder.File("out.png"), link = folder.File("link.png");
  const Bytes row(6, 9);
  const auto is_there = [&](const Error& error, const std::string& name) {
    CHECK(error.code == ErrorCode::kInvalidArgument);
    CHECK(error.message == name + ": is there already");
  };
  const auto create = [&](const std::string& name) {
    return PictureWriter::Create(name, MakeInfo(2, 1, 3, false, 8), {}, "png", Existing::kKeep);
  };
  {
    const auto writer = create(path);
    REQUIRE(writer.ok());
    REQUIRE((*writer)->WriteRow(row.data()).ok());
    WriteText(path, "old");
    is_there((*writer)->Finish(), path);
    is_there((*writer)->Finish(), path);
  }
  CHECK(ReadText(path) == "old");
  is_there(create(path).error(), path);
  is_there(WriteFile(path, "new", 3, Existing::kKeep), path);
  CHECK(ReadText(path) == "old");
  REQUIRE(unlink(path.c_str()) == 0);
  REQUIRE(symlink(path.c_str(), link.c_str()) == 0);
  is_there(WriteFile(link, "new", 3, Existing::kKeep), link);
  CHECK(!Exists(path));
  REQUIRE(WriteFile(path, "new", 3, Existing::kKeep).ok());
  CHECK(ReadText(path) == "new");
  CHECK(folder.CountFiles() == 2);
}

TEST_CASE("files: samples beyond their depth are refused") {
  const TemporaryFolder folder;
  for (const std::string name : {"a.png", "a.pgm", "a.pam"}) {
    const auto writer = PictureWriter::Create(folder.File(name), MakeInfo(3, 1, 1, false, 2), {});
    REQUIRE(writer.ok());
    const uint8_t row[3] = {0, 4, 3};
    CHECK((*writer)->WriteRow(row).code == ErrorCode::kInvalidArgument);
  }
  // Readers give no such picture, but streams may be of one.
  const PictureInfo with_alpha = MakeInfo(3, 1, 1, true, 4);
  CHECK(PictureWriter::Create(folder.File("a.png"), with_alpha, {}).error().code ==
        ErrorCode::kInvalidArgument);
  {
    const auto writer = PictureWriter::Create(folder.File("alpha.pam"), with_alpha, {});
    REQUIRE(writer.ok());
    const uint8_t row[6] = {0, 15, 7, 3, 15, 0};
    REQUIRE((*writer)->WriteRow(row).ok());
    REQUIRE((*writer)->Finish().ok());
    const auto back = ReadPicture(folder.File("alpha.pam"));
    REQUIRE_MESSAGE(back.ok(), back.error().message);
    CHECK(back->info.has_alpha);
    CHECK(back->samples == Bytes{0, 255, 119, 51, 255, 0});
  }
  REQUIRE(unlink(folder.File("alpha.pam").c_str()) == 0);
  Picture lacking;
  lacking.info = MakeInfo(2, 2, 1, false, 8);
  lacking.samples.resize(3);
  CHECK(WritePicture(folder.File("a.png"), lacking).code == ErrorCode::kInvalidArgument);
  CHECK(folder.CountFiles() == 0);
}

TEST_CASE("files: links are followed, devices are written to, permissions are usual") {
  const TemporaryFolder folder;
  WriteText(folder.File("target"), "old");
  REQUIRE(symlink("target", folder.File("link").c_str()) == 0);
  WriteText(folder.File("link"), "new");
  struct stat info {};
  REQUIRE(lstat(folder.File("link").c_str(), &info) == 0);
  CHECK(S_ISLNK(info.st_mode));
  CHECK(ReadText(folder.File("target")) == "new");
  // Links to what is not there yet, one behind the other and from another folder.
  REQUIRE(mkdir(folder.File("sub").c_str(), 0700) == 0);
  REQUIRE(symlink("../next", folder.File("sub/first").c_str()) == 0);
  REQUIRE(symlink("later", folder.File("next").c_str()) == 0);
  WriteText(folder.File("sub/first"), "made");
  REQUIRE(lstat(folder.File("later").c_str(), &info) == 0);
  CHECK(S_ISREG(info.st_mode));
  CHECK(ReadText(folder.File("sub/first")) == "made");
  REQUIRE(symlink("round", folder.File("round").c_str()) == 0);
  CHECK(WriteFile(folder.File("round"), "x", 1).code == ErrorCode::kIo);

  WriteText("/dev/null", "gone");
  REQUIRE(stat("/dev/null", &info) == 0);
  CHECK(S_ISCHR(info.st_mode));

  { std::ofstream usual(folder.File("usual")); }
  struct stat ours {};
  WriteText(folder.File("ours"), "x");
  REQUIRE(stat(folder.File("usual").c_str(), &info) == 0);
  REQUIRE(stat(folder.File("ours").c_str(), &ours) == 0);
  CHECK(info.st_mode == ours.st_mode);
}

// Node.js and many event loops make their pipes so.
TEST_CASE("files: pipes that do not wait are waited for") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  for (const int end : ends) REQUIRE(fcntl(end, F_SETFL, O_NONBLOCK) == 0);
  Bytes data(1000003);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i * 31 >> 7);
  Error written;
  std::thread writer([&] {
    written = WriteFile("/dev/fd/" + std::to_string(ends[1]), data.data(), data.size());
    close(ends[1]);
  });
  auto source = ByteSource::FromDescriptor(ends[0], ByteSource::Descriptor::kOwned, "pipe");
  Bytes read(data.size() + 1);
  read.resize(source->Read(read.data(), read.size()));
  writer.join();
  CHECK_MESSAGE(written.ok(), written.message);
  CHECK_MESSAGE(source->error().ok(), source->error().message);
  CHECK(read == data);
}

TEST_CASE("files: a full disk is an error") {
  if (!Exists("/dev/full")) return;
  const Bytes data(100000, 1);
  CHECK(WriteFile("/dev/full", data.data(), data.size()).code == ErrorCode::kIo);
  CHECK(WriteFile("/dev/full", data.data(), 10).code == ErrorCode::kIo);  // found by Finish
}

TEST_CASE("files: ReadFile stops at its limit") {
  const TemporaryFolder folder;
  const std::string path = folder.File("bytes");
  for (const size_t size : {size_t{0}, size_t{1}, size_t{65536}, size_t{300001}}) {
    CAPTURE(size);
    Bytes data(size);
    for (size_t i = 0; i < size; ++i) data[i] = static_cast<uint8_t>(i * 7 >> 3);
    REQUIRE(WriteFile(path, data.data(), size).ok());
    for (const uint64_t limit : {uint64_t{size}, uint64_t{size} + 1, UINT64_MAX}) {
      const auto back = ReadFile(path, limit);
      REQUIRE(back.ok());
      CHECK(*back == data);
    }
    if (size > 0) CHECK(ReadFile(path, size - 1).error().code == ErrorCode::kLimit);
  }
  CHECK(ReadFile(folder.File("missing"), 10).error().code == ErrorCode::kNotFound);
}

TEST_CASE("files: what a file begins with is looked at before the rest is read") {
  const TemporaryFolder folder;
  for (const size_t size : {size_t{0}, size_t{5}, size_t{64}, size_t{200000}}) {
    CAPTURE(size);
    const Bytes data(size, 7);
    REQUIRE(WriteFile(folder.File("bytes"), data.data(), size).ok());
    size_t seen = 0;
    const auto accept = [&](const void* start, size_t count) {
      seen = count;
      CHECK((count == 0 || static_cast<const uint8_t*>(start)[count - 1] == 7));
      return Error{};
    };
    const auto back = ReadFile(folder.File("bytes"), size, accept);
    REQUIRE(back.ok());
    CHECK(*back == data);
    CHECK(seen == std::min(size, size_t{64}));
    const auto refuse = [](const void*, size_t) {
      return Error{ErrorCode::kUnsupported, "not this"};
    };
    CHECK(ReadFile(folder.File("bytes"), size, refuse).error().message == "not this");
  }
  // It has no end.
  const auto refused = ReadFile("/dev/zero", UINT64_MAX, [](const void*, size_t count) {
    return Error{count == 64 ? ErrorCode::kUnsupported : ErrorCode::kOk, "zeros"};
  });
  CHECK(refused.error().message == "zeros");
}

TEST_CASE("files: a pipe takes the memory of what comes, and no more") {
  constexpr uint64_t kSlack = (uint64_t{4} << 20) + testing::kSanitizerMemory;
  constexpr size_t kSize = (size_t{40} << 20) + 12345;
  for (const uint64_t limit : {uint64_t{kSize}, uint64_t{20} << 20}) {
    CAPTURE(limit);
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    std::thread writer([fd = ends[1]] {
      Bytes part(1 << 16);
      for (size_t done = 0; done < kSize;) {
        const size_t count = std::min(part.size(), kSize - done);
        for (size_t i = 0; i < count; ++i) part[i] = static_cast<uint8_t>((done + i) * 31 >> 7);
        const ssize_t written = write(fd, part.data(), count);
        if (written <= 0) break;
        done += static_cast<size_t>(written);
      }
      close(fd);
    });
    const std::string path = "/dev/fd/" + std::to_string(ends[0]);
    const testing::PeakMemory peak;
    const auto read = ReadFile(path, limit);
    const uint64_t growth = peak.Growth();
    Bytes rest(1 << 16);
    while (::read(ends[0], rest.data(), rest.size()) > 0) {
    }
    close(ends[0]);
    writer.join();
    CHECK(growth < limit + kSlack);
    CHECK(read.ok() == (limit == kSize));
    if (!read) {
      CHECK(read.error().code == ErrorCode::kLimit);
      continue;
    }
    REQUIRE(read->size() == kSize);
    size_t wrong = 0;
    for (size_t i = 0; i < kSize; ++i) wrong += (*read)[i] != static_cast<uint8_t>(i * 31 >> 7);
    CHECK(wrong == 0);
  }
}

TEST_CASE("files: standard input and output") {
  std::mt19937 random(TestSeed() + 1);
  const TemporaryFolder folder;
  const Picture picture = RandomPicture(MakeInfo(40, 30, 3, false, 8), &random);
  for (const std::string format : {"png", "ppm", "pam"}) {
    CAPTURE(format);
    const std::string path = folder.File("piped");
    Error error;
    {
      const Redirected output(STDOUT_FILENO, path, O_WRONLY | O_CREAT | O_TRUNC);
      const auto writer = PictureWriter::Create("-", picture.info, {}, format);
      error = writer.error();
      for (size_t y = 0; writer && error.ok() && y < 30; ++y) {
        error = (*writer)->WriteRow(picture.samples.data() + y * picture.info.RowBytes());
      }
      if (error.ok()) error = (*writer)->Finish();
    }
    REQUIRE_MESSAGE(error.ok(), error.message);
    Expected<Picture> back = Error{};
    {
      const Redirected input(STDIN_FILENO, path, O_RDONLY);
      back = ReadPicture("-");
    }
    REQUIRE_MESSAGE(back.ok(), back.error().message);
    CHECK(SamePixels(*back, picture));
  }
  CHECK(PictureWriter::Create("-", picture.info, {}, "jpeg").error().code ==
        ErrorCode::kInvalidArgument);
  Error empty;
  {
    const Redirected input(STDIN_FILENO, "/dev/null", O_RDONLY);
    empty = ReadPicture("-").error();
  }
  CHECK(empty.message.rfind("standard input: ", 0) == 0);
}

TEST_CASE("files: a pipe that gives a byte at a time") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  std::string sent;
  for (int i = 0; i < 1000; ++i) sent += static_cast<char>('a' + i % 26);
  std::thread writer([&sent, fd = ends[1]] {
    for (const char& c : sent) {
      if (write(fd, &c, 1) != 1) break;
      if (&c - sent.data() < 20) usleep(100);
    }
    close(fd);
  });
  const auto source = ByteSource::FromDescriptor(ends[0], ByteSource::Descriptor::kOwned, "pipe");
  uint8_t start[ByteSource::kMaxPeek];
  CHECK(source->Peek(start, 12) == 12);
  CHECK(std::memcmp(start, sent.data(), 12) == 0);
  CHECK(source->PeekByte() == 'a');
  CHECK(source->GetByte() == 'a');
  CHECK(source->Peek(start, 100) == sizeof(start));
  CHECK(std::memcmp(start, sent.data() + 1, sizeof(start)) == 0);
  std::string got(2000, '\0');
  got.resize(source->Read(got.data(), got.size()));
  CHECK(got == sent.substr(1));
  CHECK(source->GetByte() == -1);
  CHECK(source->error().ok());
  writer.join();
}

TEST_CASE("ToRgb8: gray is repeated, alpha dropped, depth scaled and rounded") {
  Picture gray;
  gray.info = MakeInfo(4, 1, 1, false, 2);
  gray.samples = {0, 1, 2, 3};
  const Picture rgb = ToRgb8(gray);
  CHECK(rgb.info.bit_depth == 8);
  CHECK(rgb.info.channels == 3);
  CHECK(rgb.samples == Bytes{0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255});

  Picture wide;
  wide.info = MakeInfo(1, 1, 3, true, 16);
  const uint16_t samples[4] = {128, 129, 65535, 7};  // 257 per step of 8 bits
  wide.samples.resize(8);
  std::memcpy(wide.samples.data(), samples, 8);
  CHECK(ToRgb8(wide).samples == Bytes{0, 1, 255});

  std::mt19937 random(TestSeed() + 2);
  const Picture same = RandomPicture(MakeInfo(5, 6, 3, false, 8), &random);
  CHECK(SamePixels(ToRgb8(same), same));
}

TEST_CASE("ToRgb8 and Flatten: what has no form has no samples") {
  for (const uint32_t depth : {0U, 3U, 8U, 32U, 200U}) {
    for (const uint32_t channels : {0U, 1U, 2U, 3U, 4U, 0xFFFFFFFFU}) {
      CAPTURE(depth);
      CAPTURE(channels);
      const bool sound = depth == 8 && (channels == 1 || channels == 3);
      Picture picture;
      picture.info = MakeInfo(2, 2, channels, false, depth);
      picture.samples.resize(std::min(picture.info.RowBytes() * 2, size_t{64}));
      CHECK(ToRgb8(picture).samples.empty() != sound);
      picture.info.has_alpha = true;
      picture.samples.resize(std::min(picture.info.RowBytes() * 2, size_t{64}));
      CHECK(Flatten(picture, {}).samples.empty() != sound);
    }
  }
  Picture nothing;
  CHECK(ToRgb8(nothing).samples.empty());
  nothing.info = MakeInfo(0x80000000, 0x80000000, 1, false, 16);  // 2^63 bytes
  CHECK(ToRgb8(nothing).samples.empty());
}

}  // namespace
}  // namespace glint
