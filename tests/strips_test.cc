// Wide and low pictures: a graph in strips gives what it gives in whole rows, and coding them takes
// a fraction of the memory.

#include "engine/strips.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "codec/api/detail_reader.h"
#include "codec/model/model_impl.h"
#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"
#include "tests/peak_memory.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::IntegerModelFile;
using testing::LoadModel;
using testing::MustDecode;
using testing::MustEncode;
using testing::PeakMemory;
using testing::SmoothPicture;
using testing::TinyModelFile;

struct Image {
  size_t width = 0, channels = 0;
  int64_t height = 0;
  std::vector<float> values;
  float* At(int64_t row, size_t x) {
    return values.data() + (static_cast<size_t>(row) * width + x) * channels;
  }
};

Image RandomImage(size_t width, int64_t height, size_t channels, std::mt19937* random) {
  Image image{width, channels, height, {}};
  image.values.resize(width * static_cast<size_t>(height) * channels);
  // Multiples of 1/64, as latents are.
  for (float& value : image.values) value = static_cast<float>((*random)() % 128) / 64 - 1;
  return image;
}

Image RunWhole(const std::shared_ptr<const Plan>& plan, Image* in, const ExecutorOptions& options) {
  auto executor = Executor::Make(plan, options);
  REQUIRE_MESSAGE(executor.ok(), executor.status().message());
  Image out{(*executor)->out_width(), plan->output_channels(), (*executor)->out_height(), {}};
  out.values.resize(out.width * static_cast<size_t>(out.height) * out.channels);
  int64_t fed = 0;
  for (int64_t done = 0; done < out.height;) {
    for (const int64_t end = (*executor)->InputEnd(); fed < end; ++fed) {
      std::copy_n(in->At(fed, 0), in->width * in->channels, (*executor)->InputRow(0, fed));
      (*executor)->StoreInput(0, fed);
    }
    (*executor)->Advance();
    const size_t stride = (*executor)->output_pixel_stride();
    for (; done < (*executor)->end(); ++done) {
      for (size_t x = 0; x < out.width; ++x) {
        std::copy_n((*executor)->OutputRow(done) + x * stride, out.channels, out.At(done, x));
      }
    }
  }
  return out;
}

Image RunInStrips(const std::shared_ptr<const Plan>& plan, const Graph& graph, Image* in,
                  const ExecutorOptions& options, const StripShape& shape) {
  StripTransform strips(plan, graph, options, shape);
  Image out{shape.units * shape.out_unit, plan->output_channels(), 0, {}};
  const int64_t unit_rows = in->height * static_cast<int64_t>(shape.out_unit);
  out.height = unit_rows / static_cast<int64_t>(shape.in_unit);
  out.values.assign(out.width * static_cast<size_t>(out.height) * out.channels, 1e9f);
  double last = 0;
  const Status status = strips.Run(
      [in](int64_t row, size_t first, size_t count, float* values) {
        std::copy_n(in->At(row, first), count * in->channels, values);
      },
      [&out](int64_t row, size_t first, size_t count, const float* values, size_t stride) {
        for (size_t x = 0; x < count; ++x) {
          std::copy_n(values + x * stride, out.channels, out.At(row, first + x));
        }
      },
      [&last](double done) {
        CHECK(done > last);
        last = done;
        return Status::Ok();
      });
  REQUIRE_MESSAGE(status.ok(), status.message());
  CHECK(last == 1);
  return out;
}

void CompareStrips(const Model& model, double tolerance) {
  std::mt19937 random(TestSeed());
  const Model::Impl& impl = model.impl();
  const auto unit = static_cast<size_t>(impl.document.latent_stride);
  for (const bool synthesis : {false, true}) {
    const std::shared_ptr<const Plan> plan = synthesis ? impl.g_s : impl.g_a;
    const Graph& graph = impl.graph(synthesis ? "g_s" : "g_a");
    for (const size_t units : {1U, 5U, 40U, 67U}) {
      for (const size_t strip : {1U, 7U, 20U}) {
        CAPTURE(synthesis);
        CAPTURE(units);
        CAPTURE(strip);
        const StripShape shape{units, synthesis ? 1 : unit, synthesis ? unit : 1, strip};
        ExecutorOptions options;
        options.in_width = units * shape.in_unit;
        options.in_height = synthesis ? 3 : 3 * static_cast<int64_t>(unit);
        options.bands.rows = static_cast<int64_t>(shape.out_unit);
        options.runner = SerialRunner();
        Image in =
            RandomImage(options.in_width, options.in_height, plan->input_channels(0), &random);
        Image whole = RunWhole(plan, &in, options);
        Image strips = RunInStrips(plan, graph, &in, options, shape);
        REQUIRE(strips.values.size() == whole.values.size());
        double most = 0;
        for (size_t i = 0; i < whole.values.size(); ++i) {
          most = std::max(most, static_cast<double>(std::abs(whole.values[i] - strips.values[i])));
        }
        CHECK(most <= tolerance);
      }
    }
  }
}

TEST_CASE("strips: the same outputs as in whole rows") {
  CompareStrips(LoadModel(TinyModelFile()), 0);
  CompareStrips(LoadModel(IntegerModelFile()), 0);
}

TEST_CASE("strips: the same outputs with the shipped models" * doctest::timeout(300)) {
  CompareStrips(testing::LoadLight(), 0);
  const auto int8 = Model::Load(std::string(GLINT_SOURCE_DIR) + "/weights/light-int8.safetensors");
  REQUIRE(int8.ok());
  CompareStrips(*int8, 0);
}

