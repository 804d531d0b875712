#include "glint/image_io.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <optional>
#include <utility>

#include "codec/memory_limit.h"
#include "codec/picture_files/picture_files.h"
#include "codec/public_error.h"

namespace glint {
namespace {

// Calls of a reader or writer: rows, and the words of errors, may run out of memory. What it is
// then in the middle of nobody knows, so all later calls fail too.
class Guard {
 public:
  template <typename Call>
  Error Run(const Call& call) {
    if (is_broken_) return Error{ErrorCode::kLimit, "out of memory"};
    is_broken_ = true;  // unless the call returns
    return PublicCall([&] {
      Error error = call();
      is_broken_ = false;
      return error;
    });
  }

 private:
  bool is_broken_ = false;
};

class GuardedReader final : public PictureReader {
 public:
  explicit GuardedReader(std::unique_ptr<PictureReader> reader) : reader_(std::move(reader)) {}
  const PictureInfo& info() const override { return reader_->info(); }
  const Metadata& metadata() const override { return reader_->metadata(); }
  const std::string& format() const override { return reader_->format(); }
  const std::vector<std::string>& warnings() const override { return reader_->warnings(); }
  uint64_t memory() const override { return reader_->memory(); }
  Error ReadRow(void* row) override {
    return guard_.Run([&] { return reader_->ReadRow(row); });
  }
  Error SkipRows() override {
    return guard_.Run([&] { return reader_->SkipRows(); });
  }
  Error Finish() override {
    return guard_.Run([&] { return reader_->Finish(); });
  }
  Metadata TakeMetadata() override { return reader_->TakeMetadata(); }

 private:
  const std::unique_ptr<PictureReader> reader_;
  Guard guard_;
};

class GuardedWriter final : public PictureWriter {
 public:
  GuardedWriter(std::string name, std::unique_ptr<PictureWriter> writer)
      : name_(std::move(name)), writer_(std::move(writer)) {}
  Error WriteRow(const void* row) override {
    return Run([&] { return writer_->WriteRow(row); });
  }
  Error Finish() override {
    Error error = Run([&] { return writer_->Finish(); });
    if (error.ok()) is_finished_ = true;
    return error;
  }

 private:
  template <typename Call>
  Error Run(const Call& call) {
    return guard_.Run([&] {
      if (!is_finished_) return call();
      return FileError(ErrorCode::kInvalidArgument, name_, "is finished already");
    });
  }

