// Glint's models as picture codecs.
#include <utility>

#include "bench/codecs/picture_codec.h"

namespace glint::bench {
namespace {

class Glint final : public PictureCodec {
 public:
  Glint(std::string name, Model model, EncodeOptions options, std::vector<double> lrds)
      : PictureCodec(std::move(name),
                     std::string("Glint ") + Version() + ", model " + model.info().id,
                     std::move(lrds)),
        model_(std::move(model)),
        options_(std::move(options)) {}

  Expected<std::vector<uint8_t>> Encode(const Picture& picture, double setting) override {
    options_.lrd = setting;
    return glint::Encode(model_, picture, options_);
  }

  Expected<Picture> Decode(const std::vector<uint8_t>& bytes) override {
    return glint::Decode(model_, bytes.data(), bytes.size());
  }

 private:
  Model model_;
  EncodeOptions options_;
};

}  // namespace

std::unique_ptr<PictureCodec> GlintCodec(std::string name, Model model,
                                         const EncodeOptions& options, std::vector<double> lrds) {
  return std::make_unique<Glint>(std::move(name), std::move(model), options, std::move(lrds));
}

}  // namespace glint::bench