// What bands of whole rows would take.
uint64_t BandBytes(const Model& model, const PictureInfo& info) {
  const Model::Impl& impl = model.impl();
  const ModelDocument& document = impl.document;
  ExecutorOptions options;
  options.in_width = (info.width + 15) / 16 * 16 / static_cast<size_t>(document.latent_stride);
  options.in_height = (info.height + 15) / 16 * 16 / static_cast<uint32_t>(document.latent_stride);
  options.bands.rows = document.latent_stride;
  options.runner = SerialRunner();
  const Result<uint64_t> bytes = Executor::MemoryNeeded(*impl.g_s, options);
  REQUIRE(bytes.ok());
  return *bytes;
}

// Pictures that are wide enough for strips, and their left end, which is not: the same pixels come
// out where both are far from the end.
TEST_CASE("strips: wide pictures decode to what they were, in every form") {
  struct Form {
    uint32_t channels;
    bool alpha;
    uint32_t depth;
  };
  for (const Form& form :
       {Form{3, false, 8}, Form{3, true, 16}, Form{1, true, 8}, Form{1, false, 4}}) {
    for (const bool integer : {false, true}) {
      CAPTURE(form.channels);
      CAPTURE(form.depth);
      const Model model = LoadModel(integer ? IntegerModelFile(2) : TinyModelFile(2));
      const PictureInfo info = MakeInfo(30011, 36, form.channels, form.alpha, form.depth);
      const Picture picture = SmoothPicture(info, 3);
      Report encoded, decoded;
      const std::vector<uint8_t> stream = MustEncode(model, picture, {}, &encoded);
      const Picture out = MustDecode(model, stream, {}, &decoded);
      CHECK(out.info.width == info.width);
      CHECK(encoded.latent_crc == decoded.latent_crc);
      const auto plan = PlanMemory(model, info);
      REQUIRE(plan.ok());
      const uint64_t details = DetailReader::MemoryNeeded(OutputInfo(info));
      CHECK(plan->decoding - details < BandBytes(model, info));  // or these are no strips

      // Threads and bands change nothing.
      EncodeOptions encode;
      encode.threads = 3;
      encode.band_rows = 48;
      CHECK(MustEncode(model, picture, encode) == stream);
      DecodeOptions decode;
      decode.threads = 2;
      decode.band_rows = 64;
      CHECK(SamePixels(MustDecode(model, stream, decode), out));

      Picture left = picture;
      left.info.width = 2000;
      left.samples.resize(left.info.RowBytes() * left.info.height);
      for (uint32_t y = 0; y < info.height; ++y) {
        std::memcpy(left.samples.data() + y * left.info.RowBytes(),
                    picture.samples.data() + y * info.RowBytes(), left.info.RowBytes());
      }
      // Details know what is around them, so these are compared without.
      EncodeOptions plain;
      plain.detail = Detail::kOff;
      const Picture whole = MustDecode(model, MustEncode(model, picture, plain));
      const Picture banded = MustDecode(model, MustEncode(model, left, plain));
      size_t different = 0;
      const size_t bytes = 500 * out.info.SamplesPerPixel() * out.info.SampleBytes();
      for (uint32_t y = 0; y < info.height; ++y) {
        different += std::memcmp(whole.samples.data() + y * whole.info.RowBytes(),
                                 banded.samples.data() + y * banded.info.RowBytes(), bytes) != 0;
      }
      CHECK(different == 0);
    }
  }
}

TEST_CASE("strips: callbacks may stop, and rows come in order") {
  const Model model = LoadModel(TinyModelFile());
  const Picture picture = SmoothPicture(MakeInfo(20000, 3, 3, false, 8), 4);
  EncodeOptions encode;
  int calls = 0;
  encode.progress = [&calls](double) { return ++calls < 2; };
  CHECK(Encode(model, picture, encode).error().code == ErrorCode::kCancelled);
  const std::vector<uint8_t> stream = MustEncode(model, picture);
  DecodeOptions decode;
  calls = 0;
  decode.progress = [&calls](double) { return ++calls < 2; };
  CHECK(Decode(model, stream.data(), stream.size(), decode).error().code == ErrorCode::kCancelled);
  uint32_t next = 0;
  const Error error = DecodeRows(
      model, stream.data(), stream.size(), [](const PictureInfo&, const Metadata&) { return true; },
      [&next](uint32_t y, const void*) { return y == next++ && y < 1; });
  CHECK(error.code == ErrorCode::kCancelled);
  CHECK(next == 2);
}

TEST_CASE("strips: a picture of one row takes little memory, and what was planned") {
  const Model model = LoadModel(TinyModelFile());
  constexpr uint64_t kSlack = (uint64_t{16} << 20) + testing::kSanitizerMemory;
  const PictureInfo info = MakeInfo(400000, 1, 3, false, 8);
  const Picture picture = SmoothPicture(info, 5);
  Report report;
  std::vector<uint8_t> stream;
  {
    const PeakMemory peak;
    stream = MustEncode(model, picture, {}, &report);
    CHECK(peak.Growth() < report.planned_bytes + kSlack);
  }
  const auto plan = PlanMemory(model, info);
  REQUIRE(plan.ok());
  CHECK(plan->encoding <= report.planned_bytes);  // the tiny model codes badly
  const PeakMemory peak;
  const auto start = [](const PictureInfo&, const Metadata&) { return true; };
  const auto write = [](uint32_t, const void*) { return true; };
  const Error error = DecodeRows(model, stream.data(), stream.size(), start, write, {}, &report);
  CHECK(peak.Growth() < report.planned_bytes + kSlack);
  CHECK(error.ok());
  CHECK(plan->decoding == report.planned_bytes);
}

}  // namespace
}  // namespace glint
