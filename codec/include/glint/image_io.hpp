// Picture files for tools and tests: PNG, PGM, PPM, PAM, JPEG in, by rows or whole; PSNR and
// MS-SSIM.
// Part of the public interface (C++17), separate so that products with their own files need not use
// it. Errors, ownership and threads as in glint.hpp; a reader or writer belongs to one thread at a
// time.
#ifndef GLINT_IMAGE_IO_HPP_
#define GLINT_IMAGE_IO_HPP_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "glint/glint.hpp"

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
  // For people, without the file's name: what was wrong or left out, each once, and yet a picture
  // came of it. Complete after Finish.
  virtual const std::vector<std::string>& warnings() const = 0;
  // Bytes that the reader takes at most, metadata and buffers included; from Open on. Large ones
  // are not taken before the first row. Who encodes rows of this reader says so in
  // Limits::held_memory.
  virtual uint64_t memory() const = 0;
  virtual Error ReadRow(void* row) = 0;  // the next row, info().RowBytes()
  // After the last row: checks the rest of the file (CRCs, end marker) and completes metadata().
  virtual Error Finish() = 0;
};

// Writes rows to a temporary file beside `path` that takes its name in Finish(); without Finish
// nothing stays.
class GLINT_API PictureWriter {
 public:
  // The ending says the kind: .png, .ppm, .pgm, .pam (also upper case); "-": standard output as
  // `format`.
  static Expected<std::unique_ptr<PictureWriter>> Create(const std::string& path,
                                                         const PictureInfo& info,
                                                         const Metadata& metadata,
                                                         const std::string& format = "png");
  virtual ~PictureWriter() = default;
  virtual Error WriteRow(const void* row) = 0;
  virtual Error Finish() = 0;
};

// `warnings`, where not null, gets what PictureReader::warnings() says.
GLINT_API Expected<Picture> ReadPicture(const std::string& path, const Limits& limits = {},
                                        std::vector<std::string>* warnings = nullptr);
GLINT_API Error WritePicture(const std::string& path, const Picture& picture);
// Bytes to a temporary file beside `path`, then renamed ("-": standard output); and back.
GLINT_API Error WriteFile(const std::string& path, const void* data, size_t size);
GLINT_API Expected<std::vector<uint8_t>> ReadFile(const std::string& path, uint64_t max_bytes);

// The same picture as 8-bit RGB (gray repeated, depth scaled and rounded), for metrics. Alpha is
// left out and not looked at: Flatten it first where there may be one.
GLINT_API Picture ToRgb8(const Picture& picture);
// The same picture blended over a background, as DecodeOptions::background says; without alpha, and
// with 8 bits at most. A picture without alpha comes back as it is. Without samples when `picture`
// lacks some or memory runs out.
GLINT_API Picture Flatten(const Picture& picture, const Rgb8& background);
// dB over all RGB samples of two 8-bit RGB pictures of the same size; infinity when they are equal.
GLINT_API double PsnrRgb(const Picture& a, const Picture& b);
// PsnrRgb of a picture of any form and of what a stream of it decodes to, in whatever form that
// is, as ToRgb8 has them. Where the original has alpha: as they are seen, which is blended over
// middle gray, and over those pixels alone whose alpha is not 0. NaN when sizes differ, samples are
// missing, or memory runs out.
GLINT_API double PsnrAsSeen(const Picture& original, const Picture& decoded);
// 5-scale MS-SSIM (Wang 2003) with pytorch_msssim's borders and weights, mean over channels.
// Nothing when the smaller side is at most 160 pixels.
GLINT_API std::optional<double> MsSsimRgb(const Picture& a, const Picture& b);

}  // namespace glint

#endif  // GLINT_IMAGE_IO_HPP_
