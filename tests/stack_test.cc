// How much stack the calls take, and the tasks that they give to a runner: products run them on
// threads whose stacks are small. docs/DESIGN.md has the promise.

#include <doctest/doctest.h>
#include <pthread.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"
#include "tests/mutate.h"
#include "tests/picture_helpers.h"

namespace glint {
namespace {

using testing::Bytes;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
constexpr size_t kMostStack = 1 << 20;  // frames are larger then
#else
constexpr size_t kMostStack = 64 << 10;
#endif

// Runs work on a thread with a painted stack; the bytes of it that were used.
class MeasuredThread {
 public:
  static size_t Run(const std::function<void()>& work) {
    constexpr size_t kStack = size_t{4} << 20;
    constexpr uint8_t kPaint = 0xA5;
    std::vector<uint8_t> stack(kStack, kPaint);
    pthread_attr_t attributes;
    REQUIRE(pthread_attr_init(&attributes) == 0);
    REQUIRE(pthread_attr_setstack(&attributes, stack.data(), stack.size()) == 0);
    pthread_t thread;
    const auto body = [](void* arg) -> void* {
      (*static_cast<const std::function<void()>*>(arg))();
      return nullptr;
    };
    REQUIRE(pthread_create(&thread, &attributes, body, const_cast<std::function<void()>*>(&work)) ==
            0);
    REQUIRE(pthread_join(thread, nullptr) == 0);
    pthread_attr_destroy(&attributes);
    const auto used =
        std::find_if(stack.begin(), stack.end(), [](uint8_t b) { return b != kPaint; });
    return static_cast<size_t>(stack.end() - used);
  }
};

// What a thread takes that does nothing: the C library's own part of its stack.
size_t Idle() {
  static const size_t idle = MeasuredThread::Run([] {});
  return idle;
}

// A runner whose tasks have a measured thread each.
struct MeasuringRunner {
  static void Run(void* opaque, size_t count, void (*task)(void* arg, size_t i, size_t worker),
                  void* arg) {
    auto& most = static_cast<MeasuringRunner*>(opaque)->most;
    const size_t used = MeasuredThread::Run([&] {
      for (size_t i = 0; i < count; ++i) task(arg, i, i % 2);
    });
    most = std::max(most, used - std::min(used, Idle()));
  }
  ParallelRunner runner() { return {Run, this, 2}; }
  size_t most = 0;
};

// The largest of several calls, without what an idle thread has.
void CheckStack(const std::string& what, const std::function<void()>& call) {
  const size_t used = MeasuredThread::Run(call);
  const size_t own = used - std::min(used, Idle());
  MESSAGE(what, ": ", own, " bytes");
  CHECK(own <= kMostStack);
}

TEST_CASE("stack: 64 KiB are enough for every call") {
  const Picture picture = testing::SmoothPicture(MakeInfo(200, 130, 3, true, 8), 1);
  const std::string weights = std::string(GLINT_SOURCE_DIR) + "/weights/";
  for (const char* name : {"light-fp32.safetensors", "light-int8.safetensors"}) {
    CAPTURE(name);
    std::optional<Model> model;
    CheckStack("loading", [&] {
      auto loaded = Model::Load(weights + name);
      if (loaded.ok()) model = *loaded;
    });
    REQUIRE(model);
    Bytes stream;
    CheckStack("encoding", [&] {
      EncodeOptions options;
      options.detail = Detail::kOn;
      auto encoded = Encode(*model, picture, options);
      if (encoded.ok()) stream = *encoded;
    });
    REQUIRE_FALSE(stream.empty());
    CheckStack("encoding with effort", [&] {
      EncodeOptions options;
      options.effort = 1;
      CHECK(Encode(*model, picture, options).ok());
    });
    CheckStack("decoding", [&] { CHECK(Decode(*model, stream.data(), stream.size()).ok()); });
    CheckStack("inspecting", [&] { CHECK(Inspect(stream.data(), stream.size()).ok()); });
  }
}

TEST_CASE("stack: 64 KiB are enough for the tasks of a runner") {
  const Picture picture = testing::SmoothPicture(MakeInfo(200, 130, 3, false, 8), 1);
  for (const char* name :
       {"light-fp32.safetensors", "light-int8.safetensors", "light-fp16.safetensors"}) {
    CAPTURE(name);
    MeasuringRunner measuring;
    LoadOptions load;
    load.runner = measuring.runner();
    const auto model = Model::Load(std::string(GLINT_SOURCE_DIR) + "/weights/" + name, load);
    REQUIRE(model.ok());
    EncodeOptions encode;
    encode.runner = measuring.runner();
    encode.detail = Detail::kOn;
    const Bytes stream = testing::MustEncode(*model, picture, encode);
    DecodeOptions decode;
    decode.runner = measuring.runner();
    testing::MustDecode(*model, stream, decode);
    MESSAGE(name, ": ", measuring.most, " bytes");
    CHECK(measuring.most <= kMostStack);
  }
}

TEST_CASE("stack: 64 KiB are enough for picture files") {
  const TemporaryFolder folder;
  const Picture picture = testing::SmoothPicture(MakeInfo(200, 130, 3, false, 8), 1);
  for (const char* name : {"a.png", "a.ppm", "a.pam"}) {
    CAPTURE(name);
    const std::string path = folder.File(name);
    CheckStack("writing", [&] { CHECK(WritePicture(path, picture).ok()); });
    CheckStack("reading", [&] { CHECK(ReadPicture(path).ok()); });
  }
}

}  // namespace
}  // namespace glint
