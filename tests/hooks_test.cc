// Hooks of the caller: an allocator gets the large memory and gets all of it back, and a log has a
// line for every call.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "glint/glint.hpp"
#include "tests/c_api_helpers.h"
#include "tests/codec_helpers.h"
#include "tests/picture_helpers.h"

namespace glint {
namespace {

using testing::Bytes;

// Counts, and fails where it is told to.
class CountingAllocator {
 public:
  CountingAllocator() { Set({Allocate, Release, this}); }
  ~CountingAllocator() { Set({}); }
  CountingAllocator(const CountingAllocator&) = delete;
  CountingAllocator& operator=(const CountingAllocator&) = delete;

  void FailFrom(int64_t count) { left_ = count; }
  int64_t held() const { return held_; }    // allocations
  int64_t given() const { return given_; }  // of all time
  uint64_t bytes() const { return bytes_; }
  bool aligned() const { return aligned_; }

 private:
  static void Set(const Allocator& allocator) { REQUIRE(SetAllocator(allocator).ok()); }
  static void* Allocate(void* opaque, size_t size, size_t alignment) {
    auto& self = *static_cast<CountingAllocator*>(opaque);
    if (self.left_-- <= 0) return nullptr;
    ++self.held_;
    ++self.given_;
    self.bytes_ += size;
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) self.aligned_ = false;
    return ::operator new (size, std::align_val_t{alignment < 64 ? 64 : alignment});
  }
  static void Release(void* opaque, void* memory) {
    --static_cast<CountingAllocator*>(opaque)->held_;
    ::operator delete (memory, std::align_val_t{64});
  }

  std::atomic<int64_t> held_ = 0, given_ = 0, left_ = INT64_MAX;
  std::atomic<uint64_t> bytes_ = 0;
  std::atomic<bool> aligned_ = true;
};

}  // namespace

TEST_CASE("allocator: gets the large memory, and all of it back") {
  const Picture picture = testing::SmoothPicture(MakeInfo(300, 200, 3, true, 8), 3);
  const Bytes file = testing::TinyModelFile();
  const Model before = testing::LoadModel(file);
  const Bytes wanted = testing::MustEncode(before, picture);
  const Picture wanted_back = testing::MustDecode(before, wanted);
  for (const int threads : {1, 4}) {
    CountingAllocator allocator;
    {
      const Model model = testing::LoadModel(file);
      const int64_t of_model = allocator.held();
      CHECK(of_model > 0);
      EncodeOptions encode;
      DecodeOptions decode;
      encode.threads = decode.threads = threads;
      Report report;
      const uint64_t loaded = allocator.bytes();
      CHECK(testing::MustEncode(model, picture, encode) == wanted);
      CHECK(SamePixels(testing::MustDecode(model, wanted, decode, &report), wanted_back));
      CHECK(allocator.held() == of_model);
      CHECK(allocator.bytes() - loaded > report.planned_bytes / 2);
    }
    CHECK(allocator.held() == 0);
    CHECK(allocator.aligned());
  }
}

TEST_CASE("allocator: memory goes back to where it came from") {
  const Bytes file = testing::TinyModelFile();
  CountingAllocator outer;
  auto model = Model::FromMemory(file.data(), file.size());
  REQUIRE(model.ok());
  {
    CountingAllocator inner;
    const Picture picture = testing::SmoothPicture(MakeInfo(30, 20, 3, false, 8), 3);
    testing::MustEncode(*model, picture);
    const int64_t held = outer.held();
    *model = testing::LoadModel(file);
    CHECK(outer.held() < held);
    CHECK(inner.held() > 0);
    *model = Model(nullptr);
    CHECK(inner.held() == 0);
  }
  CHECK(outer.held() == 0);
}

TEST_CASE("allocator: none left is kLimit, whenever that is") {
  const Bytes file = testing::TinyModelFile();
  const Picture picture = testing::SmoothPicture(MakeInfo(70, 50, 3, false, 8), 3);
  CountingAllocator allocator;
  const auto all = [&]() -> Error {
    const auto model = Model::FromMemory(file.data(), file.size());
    if (!model) return model.error();
    const auto stream = Encode(*model, picture);
    if (!stream) return stream.error();
    return Decode(*model, stream->data(), stream->size()).error();
  };
  REQUIRE(all().ok());
  const int64_t needed = allocator.given();
  CHECK(needed > 10);
  for (int64_t n = 0; n < needed; ++n) {
    CAPTURE(n);
    allocator.FailFrom(n);
    CHECK(all().code == ErrorCode::kLimit);
    CHECK(allocator.held() == 0);
  }
  allocator.FailFrom(needed);
  CHECK(all().ok());
}

