// Pixels in buffers of any layout, against formulas in float64, and both interfaces to them.
#include "glint/pixels.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "codec/samples/pixel_rows.h"
#include "tests/c_api_helpers.h"
#include "tests/codec_helpers.h"
#include "tests/draws.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::Bytes;
using testing::Draws;
using testing::Tiny;

constexpr PixelFormat kInterleaved[] = {PixelFormat::kGray, PixelFormat::kRgb,  PixelFormat::kBgr,
                                        PixelFormat::kRgba, PixelFormat::kBgra, PixelFormat::kRgbx,
                                        PixelFormat::kBgrx};
constexpr uint8_t kGap = 0xA5;

bool IsYuv(PixelFormat format) {
  return format == PixelFormat::kYuv444 || format == PixelFormat::kYuv420;
}
size_t SamplesOf(PixelFormat format) {
  if (format == PixelFormat::kGray || IsYuv(format)) return 1;
  return format == PixelFormat::kRgb || format == PixelFormat::kBgr ? 3 : 4;
}

// Memory for a buffer: rows with gaps, upside down, at any address.
class Memory {
 public:
  Memory(const PixelLayout& layout, uint32_t width, uint32_t height, Draws* draws) {
    buffer_.layout = layout;
    buffer_.width = width;
    buffer_.height = height;
    for (size_t p = 0; p < (IsYuv(layout.format) ? 3 : 1); ++p) {
      Plane& plane = planes_[p];
      const bool halved = layout.format == PixelFormat::kYuv420 && p > 0;
      plane.columns = (halved ? (width + 1) / 2 : width) * SamplesOf(layout.format);
      plane.rows = halved ? (height + 1) / 2 : height;
      const size_t row_bytes = plane.columns * SampleBytes();
      const bool packed = draws->Percent(30);
      plane.apart = row_bytes + (packed ? 0 : static_cast<size_t>(draws->Whole(0, 9)));
      plane.upside_down = !packed && draws->Percent(40);
      plane.first = static_cast<size_t>(draws->Whole(0, 3));
      plane.bytes.assign(plane.first + plane.apart * plane.rows, kGap);
      buffer_.planes[p].data = Row(p, 0);
      buffer_.planes[p].stride = packed              ? 0
                                 : plane.upside_down ? -static_cast<ptrdiff_t>(plane.apart)
                                                     : static_cast<ptrdiff_t>(plane.apart);
    }
  }

  void Fill(Draws* draws) {
    for (size_t p = 0; p < 3; ++p) {
      for (size_t y = 0; y < planes_[p].rows; ++y) {
        for (size_t i = 0; i < planes_[p].columns; ++i) {
          Set(p, i, y, static_cast<int>(draws->Seed() % (Top() + 1)));
        }
      }
    }
  }

  int At(size_t plane, size_t i, size_t y) const {
    const uint8_t* from = const_cast<Memory*>(this)->Row(plane, y) + i * SampleBytes();
    if (SampleBytes() == 1) return *from;
    uint16_t value = 0;
    std::memcpy(&value, from, sizeof(value));
    return value;
  }
  void Set(size_t plane, size_t i, size_t y, int value) {
    const auto sample = static_cast<uint16_t>(value);
    const auto byte = static_cast<uint8_t>(value);
    std::memcpy(Row(plane, y) + i * SampleBytes(),
                SampleBytes() == 1 ? static_cast<const void*>(&byte) : &sample, SampleBytes());
  }

  // Whether every byte that is no sample is what it was.
  bool GapsAreWhole() const {
    for (const Plane& plane : planes_) {
      const size_t row_bytes = plane.columns * SampleBytes();
      for (size_t i = 0; i < plane.bytes.size(); ++i) {
        const bool is_sample = i >= plane.first && (i - plane.first) % plane.apart < row_bytes;
        if (!is_sample && plane.bytes[i] != kGap) return false;
      }
    }
    return true;
  }