  const std::string name_;
  const std::unique_ptr<PictureWriter> writer_;
  bool is_finished_ = false;
  Guard guard_;
};

Expected<std::unique_ptr<PictureReader>> OpenSource(std::unique_ptr<ByteSource> source,
                                                    const Limits& limits) {
  std::array<uint8_t, ByteSource::kMaxPeek> start{};
  const size_t size = source->Peek(start.data(), start.size());
  if (!source->error().ok()) return source->error();
  const FileFormat format = IdentifyFormat(start.data(), size);
  if (format.readable) {
    if (format.name == "PNG") return OpenPng(std::move(source), limits);
    if (format.name == "JPEG") return OpenJpeg(std::move(source), limits);
    return OpenPnm(std::move(source), limits);
  }
  if (!format.name.empty()) {
    return FileError(ErrorCode::kUnsupported, source->name(),
                     format.name + " is not read: " + format.advice);
  }
  if (size >= 8 && std::memcmp(start.data() + 1, "PNG", 3) == 0) {
    return FileError(ErrorCode::kBadImage, source->name(),
                     "damaged PNG: its signature is broken, as by a transfer as text");
  }
  return FileError(ErrorCode::kBadImage, source->name(),
                   size == 0 ? "is empty" : "no picture of a known kind");
}

Expected<std::unique_ptr<PictureReader>> OpenGuarded(std::unique_ptr<ByteSource> source,
                                                     const Limits& limits) {
  auto reader = OpenSource(std::move(source), limits);
  if (!reader) return reader.error();
  return std::unique_ptr<PictureReader>(std::make_unique<GuardedReader>(std::move(*reader)));
}

std::string LowerEnding(const std::string& path) {
  const size_t dot = path.find_last_of("./");
  if (dot == std::string::npos || path[dot] == '/') return "";
  std::string ending = path.substr(dot + 1);
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return ending;
}

}  // namespace

Expected<std::unique_ptr<PictureReader>> PictureReader::Open(const std::string& path,
                                                             const Limits& limits) {
  return PublicCall([&]() -> Expected<std::unique_ptr<PictureReader>> {
    Expected<std::unique_ptr<ByteSource>> source = ByteSource::Open(path);
    if (!source) return source.error();
    return OpenGuarded(std::move(*source), limits);
  });
}

Error PictureReader::SkipRows() {
  std::vector<uint8_t> row(info().RowBytes());
  Error error;
  for (uint32_t y = 0; y < info().height && error.ok(); ++y) error = ReadRow(row.data());
  return error;
}

Expected<std::unique_ptr<PictureReader>> PictureReader::FromMemory(const void* data, size_t size,
                                                                   const std::string& name,
                                                                   const Limits& limits) {
  return PublicCall([&] { return OpenGuarded(ByteSource::FromMemory(data, size, name), limits); });
}

namespace {

struct WrittenKind {
  std::optional<PnmKind> pnm;  // none: PNG
};

std::string OutputName(const std::string& path) { return path == "-" ? "standard output" : path; }

std::optional<WrittenKind> KindOfEnding(const std::string& ending) {
  if (ending == "png") return WrittenKind{};
  if (ending == "ppm") return WrittenKind{PnmKind::kPpm};
  if (ending == "pgm") return WrittenKind{PnmKind::kPgm};
  if (ending == "pam") return WrittenKind{PnmKind::kPam};
  return std::nullopt;
}

Expected<std::unique_ptr<PictureWriter>> CreateWriter(const std::string& path,
                                                      const PictureInfo& info,
                                                      const Metadata& metadata,
                                                      const std::string& format,
                                                      Existing existing) {
  const std::string name = OutputName(path);
  std::optional<WrittenKind> kind = KindOfEnding(LowerEnding(path));
  if (!kind && !WritesStoredFile(path)) kind = KindOfEnding(LowerEnding("." + format));
  if (!kind) {
    return FileError(ErrorCode::kInvalidArgument, name,
                     "is not named .png, .ppm, .pgm or .pam, so its kind is unknown");
  }
  const Error valid = CheckPictureInfo(name, info);
  if (!valid.ok()) return valid;
  Expected<std::unique_ptr<ByteSink>> sink = ByteSink::Create(path, existing);
  if (!sink) return sink.error();
  if (kind->pnm) return CreatePnm(std::move(*sink), *kind->pnm, info);
  return CreatePng(std::move(*sink), info, metadata);
}

Expected<Picture> ReadWhole(const std::string& path, const Limits& limits,
                            std::vector<std::string>* warnings) {
  const Expected<std::unique_ptr<PictureReader>> reader = PictureReader::Open(path, limits);
  if (!reader) return reader.error();
  Picture picture;
  picture.info = (*reader)->info();
  const size_t row_bytes = picture.info.RowBytes();
  const std::string name = path == "-" ? "standard input" : path;
  const uint64_t bytes = MultiplyBytes(row_bytes, picture.info.height);
  Error error = CheckMemory(name + ":", AddBytes(bytes, (*reader)->memory()), limits);
  if (!error.ok()) return error;
  if (!TryResize(&picture.samples, row_bytes * picture.info.height)) {
    return FileError(ErrorCode::kLimit, name, "out of memory");
  }
  for (size_t y = 0; y < picture.info.height && error.ok(); ++y) {
    error = (*reader)->ReadRow(picture.samples.data() + y * row_bytes);
  }
  if (error.ok()) error = (*reader)->Finish();
  if (!error.ok()) return error;
  picture.metadata = (*reader)->TakeMetadata();
  if (warnings != nullptr) *warnings = (*reader)->warnings();
  return picture;
}

Error CheckSamples(const std::string& name, const Picture& picture) {
  if (picture.samples.size() == picture.info.RowBytes() * picture.info.height) return {};
  return FileError(ErrorCode::kInvalidArgument, name, "the picture lacks samples");
}

Error WriteRows(const Picture& picture, PictureWriter* writer) {
  const size_t row_bytes = picture.info.RowBytes();
  for (size_t y = 0; y < picture.info.height; ++y) {
    const Error error = writer->WriteRow(picture.samples.data() + y * row_bytes);
    if (!error.ok()) return error;
  }
  return writer->Finish();
}

Error WriteWhole(const std::string& path, const Picture& picture) {
  const Error whole = CheckSamples(path, picture);
  if (!whole.ok()) return whole;
  const Expected<std::unique_ptr<PictureWriter>> writer =
      PictureWriter::Create(path, picture.info, picture.metadata);
  return writer ? WriteRows(picture, writer->get()) : writer.error();
}

Expected<std::vector<uint8_t>> PngOf(const Picture& picture) {
  const std::string name = "PNG in memory";
  Error error = CheckPictureInfo(name, picture.info);
  if (error.ok()) error = CheckSamples(name, picture);
  if (!error.ok()) return error;
  std::vector<uint8_t> bytes;
  const Expected<std::unique_ptr<PictureWriter>> writer =
      CreatePng(ByteSink::ToMemory(&bytes, name), picture.info, picture.metadata);
  error = writer ? WriteRows(picture, writer->get()) : writer.error();
  if (!error.ok()) return error;
  return bytes;
}

// What a pipe gives until its end, in parts that the system takes back one by one: a vector that
// grows would hold it twice, and so would a heap that keeps what was freed.
class Parts {
 public:
  Parts() = default;
  ~Parts() {
    for (const Part& part : parts_) Free(part);
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  // False at the end, or when memory ran out.
  bool Read(ByteSource* source) {
    parts_.reserve(parts_.size() + 1);
    void* const data =
        mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) {
      out_of_memory_ = true;
      return false;
    }
    parts_.push_back({static_cast<uint8_t*>(data), 0});
    parts_.back().size = source->Read(data, kBytes);
    bytes_ += parts_.back().size;
    return parts_.back().size == kBytes;
  }
  uint64_t bytes() const { return bytes_; }
  bool out_of_memory() const { return out_of_memory_; }

