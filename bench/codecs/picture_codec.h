// A picture codec behind one face: RGB samples to the bytes of a file and back, in this process and
// without files. Glint's models and the libraries that were found at build time are such.
// Used by bench/codecs_bench.cc.
// Thread rules: a codec belongs to one thread, and does all its work there.
#ifndef GLINT_BENCH_CODECS_PICTURE_CODEC_H_
#define GLINT_BENCH_CODECS_PICTURE_CODEC_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "glint/glint.hpp"

namespace glint::bench {

class PictureCodec {
 public:
  // name: "AVIF 4:4:4, speed 6"; version: of what does the work; settings: of the codec's own
  // quality argument, from few bits to many.
  PictureCodec(std::string name, std::string version, std::vector<double> settings)
      : name_(std::move(name)), version_(std::move(version)), settings_(std::move(settings)) {}
  virtual ~PictureCodec() = default;
  PictureCodec(const PictureCodec&) = delete;
  PictureCodec& operator=(const PictureCodec&) = delete;

  const std::string& name() const { return name_; }
  const std::string& version() const { return version_; }
  const std::vector<double>& settings() const { return settings_; }

  // `picture` is 8-bit RGB; so is what Decode gives.
  virtual Expected<std::vector<uint8_t>> Encode(const Picture& picture, double setting) = 0;
  virtual Expected<Picture> Decode(const std::vector<uint8_t>& bytes) = 0;

 private:
  std::string name_, version_;
  std::vector<double> settings_;
};

using PictureCodecs = std::vector<std::unique_ptr<PictureCodec>>;

// A model with the details that `options` ask for; options.lrd is what the settings are of. One
// rate: a model of a fixed one, without details.
std::unique_ptr<PictureCodec> GlintCodec(std::string name, Model model,
                                         const EncodeOptions& options, std::vector<double> lrds);

// Those of a library; empty where it was not found at build time.
PictureCodecs JpegCodecs();  // libjpeg: 4:2:0 and 4:4:4, optimised Huffman tables
PictureCodecs WebpCodecs();  // libwebp: method 6, 4:2:0
PictureCodecs JxlCodecs();   // libjxl: effort 3 and 7
PictureCodecs AvifCodecs();  // libavif: 4:4:4, tuned for PSNR, speed 6 and 8

// An 8-bit RGB picture of black.
Picture BlackPicture(uint32_t width, uint32_t height);
// "LIBRARY: what" as an error of what a codec does with a picture.
Error CodecError(const std::string& library, const std::string& what);

}  // namespace glint::bench

#endif  // GLINT_BENCH_CODECS_PICTURE_CODEC_H_