  uint32_t Top() const { return (1U << buffer_.layout.bit_depth) - 1; }
  const PixelBuffer& buffer() const { return buffer_; }
  ConstPixelBuffer source() const {
    ConstPixelBuffer source;
    source.layout = buffer_.layout;
    source.width = buffer_.width;
    source.height = buffer_.height;
    for (size_t p = 0; p < 3; ++p) {
      source.planes[p] = {buffer_.planes[p].data, buffer_.planes[p].stride};
    }
    return source;
  }
  size_t columns(size_t plane) const { return planes_[plane].columns; }
  size_t rows(size_t plane) const { return planes_[plane].rows; }

 private:
  struct Plane {
    size_t columns = 0, rows = 0, apart = 1, first = 0;
    bool upside_down = false;
    Bytes bytes;
  };
  size_t SampleBytes() const { return buffer_.layout.bit_depth > 8 ? 2 : 1; }
  uint8_t* Row(size_t plane, size_t y) {
    Plane& of = planes_[plane];
    return of.bytes.data() + of.first + of.apart * (of.upside_down ? of.rows - 1 - y : y);
  }

  PixelBuffer buffer_;
  Plane planes_[3];
};

PixelLayout DrawLayout(PixelFormat format, Draws* draws) {
  PixelLayout layout;
  layout.format = format;
  layout.bit_depth =
      static_cast<uint32_t>(IsYuv(format) ? draws->Of({8, 8, 10, 12, 16}) : draws->Of({8, 8, 16}));
  layout.matrix = draws->Percent(50) ? YuvMatrix::kBt601 : YuvMatrix::kBt709;
  layout.range = draws->Percent(50) ? YuvRange::kFull : YuvRange::kLimited;
  return layout;
}

// The numbers of glint/pixels.hpp.
struct Formula {
  explicit Formula(const PixelLayout& layout)
      : kr(layout.matrix == YuvMatrix::kBt601 ? 0.299 : 0.2126),
        kb(layout.matrix == YuvMatrix::kBt601 ? 0.114 : 0.0722) {
    const double unit = std::exp2(layout.bit_depth - 8.0), top = 256 * unit - 1;
    const bool limited = layout.range == YuvRange::kLimited;
    black = limited ? 16 * unit : 0;
    luma = limited ? 219 * unit : top;
    chroma = limited ? 224 * unit : top;
    middle = 128 * unit;
  }
  double kr, kb, black, luma, chroma, middle;

  // Colours are 0..1.
  void ToYuv(const double (&rgb)[3], double (&yuv)[3]) const {
    const double y = kr * rgb[0] + (1 - kr - kb) * rgb[1] + kb * rgb[2];
    yuv[0] = black + luma * y;
    yuv[1] = middle + chroma * (rgb[2] - y) / (2 - 2 * kb);
    yuv[2] = middle + chroma * (rgb[0] - y) / (2 - 2 * kr);
  }
  void ToRgb(const double (&yuv)[3], double (&rgb)[3]) const {
    const double y = (yuv[0] - black) / luma;
    rgb[2] = y + (yuv[1] - middle) / chroma * (2 - 2 * kb);
    rgb[0] = y + (yuv[2] - middle) / chroma * (2 - 2 * kr);
    rgb[1] = (y - kr * rgb[0] - kb * rgb[2]) / (1 - kr - kb);
  }
};

// U or V at a pixel, from planes of half the size.
double Interpolated(const Memory& memory, size_t plane, size_t x, size_t y) {
  const auto place = [](size_t at, size_t count, size_t(&cells)[2]) {
    const double centre = (static_cast<double>(at) + 0.5) / 2 - 0.5;
    const double low = std::floor(centre);
    const auto within = [&](double cell) {
      return static_cast<size_t>(std::clamp(cell, 0.0, static_cast<double>(count - 1)));
    };
    cells[0] = within(low);
    cells[1] = within(low + 1);
    return centre - low;
  };
  size_t columns[2], rows[2];
  const double right = place(x, memory.columns(plane), columns);
  const double below = place(y, memory.rows(plane), rows);
  double sum = 0;
  for (int j = 0; j < 2; ++j) {
    for (int i = 0; i < 2; ++i) {
      sum += memory.At(plane, columns[i], rows[j]) * (i == 0 ? 1 - right : right) *
             (j == 0 ? 1 - below : below);
    }
  }
  return sum;
}