  void MoveTo(std::vector<uint8_t>* all) {
    all->reserve(all->size() + static_cast<size_t>(bytes_));
    for (const Part& part : parts_) {
      all->insert(all->end(), part.data, part.data + part.size);
      Free(part);
    }
    parts_.clear();
  }

 private:
  static constexpr size_t kBytes = size_t{1} << 20;  // of a part
  struct Part {
    uint8_t* data = nullptr;
    size_t size = 0;
  };
  static void Free(const Part& part) { munmap(part.data, kBytes); }

  std::vector<Part> parts_;
  uint64_t bytes_ = 0;
  bool out_of_memory_ = false;
};

Expected<std::vector<uint8_t>> ReadBytes(const std::string& path, uint64_t max_bytes,
                                         const StartCheck& check) {
  const Expected<std::unique_ptr<ByteSource>> opened = ByteSource::Open(path);
  if (!opened) return opened.error();
  ByteSource* const source = opened->get();
  const std::optional<uint64_t> known = source->size();
  const auto too_large = [&] {
    const std::string size = known ? "has " + std::to_string(*known) + " bytes and " : "";
    return FileError(ErrorCode::kLimit, source->name(),
                     size + "is larger than the limit of " + std::to_string(max_bytes) + " bytes");
  };
  if (known && *known > max_bytes) return too_large();
  if (check) {
    std::array<uint8_t, ByteSource::kMaxPeek> start{};
    const size_t size = source->Peek(start.data(), start.size());
    if (!source->error().ok()) return source->error();
    Error refused = check(start.data(), size);
    if (!refused.ok()) return refused;
  }
  const auto out_of_memory = [&] {
    return FileError(ErrorCode::kLimit, source->name(), "out of memory");
  };
  std::vector<uint8_t> bytes;
  if (known) {
    // One byte beyond what there should be tells that there is more.
    if (!TryResize(&bytes, static_cast<size_t>(*known) + 1)) return out_of_memory();
    bytes.resize(source->Read(bytes.data(), bytes.size()));
    if (!source->error().ok()) return source->error();
    if (bytes.size() <= *known) return bytes;
  }
  Parts parts;
  while (bytes.size() + parts.bytes() <= max_bytes && parts.Read(source)) {
  }
  if (parts.out_of_memory()) return out_of_memory();
  if (!source->error().ok()) return source->error();
  if (bytes.size() + parts.bytes() > max_bytes) return too_large();
  parts.MoveTo(&bytes);
  return bytes;
}

}  // namespace

Expected<std::unique_ptr<PictureWriter>> PictureWriter::Create(const std::string& path,
                                                               const PictureInfo& info,
                                                               const Metadata& metadata,
                                                               const std::string& format,
                                                               Existing existing) {
  return PublicCall([&]() -> Expected<std::unique_ptr<PictureWriter>> {
    auto writer = CreateWriter(path, info, metadata, format, existing);
    if (!writer) return writer.error();
    return std::unique_ptr<PictureWriter>(
        std::make_unique<GuardedWriter>(OutputName(path), std::move(*writer)));
  });
}

Expected<Picture> ReadPicture(const std::string& path, const Limits& limits,
                              std::vector<std::string>* warnings) {
  return PublicCall([&] { return ReadWhole(path, limits, warnings); });
}

Error WritePicture(const std::string& path, const Picture& picture) {
  return PublicCall([&] { return WriteWhole(path, picture); });
}

Expected<std::vector<uint8_t>> EncodePng(const Picture& picture) {
  return PublicCall([&] { return PngOf(picture); });
}

Error WriteFile(const std::string& path, const void* data, size_t size, Existing existing) {
  return PublicCall([&]() -> Error {
    const Expected<std::unique_ptr<ByteSink>> sink = ByteSink::Create(path, existing);
    if (!sink) return sink.error();
    const Error error = (*sink)->Write(data, size);
    return error.ok() ? (*sink)->Finish() : error;
  });
}

Expected<std::vector<uint8_t>> ReadFile(const std::string& path, uint64_t max_bytes,
                                        const StartCheck& check) {
  return PublicCall([&] { return ReadBytes(path, max_bytes, check); });
}

}  // namespace glint
