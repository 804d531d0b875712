// EncodePixels and DecodePixels: the row functions over buffers of any layout.
#include "glint/pixels.hpp"

#include <optional>
#include <string>

#include "codec/memory_limit.h"
#include "codec/public_error.h"
#include "codec/samples/pixel_rows.h"
#include "engine/status.h"

namespace glint {
namespace {

std::string SizeText(uint32_t width, uint32_t height) {
  return std::to_string(width) + " x " + std::to_string(height);
}

// The picture is blended where the layout has no place for alpha, and has 16 bits where the layout
// has room for more than 8; it holds what packing takes.
DecodeOptions OptionsFor(const PixelBuffer& pixels, const DecodeOptions& options) {
  DecodeOptions own = options;
  if (!HasAlpha(pixels.layout.format) && own.alpha == AlphaOutput::kKeep) {
    own.alpha = AlphaOutput::kBlend;
  }
  own.deep = own.deep || pixels.layout.bit_depth > 8;
  own.limits.held_memory = AddBytes(own.limits.held_memory, PixelPacker::MemoryNeeded(pixels));
  return own;
}

}  // namespace

Expected<std::vector<uint8_t>> EncodePixels(const Model& model, const ConstPixelBuffer& pixels,
                                            const Metadata& metadata, const EncodeOptions& options,
                                            Report* report) {
  return PublicCall([&]() -> Expected<std::vector<uint8_t>> {
    if (const Status wrong = CheckPixels(pixels); !wrong.ok()) return ToError(wrong);
    const PixelUnpacker unpacker(pixels);
    const RowReader read = [&](uint32_t y, void* row) {
      unpacker.Read(y, row);
      return true;
    };
    return EncodeRows(model, unpacker.info(), metadata, read, options, report);
  });
}

Error DecodePixels(const Model& model, const void* stream, size_t size, const PixelBuffer& pixels,
                   const DecodeOptions& options, Report* report) {
  return PublicCall([&]() -> Error {
    if (const Status wrong = CheckPixels(pixels); !wrong.ok()) return ToError(wrong);
    std::optional<PixelPacker> packer;
    Error refused;
    const auto start = [&](const PictureInfo& info, const Metadata&) {
      if (info.width != pixels.width || info.height != pixels.height) {
        refused = {ErrorCode::kInvalidArgument,
                   "the picture has " + SizeText(info.width, info.height) + " pixels, the buffer " +
                       SizeText(pixels.width, pixels.height)};
        return false;
      }
      packer.emplace(pixels, info);
      return true;
    };
    const RowWriter write = [&](uint32_t y, const void* row) {
      packer->Write(y, row);
      return true;
    };
    const Error error =
        DecodeRows(model, stream, size, start, write, OptionsFor(pixels, options), report);
    return refused.ok() ? error : refused;
  });
}

}  // namespace glint