int SampleOf(const Picture& picture, size_t x, size_t y, size_t channel) {
  const size_t at = (y * picture.info.width + x) * picture.info.SamplesPerPixel() + channel;
  if (picture.info.SampleBytes() == 1) return picture.samples[at];
  uint16_t value = 0;
  std::memcpy(&value, picture.samples.data() + 2 * at, sizeof(value));
  return value;
}

Picture Unpacked(const ConstPixelBuffer& source) {
  REQUIRE(CheckPixels(source).ok());
  const PixelUnpacker unpacker(source);
  Picture picture;
  picture.info = unpacker.info();
  picture.samples.resize(picture.info.RowBytes() * picture.info.height);
  for (uint32_t y = 0; y < picture.info.height; ++y) {
    unpacker.Read(y, picture.samples.data() + y * picture.info.RowBytes());
  }
  return picture;
}

void Pack(const Picture& picture, const PixelBuffer& buffer) {
  REQUIRE(CheckPixels(buffer).ok());
  PixelPacker packer(buffer, picture.info);
  for (uint32_t y = 0; y < picture.info.height; ++y) {
    packer.Write(y, picture.samples.data() + y * picture.info.RowBytes());
  }
}

// Where R, G, B and A lie in an interleaved pixel; -1: nowhere.
struct Order {
  explicit Order(PixelFormat format) {
    const bool turned =
        format == PixelFormat::kBgr || format == PixelFormat::kBgra || format == PixelFormat::kBgrx;
    if (turned) std::swap(places[0], places[2]);
    if (format == PixelFormat::kGray) places[1] = places[2] = 0;
    if (SamplesOf(format) == 4) places[3] = 3;
  }
  int places[4] = {0, 1, 2, -1};
};

constexpr double kNearest = 0.5 + 1e-4;

}  // namespace

TEST_CASE("pixels: interleaved samples are read in their order") {
  Draws draws({TestSeed(), 1});
  for (size_t i = 0; i < 200; ++i) {
    const PixelFormat format = kInterleaved[i % std::size(kInterleaved)];
    Memory memory(DrawLayout(format, &draws), static_cast<uint32_t>(draws.Whole(1, 20)),
                  static_cast<uint32_t>(draws.Whole(1, 9)), &draws);
    memory.Fill(&draws);
    const Picture picture = Unpacked(memory.source());
    CHECK(picture.info.channels == (format == PixelFormat::kGray ? 1 : 3));
    CHECK(picture.info.has_alpha == HasAlpha(format));
    CHECK(picture.info.bit_depth == memory.buffer().layout.bit_depth);
    const Order order(format);
    for (size_t y = 0; y < picture.info.height; ++y) {
      for (size_t x = 0; x < picture.info.width; ++x) {
        const size_t samples = picture.info.SamplesPerPixel();
        for (size_t c = 0; c < samples; ++c) {
          const auto place = static_cast<size_t>(order.places[samples == 1 ? 0 : c]);
          REQUIRE(SampleOf(picture, x, y, c) == memory.At(0, x * SamplesOf(format) + place, y));
        }
      }
    }
  }
}

