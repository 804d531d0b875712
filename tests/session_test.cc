// Threads that stay between calls: the same streams and pictures, whoever has them.
#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "glint/glint.hpp"
#include "tests/c_api_helpers.h"
#include "tests/codec_helpers.h"

namespace glint {
namespace {

using testing::Bytes;
using testing::SmallPicture;
using testing::SmallStream;
using testing::Tiny;

// The threads that a runner's tasks ran on.
std::set<std::thread::id> ThreadsOf(const ParallelRunner& runner) {
  std::vector<std::thread::id> by_worker(runner.workers);
  // Each waits for the others, so that all workers get one.
  struct Meeting {
    std::vector<std::thread::id>* ids;
    std::atomic<size_t> there{0};
  } meeting{&by_worker};
  const auto task = [](void* arg, size_t, size_t worker) {
    auto* at = static_cast<Meeting*>(arg);
    (*at->ids)[worker] = std::this_thread::get_id();
    ++at->there;
    while (at->there < at->ids->size()) std::this_thread::yield();
  };
  runner.run(runner.opaque, runner.workers, task, &meeting);
  return {by_worker.begin(), by_worker.end()};
}

}  // namespace

TEST_CASE("session: calls with its threads give what calls without give") {
  const auto session = Session::Make(3);
  REQUIRE(session.ok());
  EncodeOptions encode;
  DecodeOptions decode;
  encode.runner = decode.runner = session->runner();
  CHECK(encode.runner.workers == 3);
  for (int i = 0; i < 20; ++i) {
    CHECK(testing::MustEncode(Tiny().cpp, SmallPicture(), encode) == SmallStream());
    CHECK(SamePixels(testing::MustDecode(Tiny().cpp, SmallStream(), decode),
                     testing::MustDecode(Tiny().cpp, SmallStream())));
  }
  LoadOptions load;
  load.runner = session->runner();
  const auto model = Model::FromMemory(Tiny().bytes.data(), Tiny().bytes.size(), "tiny", load);
  REQUIRE(model.ok());
  CHECK(testing::MustEncode(*model, SmallPicture()) == SmallStream());
}

TEST_CASE("session: the threads are the same in every call") {
  auto session = Session::Make(3);
  REQUIRE(session.ok());
  const std::set<std::thread::id> threads = ThreadsOf(session->runner());
  CHECK(threads.size() == 3);
  CHECK(ThreadsOf(session->runner()) == threads);
  Session moved = std::move(*session);
  CHECK(ThreadsOf(moved.runner()) == threads);
}

TEST_CASE("session: several threads of the caller may have it at once") {
  const auto session = Session::Make(2);
  REQUIRE(session.ok());
  std::atomic<int> right{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      EncodeOptions options;
      options.runner = session->runner();
      for (int i = 0; i < 10; ++i) {
        const auto stream = Encode(Tiny().cpp, SmallPicture(), options);
        if (stream.ok() && *stream == SmallStream()) ++right;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(right == 40);
}

TEST_CASE("session: one thread, wrong numbers, and C") {
  const auto alone = Session::Make(1);
  REQUIRE(alone.ok());
  EncodeOptions options;
  options.runner = alone->runner();
  CHECK(testing::MustEncode(Tiny().cpp, SmallPicture(), options) == SmallStream());
  CHECK(Session::Make(-1).error().code == ErrorCode::kInvalidArgument);
  CHECK(Session::Make(1025).error().code == ErrorCode::kInvalidArgument);

  glint_session* made = nullptr;
  glint_error error;
  REQUIRE(glint_session_create(2, &made, &error) == GLINT_OK);
  const testing::Owned<glint_session> session(made);
  auto in_c = testing::Defaults<glint_encode_options>();
  REQUIRE(glint_session_get_runner(session.get(), &in_c.runner) == GLINT_OK);
  CHECK(in_c.runner.workers == 2);
  const glint_picture_info info = testing::InC(SmallPicture().info);
  uint8_t* stream = nullptr;
  size_t size = 0;
  REQUIRE(glint_encode(Tiny().c.get(), &info, SmallPicture().samples.data(), 0, nullptr, &in_c,
                       &stream, &size, &error) == GLINT_OK);
  CHECK(testing::Taken(stream, size) == SmallStream());
  CHECK(glint_session_create(-1, &made, &error) == GLINT_INVALID_ARGUMENT);
  CHECK(made == nullptr);
  CHECK(glint_session_create(1, nullptr, &error) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_session_get_runner(nullptr, &in_c.runner) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_session_get_runner(session.get(), nullptr) == GLINT_INVALID_ARGUMENT);
}

}  // namespace glint
