#include "codec/samples/pixel_rows.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>

namespace glint {
namespace {

bool IsYuv(PixelFormat format) { return format >= PixelFormat::kYuv444; }

// Where the samples of an interleaved pixel lie.
struct Places {
  size_t samples = 3, r = 0, g = 1, b = 2;
};
Places PlacesOf(PixelFormat format) {
  switch (format) {
    case PixelFormat::kGray:
      return {1, 0, 0, 0};
    case PixelFormat::kBgr:
      return {3, 2, 1, 0};
    case PixelFormat::kRgba:
    case PixelFormat::kRgbx:
      return {4, 0, 1, 2};
    case PixelFormat::kBgra:
    case PixelFormat::kBgrx:
      return {4, 2, 1, 0};
    default:
      return {};
  }
}

size_t SampleBytes(const PixelLayout& layout) { return layout.bit_depth > 8 ? 2 : 1; }
int32_t TopOf(uint32_t bit_depth) { return (1 << bit_depth) - 1; }

// Of U and V.
uint32_t Halved(uint32_t side) { return side / 2 + side % 2; }

size_t Planes(PixelFormat format) { return IsYuv(format) ? 3 : 1; }

template <typename Buffer>
uint64_t PlaneRowBytes(const Buffer& pixels, size_t plane) {
  const PixelFormat format = pixels.layout.format;
  const bool halved = format == PixelFormat::kYuv420 && plane > 0;
  const uint64_t columns = halved ? Halved(pixels.width) : pixels.width;
  return columns * (IsYuv(format) ? 1 : PlacesOf(format).samples) * SampleBytes(pixels.layout);
}

Status Invalid(const std::string& what) {
  return Status::Error(StatusCode::kInvalidArgument, what);
}

template <typename Buffer>
Status CheckBuffer(const Buffer& pixels) {
  const PixelLayout& layout = pixels.layout;
  if (layout.format > PixelFormat::kYuv420) {
    return Invalid("there is no pixel format " +
                   std::to_string(static_cast<uint32_t>(layout.format)));
  }
  if (layout.matrix > YuvMatrix::kBt709 || layout.range > YuvRange::kLimited) {
    return Invalid("matrix is neither kBt601 nor kBt709, or range neither kFull nor kLimited");
  }
  const uint32_t depth = layout.bit_depth;
  const bool is_deep_yuv = IsYuv(layout.format) && (depth == 10 || depth == 12);
  if (depth != 8 && depth != 16 && !is_deep_yuv) {
    return Invalid("pixels of bit depth " + std::to_string(depth) + " in this format");
  }
  for (size_t p = 0; p < Planes(layout.format); ++p) {
    const auto& plane = pixels.planes[p];
    if (plane.data == nullptr) return Invalid("plane " + std::to_string(p) + " is missing");
    const auto stride = static_cast<uint64_t>(plane.stride);
    const uint64_t apart = plane.stride < 0 ? 0 - stride : stride;
    const uint64_t row = PlaneRowBytes(pixels, p);
    if (apart != 0 && apart < row) {
      return Invalid("plane " + std::to_string(p) + " has rows of " + std::to_string(row) +
                     " bytes, " + std::to_string(apart) + " bytes apart");
    }
  }
  return Status::Ok();
}

template <typename Buffer>
auto* RowOf(const Buffer& pixels, size_t plane, uint32_t y) {
  using Byte =
      std::conditional_t<std::is_const_v<std::remove_pointer_t<decltype(pixels.planes[0].data)>>,
                         const uint8_t, uint8_t>;
  const auto& of = pixels.planes[plane];
  const auto stride =
      of.stride != 0 ? int64_t{of.stride} : static_cast<int64_t>(PlaneRowBytes(pixels, plane));
  return static_cast<Byte*>(of.data) + static_cast<ptrdiff_t>(stride * int64_t{y});
}

// Sample number `index` at any address.
template <typename Sample>
int32_t Load(const uint8_t* row, size_t index) {
  Sample sample;
  std::memcpy(&sample, row + index * sizeof(Sample), sizeof(Sample));
  return sample;
}
template <typename Sample>
void Store(int32_t value, uint8_t* row, size_t index) {
  const auto sample = static_cast<Sample>(value);
  std::memcpy(row + index * sizeof(Sample), &sample, sizeof(Sample));
}

// The nearest level of another depth.
int32_t Scaled(int32_t level, int32_t top, int32_t out_top) {
  return top == out_top ? level : static_cast<int32_t>((int64_t{level} * out_top + top / 2) / top);
}

PixelLayout FullRange(PixelLayout layout) {
  if (!IsYuv(layout.format)) layout.range = YuvRange::kFull;
  return layout;
}

}  // namespace

Status CheckPixels(const ConstPixelBuffer& pixels) { return CheckBuffer(pixels); }
Status CheckPixels(const PixelBuffer& pixels) { return CheckBuffer(pixels); }

bool HasAlpha(PixelFormat format) {
  return format == PixelFormat::kRgba || format == PixelFormat::kBgra;
}

// ---- reading -----------------------------------------------------------------------------------

PixelUnpacker::PixelUnpacker(const ConstPixelBuffer& pixels) : pixels_(pixels) {
  const PixelLayout& layout = pixels.layout;
  info_.width = pixels.width;
  info_.height = pixels.height;
  info_.channels = layout.format == PixelFormat::kGray ? 1 : 3;
  info_.has_alpha = HasAlpha(layout.format);
  info_.bit_depth = layout.bit_depth > 8 ? 16 : 8;
  if (IsYuv(layout.format)) yuv_.emplace(layout, TopOf(info_.bit_depth));
}

void PixelUnpacker::Read(uint32_t y, void* row) const {
  auto* const to = static_cast<uint8_t*>(row);
  const bool deep = SampleBytes(pixels_.layout) == 2;
  if (yuv_) return deep ? ReadYuv<uint16_t>(y, to) : ReadYuv<uint8_t>(y, to);
  const uint8_t* const from = RowOf(pixels_, 0, y);
  return deep ? ReadInterleaved<uint16_t>(from, to) : ReadInterleaved<uint8_t>(from, to);
}

template <typename Sample>
void PixelUnpacker::ReadInterleaved(const uint8_t* from, uint8_t* row) const {
  const Places places = PlacesOf(pixels_.layout.format);
  const size_t samples = info_.SamplesPerPixel();
  if (samples == places.samples && places.r == 0) {
    std::memcpy(row, from, info_.RowBytes());
    return;
  }
  for (size_t x = 0; x < info_.width; ++x) {
    const size_t at = x * places.samples, to = x * samples;
    Store<Sample>(Load<Sample>(from, at + places.r), row, to);
    Store<Sample>(Load<Sample>(from, at + places.g), row, to + 1);
    Store<Sample>(Load<Sample>(from, at + places.b), row, to + 2);
    if (info_.has_alpha) Store<Sample>(Load<Sample>(from, at + 3), row, to + 3);
  }
}

template <typename Sample>
void PixelUnpacker::ReadYuv(uint32_t y, uint8_t* row) const {
  const auto store = [&](const Rgb& c, size_t x) {
    Store<Sample>(c.r, row, 3 * x);
    Store<Sample>(c.g, row, 3 * x + 1);
    Store<Sample>(c.b, row, 3 * x + 2);
  };
  const uint8_t* const luma = RowOf(pixels_, 0, y);
  if (pixels_.layout.format == PixelFormat::kYuv444) {
    const uint8_t *const u = RowOf(pixels_, 1, y), *const v = RowOf(pixels_, 2, y);
    for (size_t x = 0; x < info_.width; ++x) {
      const Yuv c{Load<Sample>(luma, x), Load<Sample>(u, x), Load<Sample>(v, x)};
      store(yuv_->ToRgb(c, 0), x);
    }
    return;
  }
  // The nearest of U and V counts three quarters in either direction, the next one a quarter.
  const auto next = [](size_t at, size_t count) {
    const size_t near = at / 2;
    return at % 2 != 0 ? std::min(near + 1, count - 1) : near - std::min<size_t>(near, 1);
  };
  const uint32_t near_row = y / 2;
  const auto next_row = static_cast<uint32_t>(next(y, Halved(info_.height)));
  const uint8_t* const rows[2][2] = {{RowOf(pixels_, 1, near_row), RowOf(pixels_, 1, next_row)},
                                     {RowOf(pixels_, 2, near_row), RowOf(pixels_, 2, next_row)}};
  for (size_t x = 0; x < info_.width; ++x) {
    const size_t near = x / 2, other = next(x, Halved(info_.width));
    const auto chroma = [&](const uint8_t* const(&of)[2]) {
      return 9 * Load<Sample>(of[0], near) + 3 * Load<Sample>(of[0], other) +
             3 * Load<Sample>(of[1], near) + Load<Sample>(of[1], other);
    };
    store(yuv_->ToRgb({Load<Sample>(luma, x), chroma(rows[0]), chroma(rows[1])}, 4), x);
  }
}

// ---- writing -----------------------------------------------------------------------------------

PixelPacker::PixelPacker(const PixelBuffer& pixels, const PictureInfo& info)
    : pixels_(pixels),
      info_(info),
      yuv_(FullRange(pixels.layout), TopOf(info.bit_depth)),
      above_(static_cast<size_t>(MemoryNeeded(pixels))) {}

uint64_t PixelPacker::MemoryNeeded(const PixelBuffer& pixels) {
  constexpr uint64_t kMostPixelBytes = 6;  // three samples of 16 bits
  return pixels.layout.format == PixelFormat::kYuv420 ? kMostPixelBytes * pixels.width : 0;
}

void PixelPacker::Write(uint32_t y, const void* row) {
  const auto* const from = static_cast<const uint8_t*>(row);
  const bool deep = SampleBytes(pixels_.layout) == 2;
  if (info_.SampleBytes() == 2) {
    deep ? WriteRow<uint16_t, uint16_t>(y, from) : WriteRow<uint16_t, uint8_t>(y, from);
  } else {
    deep ? WriteRow<uint8_t, uint16_t>(y, from) : WriteRow<uint8_t, uint8_t>(y, from);
  }
}

template <typename In, typename Out>
void PixelPacker::WriteRow(uint32_t y, const uint8_t* row) {
  if (IsYuv(pixels_.layout.format)) return WriteYuv<In, Out>(y, row);
  WriteInterleaved<In, Out>(y, row);
}

template <typename In>
Rgb PixelPacker::Colour(const uint8_t* row, size_t x) const {
  const size_t at = x * info_.SamplesPerPixel();
  const int32_t first = Load<In>(row, at);
  if (info_.channels == 1) return {first, first, first};
  return {first, Load<In>(row, at + 1), Load<In>(row, at + 2)};
}

template <typename In, typename Out>
void PixelPacker::WriteInterleaved(uint32_t y, const uint8_t* row) {
  uint8_t* const to = RowOf(pixels_, 0, y);
  const Places places = PlacesOf(pixels_.layout.format);
  const int32_t top = TopOf(info_.bit_depth), out_top = TopOf(pixels_.layout.bit_depth);
  const bool as_it_is = top == out_top && places.r == 0 &&
                        info_.channels == std::min<size_t>(places.samples, 3) &&
                        info_.SamplesPerPixel() == places.samples;
  if (as_it_is) {
    std::memcpy(to, row, info_.RowBytes());
    return;
  }
  for (size_t x = 0; x < info_.width; ++x) {
    const Rgb c = Colour<In>(row, x);
    const size_t at = x * places.samples;
    if (places.samples == 1) {
      Store<Out>(info_.channels == 1 ? Scaled(c.r, top, out_top) : yuv_.Y(c), to, at);
      continue;
    }
    Store<Out>(Scaled(c.r, top, out_top), to, at + places.r);
    Store<Out>(Scaled(c.g, top, out_top), to, at + places.g);
    Store<Out>(Scaled(c.b, top, out_top), to, at + places.b);
    if (places.samples < 4) continue;
    const int32_t alpha =
        info_.has_alpha ? Load<In>(row, x * info_.SamplesPerPixel() + info_.channels) : top;
    Store<Out>(Scaled(alpha, top, out_top), to, at + 3);
  }
}

template <typename In, typename Out>
void PixelPacker::WriteYuv(uint32_t y, const uint8_t* row) {
  uint8_t* const luma = RowOf(pixels_, 0, y);
  for (size_t x = 0; x < info_.width; ++x) Store<Out>(yuv_.Y(Colour<In>(row, x)), luma, x);
  if (pixels_.layout.format == PixelFormat::kYuv444) {
    uint8_t *const u = RowOf(pixels_, 1, y), *const v = RowOf(pixels_, 2, y);
    for (size_t x = 0; x < info_.width; ++x) {
      const Rgb c = Colour<In>(row, x);
      Store<Out>(yuv_.U(c, 0), u, x);
      Store<Out>(yuv_.V(c, 0), v, x);
    }
    return;
  }
  const bool is_last = y + 1 == info_.height;
  if (y % 2 == 0 && !is_last) {
    std::memcpy(above_.data(), row, info_.RowBytes());
    return;
  }
  const uint8_t* const above = y % 2 == 0 ? row : above_.data();
  uint8_t *const u = RowOf(pixels_, 1, y / 2), *const v = RowOf(pixels_, 2, y / 2);
  for (size_t at = 0; at < Halved(info_.width); ++at) {
    const size_t x = 2 * at, right = std::min<size_t>(x + 1, info_.width - 1);
    Rgb sum;
    for (const Rgb& c : {Colour<In>(above, x), Colour<In>(above, right), Colour<In>(row, x),
                         Colour<In>(row, right)}) {
      sum.r += c.r;
      sum.g += c.g;
      sum.b += c.b;
    }
    Store<Out>(yuv_.U(sum, 2), u, at);
    Store<Out>(yuv_.V(sum, 2), v, at);
  }
}

}  // namespace glint