TEST_CASE("pixels: YUV is read to the nearest level of its formula") {
  Draws draws({TestSeed(), 2});
  for (int i = 0; i < 200; ++i) {
    const PixelFormat format = i % 2 == 0 ? PixelFormat::kYuv444 : PixelFormat::kYuv420;
    const PixelLayout layout = DrawLayout(format, &draws);
    Memory memory(layout, static_cast<uint32_t>(draws.Whole(1, 20)),
                  static_cast<uint32_t>(draws.Whole(1, 9)), &draws);
    memory.Fill(&draws);
    const Picture picture = Unpacked(memory.source());
    CHECK(picture.info.bit_depth == (layout.bit_depth > 8 ? 16 : 8));
    const double top = std::exp2(picture.info.bit_depth) - 1;
    const Formula formula(layout);
    for (size_t y = 0; y < picture.info.height; ++y) {
      for (size_t x = 0; x < picture.info.width; ++x) {
        const auto chroma = [&](size_t plane) {
          return format == PixelFormat::kYuv444 ? memory.At(plane, x, y)
                                                : Interpolated(memory, plane, x, y);
        };
        const double yuv[3] = {1.0 * memory.At(0, x, y), chroma(1), chroma(2)};
        double rgb[3];
        formula.ToRgb(yuv, rgb);
        for (size_t c = 0; c < 3; ++c) {
          const double wanted = top * std::clamp(rgb[c], 0.0, 1.0);
          REQUIRE(std::abs(SampleOf(picture, x, y, c) - wanted) <= kNearest);
        }
      }
    }
  }
}

TEST_CASE("pixels: all layouts are written to the nearest level, and nothing between rows") {
  Draws draws({TestSeed(), 3});
  std::mt19937 random(TestSeed() + 3);
  for (int i = 0; i < 400; ++i) {
    const auto format = static_cast<PixelFormat>(i % 9);
    const PixelLayout layout = DrawLayout(format, &draws);
    const bool gray = draws.Percent(40);
    const auto depth = static_cast<uint32_t>(gray ? draws.Of({1, 2, 4, 8, 16}) : draws.Of({8, 16}));
    const bool alpha = HasAlpha(format) && draws.Percent(50);
    const Picture picture = RandomPicture(
        MakeInfo(static_cast<uint32_t>(draws.Whole(1, 20)),
                 static_cast<uint32_t>(draws.Whole(1, 9)), gray ? 1 : 3, alpha, depth),
        &random);
    const PictureInfo& info = picture.info;
    Memory memory(layout, info.width, info.height, &draws);
    Pack(picture, memory.buffer());
    CHECK(memory.GapsAreWhole());

    const double in_top = std::exp2(info.bit_depth) - 1, out_top = memory.Top();
    const auto colour = [&](size_t x, size_t y, double(&rgb)[3]) {
      for (size_t c = 0; c < 3; ++c) rgb[c] = SampleOf(picture, x, y, gray ? 0 : c) / in_top;
    };
    PixelLayout full = layout;
    full.range = YuvRange::kFull;
    const Formula formula(IsYuv(format) ? layout : full);
    const Order order(format);
    for (size_t y = 0; y < info.height; ++y) {
      for (size_t x = 0; x < info.width; ++x) {
        double rgb[3], yuv[3];
        colour(x, y, rgb);
        formula.ToYuv(rgb, yuv);
        if (IsYuv(format) || format == PixelFormat::kGray) {
          REQUIRE(std::abs(memory.At(0, x, y) - yuv[0]) <= kNearest);
        }
        if (format == PixelFormat::kYuv444) {
          REQUIRE(std::abs(memory.At(1, x, y) - std::min(yuv[1], out_top)) <= kNearest);
          REQUIRE(std::abs(memory.At(2, x, y) - std::min(yuv[2], out_top)) <= kNearest);
        }
        if (SamplesOf(format) == 1) continue;
        for (size_t c = 0; c < 4; ++c) {
          if (order.places[c] < 0) continue;
          const size_t at = SamplesOf(format) * x + static_cast<size_t>(order.places[c]);
          const double opaque =
              alpha && c == 3 ? SampleOf(picture, x, y, gray ? 1 : 3) / in_top : 1;
          const double wanted = out_top * (c == 3 ? opaque : rgb[c]);
          REQUIRE(std::abs(memory.At(0, at, y) - wanted) <= kNearest);
        }
      }
    }
    if (format != PixelFormat::kYuv420) continue;
    for (size_t y = 0; y < memory.rows(1); ++y) {
      for (size_t x = 0; x < memory.columns(1); ++x) {
        double mean[3] = {}, yuv[3];
        for (size_t k = 0; k < 4; ++k) {
          double rgb[3];
          colour(std::min<size_t>(2 * x + k % 2, info.width - 1),
                 std::min<size_t>(2 * y + k / 2, info.height - 1), rgb);
          for (size_t c = 0; c < 3; ++c) mean[c] += rgb[c] / 4;
        }
        formula.ToYuv(mean, yuv);
        REQUIRE(std::abs(memory.At(1, x, y) - std::min(yuv[1], out_top)) <= kNearest);
        REQUIRE(std::abs(memory.At(2, x, y) - std::min(yuv[2], out_top)) <= kNearest);
      }
    }
  }
}

