// Picture files for tools and tests: PNG, PGM, PPM, PAM, JPEG in, by rows or whole.
// Part of the public interface (C++17). It is separate, so that products with files of their own
// need not use it; a library that was built without picture files (glint::core) does not have it.
// Errors and ownership as in glint.hpp.
// Thread rules: a reader or writer belongs to one thread at a time.
#ifndef GLINT_IMAGE_IO_HPP_
#define GLINT_IMAGE_IO_HPP_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "glint/glint.hpp"
#include "glint/pictures.hpp"

namespace glint {

// What a file is by its first bytes.
struct FileFormat {
  std::string name;       // "PNG", "WebP", "Glint stream"; empty: none that is known
  bool readable = false;  // by PictureReader
  std::string advice;     // for people, where it is known but not readable: what helps
};
// 64 bytes are enough, fewer tell less.
GLINT_API FileFormat IdentifyFormat(const void* start, size_t size);

// Reads PNG, PGM, PPM and PAM, and JPEG where the library was built with libjpeg, by rows from top
// to bottom. Of an animation it gives the first picture; the orientation that EXIF names is left to
// EXIF. Interlaced PNGs and progressive JPEGs are decoded whole at once, at the first row; that is
// kLimit when memory() is beyond limits.max_memory.
class GLINT_API PictureReader {
 public:
  // "-": standard input. The kind of file is told by its first bytes.
  static Expected<std::unique_ptr<PictureReader>> Open(const std::string& path,
                                                       const Limits& limits = {});
  static Expected<std::unique_ptr<PictureReader>> FromMemory(const void* data, size_t size,
                                                             const std::string& name,
                                                             const Limits& limits = {});
  virtual ~PictureReader() = default;
  virtual const PictureInfo& info() const = 0;
  virtual const Metadata& metadata() const = 0;
  // For people: "PNG, interlaced", "JPEG, progressive".
  virtual const std::string& format() const = 0;
  // For people, without the file's name: faults that were no error, and what was left out, each
  // once. Complete after Finish.
  virtual const std::vector<std::string>& warnings() const = 0;
  // The most bytes that the reader takes, metadata and buffers included; known from Open on. Large
  // buffers are not taken before the first row. Give this to Limits::held_memory of the call that
  // encodes rows of this reader.
  virtual uint64_t memory() const = 0;
  virtual Error ReadRow(void* row) = 0;  // the next row, info().RowBytes()
  // In place of every ReadRow, where the pixels are not wanted: looks for damage. What comes row by
  // row is decoded; a progressive JPEG is gone through by its markers, so it costs neither the time
  // nor the memory of its pixels, and what only decoding finds is not found: damage inside of a
  // scan, tables that are missing or wrong.
  virtual Error SkipRows();
  // After the last row: checks the rest of the file (CRCs, end marker) and completes metadata().
  virtual Error Finish() = 0;
  // After Finish: metadata() without a copy, which is empty from then on.
  virtual Metadata TakeMetadata() = 0;
};

// Whether what is written to `path` becomes a file there when it is complete, by way of a temporary
// file beside it. Standard output ("-", "/dev/stdout"), other open descriptors ("/dev/fd/3"), pipes
// and devices get their bytes as they come.
GLINT_API bool WritesStoredFile(const std::string& path);

// What becomes of a file that is there already when the new one is complete. kKeep: it stays, be it
// a link, and the new one is kInvalidArgument ("is there already"). It has no effect on what is no
// stored file.
enum class Existing { kReplace, kKeep };

// Writes rows to a temporary file beside `path` that takes its name in Finish(); without Finish
// nothing stays.
class GLINT_API PictureWriter {
 public:
  // The ending says the kind: .png, .ppm, .pgm, .pam (also upper case); `format` does where there
  // is no such ending and `path` is no stored file ("-", "/dev/stdout", a pipe). PGM, PPM and PAM
  // have no place for metadata; of Metadata::chunks a PNG gets those whose types that comment
  // names.
  static Expected<std::unique_ptr<PictureWriter>> Create(const std::string& path,
                                                         const PictureInfo& info,
                                                         const Metadata& metadata,
                                                         const std::string& format = "png",
                                                         Existing existing = Existing::kReplace);
  virtual ~PictureWriter() = default;
  virtual Error WriteRow(const void* row) = 0;
  // After the last row. When it was successful, the writer is done: further calls are
  // kInvalidArgument.
  virtual Error Finish() = 0;
};

// `warnings`, where not null, gets what PictureReader::warnings() says.
GLINT_API Expected<Picture> ReadPicture(const std::string& path, const Limits& limits = {},
                                        std::vector<std::string>* warnings = nullptr);
GLINT_API Error WritePicture(const std::string& path, const Picture& picture);
// The bytes of a PNG file.
GLINT_API Expected<std::vector<uint8_t>> EncodePng(const Picture& picture);
// Bytes to a temporary file beside `path`, then renamed, where that is a stored file; and back.
GLINT_API Error WriteFile(const std::string& path, const void* data, size_t size,
                          Existing existing = Existing::kReplace);
// `check`, where there is one, sees the first bytes (64, or all) before the rest is read; its error
// ends reading and is returned.
using StartCheck = std::function<Error(const void* start, size_t size)>;
GLINT_API Expected<std::vector<uint8_t>> ReadFile(const std::string& path, uint64_t max_bytes,
                                                  const StartCheck& check = nullptr);

}  // namespace glint

#endif  // GLINT_IMAGE_IO_HPP_
