// Bytes in from a file, standard input or memory; bytes out to a file that appears only when
// complete. Used by the readers and writers of picture files and by ReadFile and WriteFile in
// codec/.
// Thread rules: a source or sink belongs to one thread at a time.
#ifndef GLINT_CODEC_PICTURE_FILES_BYTE_IO_H_
#define GLINT_CODEC_PICTURE_FILES_BYTE_IO_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/memory_limit.h"
#include "codec/picture_files/output_file.h"
#include "glint/glint.hpp"
#include "glint/image_io.hpp"

namespace glint {

// "name: reason" with the code.
Error FileError(ErrorCode code, const std::string& name, const std::string& reason);

// The memory of a source, beside what the caller reads into.
inline constexpr uint64_t kSourceBytes = uint64_t{1} << 16;

// Reads forwards with a buffer. A failed read looks like the end; error() tells them apart.
class ByteSource {
 public:
  // "-": standard input.
  static Expected<std::unique_ptr<ByteSource>> Open(const std::string& path);
  // The memory must outlive the source.
  static std::unique_ptr<ByteSource> FromMemory(const void* data, size_t size,
                                                const std::string& name);
  // `owned`: closed with the source.
  enum class Descriptor { kOwned, kBorrowed };
  static std::unique_ptr<ByteSource> FromDescriptor(int fd, Descriptor ownership,
                                                    const std::string& name);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  const std::string& name() const { return name_; }  // for messages
  const Error& error() const { return error_; }

  // Fewer than `size` bytes only at the end.
  size_t Read(void* out, size_t size);
  int GetByte() { return cursor_ != end_ || Fill() ? *cursor_++ : -1; }  // -1 at the end
  int PeekByte() { return cursor_ != end_ || Fill() ? *cursor_ : -1; }
  // Up to `size` <= kMaxPeek bytes without taking them.
  static constexpr size_t kMaxPeek = 64;
  size_t Peek(uint8_t* out, size_t size);
  // Bytes from the place where the source was opened to the end: of memory and of regular files.
  // Nothing for pipes and devices.
  std::optional<uint64_t> size() const { return size_; }
  // Up to `size` bytes at `offset` from the place where the source was opened, wherever reading is;
  // only of a source that has a size().
  size_t ReadAt(uint64_t offset, void* out, size_t size) const;
  // kIo when a read failed, else kBadImage with `reason`.
  Error ErrorAtEnd(const std::string& reason) const;

 private:
  explicit ByteSource(std::string name) : name_(std::move(name)) {}
  bool Fill();                                 // only when nothing is buffered; false at the end
  size_t ReadSome(uint8_t* out, size_t size);  // from the descriptor, past the buffer

  std::string name_;
  Error error_;
  int fd_ = -1;
  Descriptor ownership_ = Descriptor::kBorrowed;
  std::optional<uint64_t> size_;
  uint64_t start_ = 0;               // of a file: where it was opened
  const uint8_t* memory_ = nullptr;  // of memory: all of it
  std::vector<uint8_t> buffer_;
  const uint8_t* cursor_ = nullptr;
  const uint8_t* end_ = nullptr;
};

// Writes to a temporary file beside `path`, which takes its name in Finish(); what is not finished
// leaves nothing behind. What is no stored file (WritesStoredFile) is written directly, and memory
// too.
class ByteSink {
 public:
  static Expected<std::unique_ptr<ByteSink>> Create(const std::string& path, Existing existing);
  // Appends to `out` instead, which must outlive the sink.
  static std::unique_ptr<ByteSink> ToMemory(std::vector<uint8_t>* out, const std::string& name);
  ~ByteSink();
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;

  const std::string& name() const { return name_; }
  Error Write(const void* data, size_t size);
  Error Finish();

 private:
  explicit ByteSink(std::string name) : name_(std::move(name)) {}
  Error OpenFile(const std::string& path, Existing existing);
  Error OpenDirect(const std::string& path);
  Error OpenDescriptor(int fd);
  Error Flush();
  Error WriteDirect(const uint8_t* data, size_t size);
  Error Fail(const std::string& what);  // with errno

  std::string name_;
  std::vector<uint8_t>* memory_ = nullptr;  // where it all goes, if it goes to memory
  std::unique_ptr<OutputFile> file_;        // none: written directly
  int fd_ = -1;
  bool owned_ = false;  // closed with the sink
  std::vector<uint8_t> buffer_;
};

}  // namespace glint

#endif  // GLINT_CODEC_PICTURE_FILES_BYTE_IO_H_