TEST_CASE("allocator: both functions or none, in C and C++") {
  Allocator half;
  half.release = [](void*, void*) {};
  CHECK(SetAllocator(half).code == ErrorCode::kInvalidArgument);
  glint_allocator in_c = {[](void*, size_t, size_t) -> void* { return nullptr; }, nullptr, nullptr};
  CHECK(glint_set_allocator(&in_c, nullptr) == GLINT_INVALID_ARGUMENT);
  in_c.release = [](void*, void*) {};
  REQUIRE(glint_set_allocator(&in_c, nullptr) == GLINT_OK);
  glint_model* model = nullptr;
  const Bytes file = testing::TinyModelFile();
  CHECK(glint_model_from_memory(file.data(), file.size(), nullptr, &model, nullptr) == GLINT_LIMIT);
  REQUIRE(glint_set_allocator(nullptr, nullptr) == GLINT_OK);
  CHECK(testing::LoadModel(file).info().parameters > 0);
}

TEST_CASE("log: a line for every call, in C++") {
  std::vector<std::string> lines;
  const LogFunction log = [&](const std::string& line) {
    CHECK(line.find('\n') == std::string::npos);
    lines.push_back(line);
  };
  const auto begins = [&](const std::string& begin) {
    REQUIRE(lines.size() == 1);
    CAPTURE(lines[0]);
    CHECK(lines[0].rfind(begin, 0) == 0);
    lines.clear();
  };
  const Bytes file = testing::TinyModelFile();
  LoadOptions load;
  load.log = log;
  const auto model = Model::FromMemory(file.data(), file.size(), "tiny", load);
  REQUIRE(model.ok());
  begins("loaded " + model->info().name + " fp32 (" + model->info().id + "): ");
  CHECK_FALSE(Model::FromMemory(file.data(), 10, "cut", load).ok());
  begins("not loaded: cut");

  EncodeOptions encode;
  encode.log = log;
  const Picture picture = testing::SmoothPicture(MakeInfo(30, 20, 3, false, 8), 3);
  const Bytes stream = testing::MustEncode(*model, picture, encode);
  begins("encoded 30 x 20: " + std::to_string(stream.size()) + " bytes, ");
  encode.lrd = -1;
  CHECK_FALSE(Encode(*model, picture, encode).ok());
  begins("not encoded 30 x 20: lrd");

  DecodeOptions decode;
  decode.log = log;
  testing::MustDecode(*model, stream, decode);
  begins("decoded 30 x 20: " + std::to_string(stream.size()) + " bytes, ");
  CHECK_FALSE(Decode(*model, stream.data(), 20, decode).ok());
  begins("not decoded: ");
  const RowWriter write = [](uint32_t, const void*) { return true; };
  auto pieces = StreamDecoder::Make(
      *model, [](const PictureInfo&, const Metadata&) { return true; }, write, decode);
  REQUIRE(pieces.ok());
  CHECK(pieces->Push(stream.data(), stream.size()).ok());
  CHECK(lines.empty());
  CHECK(pieces->Finish().ok());
  CHECK(pieces->Finish().ok());
  begins("decoded 30 x 20: " + std::to_string(stream.size()) + " bytes, ");
  CHECK_FALSE(SynthesiseRows(*model, picture.info, 0, nullptr, write, decode).ok());
  begins("not synthesised 30 x 20: ");
}

TEST_CASE("log: in C") {
  std::vector<std::string> lines;
  const auto log = [](void* opaque, const char* line) {
    static_cast<std::vector<std::string>*>(opaque)->push_back(line);
  };
  auto encode = testing::Defaults<glint_encode_options>();
  encode.log = log;
  encode.log_opaque = &lines;
  CHECK(testing::EncodeSmall(&encode) == GLINT_OK);
  auto decode = testing::Defaults<glint_decode_options>();
  decode.log = log;
  decode.log_opaque = &lines;
  CHECK(testing::DecodeSmall(&decode) == GLINT_OK);
  glint_load_options load;
  REQUIRE(glint_load_options_init(&load, sizeof(load)) == GLINT_OK);
  load.log = log;
  load.log_opaque = &lines;
  glint_model* model = nullptr;
  CHECK(glint_model_from_memory_with("", 0, nullptr, &load, &model, nullptr) != GLINT_OK);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].rfind("encoded 50 x 37: ", 0) == 0);
  CHECK(lines[1].rfind("decoded 50 x 37: ", 0) == 0);
  CHECK(lines[2].rfind("not loaded: ", 0) == 0);
}

}  // namespace glint