TEST_CASE("pixels: gray has no colour, whatever the matrix, range and depth") {
  Draws draws({TestSeed(), 4});
  for (int i = 0; i < 40; ++i) {
    const PixelLayout layout = DrawLayout(PixelFormat::kYuv420, &draws);
    Memory memory(layout, 32, 8, &draws);
    Picture picture;
    picture.info = MakeInfo(32, 8, 3, false, 8);
    for (size_t p = 0; p < 256; ++p)
      picture.samples.insert(picture.samples.end(), 3, static_cast<uint8_t>(p));
    // Blocks of four have one level.
    for (size_t p = 0; p < 256; ++p) {
      const size_t block = (p / 64) * 64 + p % 32 / 2 * 2;
      std::fill_n(picture.samples.begin() + static_cast<ptrdiff_t>(3 * p), 3,
                  static_cast<uint8_t>(block));
    }
    Pack(picture, memory.buffer());
    const int middle = 1 << (layout.bit_depth - 1);
    for (size_t y = 0; y < 4; ++y) {
      for (size_t x = 0; x < 16; ++x) {
        REQUIRE(memory.At(1, x, y) == middle);
        REQUIRE(memory.At(2, x, y) == middle);
      }
    }
    const Picture back = Unpacked(memory.source());
    for (size_t y = 0; y < 8; ++y) {
      for (size_t x = 0; x < 32; ++x) {
        REQUIRE(SampleOf(back, x, y, 0) == SampleOf(back, x, y, 1));
        REQUIRE(SampleOf(back, x, y, 0) == SampleOf(back, x, y, 2));
      }
    }
  }
}

TEST_CASE("pixels: streams and pictures are those of Encode and Decode, in C as in C++") {
  Draws draws({TestSeed(), 5});
  for (int i = 0; i < 18; ++i) {
    const auto format = static_cast<PixelFormat>(i % 9);
    CAPTURE(i);
    const auto width = static_cast<uint32_t>(draws.Whole(1, 70));
    const auto height = static_cast<uint32_t>(draws.Whole(1, 70));
    Memory memory(DrawLayout(format, &draws), width, height, &draws);
    memory.Fill(&draws);
    const Metadata metadata = testing::SomeMetadata();
    const auto stream = EncodePixels(Tiny().cpp, memory.source(), metadata);
    REQUIRE(stream.ok());
    Picture picture = Unpacked(memory.source());
    picture.metadata = metadata;
    CHECK(*stream == testing::MustEncode(Tiny().cpp, picture));

    const auto out_format = static_cast<PixelFormat>(draws.Whole(0, 8));
    Memory out(DrawLayout(out_format, &draws), width, height, &draws);
    REQUIRE(DecodePixels(Tiny().cpp, stream->data(), stream->size(), out.buffer()).ok());
    DecodeOptions decode;
    if (!HasAlpha(out_format)) decode.alpha = AlphaOutput::kBlend;
    decode.deep = out.buffer().layout.bit_depth > 8;
    const Picture decoded = testing::MustDecode(Tiny().cpp, *stream, decode);
    Memory by_hand(out.buffer().layout, width, height, &draws);
    Pack(decoded, by_hand.buffer());
    for (size_t p = 0; p < 3; ++p) {
      for (size_t y = 0; y < out.rows(p); ++y) {
        for (size_t x = 0; x < out.columns(p); ++x) REQUIRE(out.At(p, x, y) == by_hand.At(p, x, y));
      }
    }

    const auto in_c = [](const PixelBuffer& from) {
      glint_pixels pixels;
      REQUIRE(glint_pixels_init(&pixels, sizeof(pixels)) == GLINT_OK);
      pixels.format = static_cast<uint32_t>(from.layout.format);
      pixels.bit_depth = from.layout.bit_depth;
      pixels.matrix = static_cast<uint32_t>(from.layout.matrix);
      pixels.range = static_cast<uint32_t>(from.layout.range);
      pixels.width = from.width;
      pixels.height = from.height;
      for (size_t p = 0; p < 3; ++p) {
        pixels.planes[p] = from.planes[p].data;
        pixels.strides[p] = from.planes[p].stride;
      }
      return pixels;
    };
    const glint_pixels source = in_c(memory.buffer());
    const auto c_metadata = testing::InC(metadata);
    uint8_t* bytes = nullptr;
    size_t size = 0;
    REQUIRE(glint_encode_pixels(Tiny().c.get(), &source, c_metadata.get(), nullptr, &bytes, &size,
                                nullptr) == GLINT_OK);
    CHECK(testing::Taken(bytes, size) == *stream);
    Memory again(out.buffer().layout, width, height, &draws);
    const glint_pixels target = in_c(again.buffer());
    REQUIRE(glint_decode_pixels(Tiny().c.get(), stream->data(), stream->size(), nullptr, &target,
                                nullptr) == GLINT_OK);
    CHECK(again.GapsAreWhole());
    for (size_t p = 0; p < 3; ++p) {
      for (size_t y = 0; y < out.rows(p); ++y) {
        for (size_t x = 0; x < out.columns(p); ++x) REQUIRE(out.At(p, x, y) == again.At(p, x, y));
      }
    }
  }
}

TEST_CASE("pixels: what hides behind alpha stays hidden in layouts without it") {
  Picture picture;
  picture.info = MakeInfo(40, 40, 3, true, 8);
  for (size_t p = 0; p < 1600; ++p) {
    const uint8_t clear[4] = {200, 10, 10, 0};
    picture.samples.insert(picture.samples.end(), clear, clear + 4);
  }
  EncodeOptions options;
  options.lossless = true;
  const Bytes stream = testing::MustEncode(Tiny().cpp, picture, options);
  PixelBuffer buffer;
  Bytes samples(3 * 1600);
  buffer.width = buffer.height = 40;
  buffer.planes[0].data = samples.data();
  DecodeOptions decode;
  decode.background = {1, 2, 3};
  REQUIRE(DecodePixels(Tiny().cpp, stream.data(), stream.size(), buffer, decode).ok());
  CHECK(samples[0] == 1);
  CHECK(samples[4799] == 3);
  decode.alpha = AlphaOutput::kDrop;
  REQUIRE(DecodePixels(Tiny().cpp, stream.data(), stream.size(), buffer, decode).ok());
  CHECK(samples[0] == 200);
  CHECK(samples[4799] == 10);
}

TEST_CASE("pixels: wrong buffers are refused, and nothing is written") {
  const Bytes& stream = testing::SmallStream();  // of 50 x 37 pixels
  Bytes samples(3 * 50 * 37, kGap);
  PixelBuffer good;
  good.width = 50;
  good.height = 37;
  good.planes[0].data = samples.data();
  const auto refuses = [&](const PixelBuffer& buffer, const std::string& word) {
    const Error error = DecodePixels(Tiny().cpp, stream.data(), stream.size(), buffer);
    CHECK(error.code == ErrorCode::kInvalidArgument);
    CHECK(error.message.find(word) != std::string::npos);
    CHECK(std::all_of(samples.begin(), samples.end(), [](uint8_t byte) { return byte == kGap; }));
  };
  const auto with = [&](auto change) {
    PixelBuffer buffer = good;
    change(&buffer);
    return buffer;
  };
  refuses(with([](PixelBuffer* b) { b->width = 51; }), "51 x 37");
  refuses(with([](PixelBuffer* b) { b->height = 36; }), "50 x 36");
  refuses(with([](PixelBuffer* b) { b->planes[0].data = nullptr; }), "plane 0");
  refuses(with([](PixelBuffer* b) { b->planes[0].stride = 149; }), "149 bytes apart");
  refuses(with([](PixelBuffer* b) { b->planes[0].stride = -149; }), "149 bytes apart");
  refuses(with([](PixelBuffer* b) { b->layout.bit_depth = 10; }), "bit depth 10");
  refuses(with([](PixelBuffer* b) { b->layout.bit_depth = 0; }), "bit depth 0");
  refuses(with([](PixelBuffer* b) { b->layout.bit_depth = 4000000000; }), "bit depth");
  refuses(with([](PixelBuffer* b) { b->layout.format = static_cast<PixelFormat>(9); }), "format 9");
  refuses(with([](PixelBuffer* b) { b->layout.matrix = static_cast<YuvMatrix>(2); }), "matrix");
  refuses(with([](PixelBuffer* b) { b->layout.range = static_cast<YuvRange>(2); }), "range");
  refuses(with([](PixelBuffer* b) { b->layout.format = PixelFormat::kYuv420; }), "plane 1");

  ConstPixelBuffer empty;
  empty.planes[0].data = samples.data();
  CHECK(EncodePixels(Tiny().cpp, empty).error().code == ErrorCode::kInvalidArgument);
  glint_error error;
  uint8_t* bytes = nullptr;
  size_t size = 0;
  CHECK(glint_encode_pixels(Tiny().c.get(), nullptr, nullptr, nullptr, &bytes, &size, &error) ==
        GLINT_INVALID_ARGUMENT);
  glint_pixels pixels{};
  CHECK(glint_decode_pixels(Tiny().c.get(), stream.data(), stream.size(), nullptr, &pixels,
                            &error) == GLINT_INVALID_ARGUMENT);
  CHECK(std::string(error.message).find("not initialised") != std::string::npos);
}

TEST_CASE("pixels: the row that kYuv420 keeps counts against the limit on memory") {
  const Bytes& stream = testing::SmallStream();
  Bytes samples(3 * 50 * 37);
  PixelBuffer buffer;
  buffer.layout.format = PixelFormat::kYuv420;
  buffer.width = 50;
  buffer.height = 37;
  buffer.planes[0].data = samples.data();
  buffer.planes[1].data = samples.data() + 50 * 37;
  buffer.planes[2].data = samples.data() + 2 * 50 * 37;
  Report report;
  REQUIRE(DecodePixels(Tiny().cpp, stream.data(), stream.size(), buffer, {}, &report).ok());
  DecodeOptions options;
  options.limits.max_memory = report.planned_bytes + PixelPacker::MemoryNeeded(buffer);
  CHECK(DecodePixels(Tiny().cpp, stream.data(), stream.size(), buffer, options).ok());
  --options.limits.max_memory;
  CHECK(DecodePixels(Tiny().cpp, stream.data(), stream.size(), buffer, options).code ==
        ErrorCode::kLimit);
}

}  // namespace glint
