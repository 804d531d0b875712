// Loading with threads: the same model, and the same error where a file is wrong, whoever does the
// work and in whatever order.
#include <doctest/doctest.h>

#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "glint/glint.hpp"
#include "tests/codec_helpers.h"
#include "tests/mutate.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using Task = void (*)(void* arg, size_t index, size_t worker);

// The tasks in a drawn order, by drawn workers.
struct Shuffler {
  static constexpr size_t kWorkers = 3;

  static void Run(void* opaque, size_t count, Task task, void* arg) {
    auto& self = *static_cast<Shuffler*>(opaque);
    self.tasks += count;
    std::vector<size_t> order(count);
    std::iota(order.begin(), order.end(), size_t{0});
    for (size_t i = count; i > 1; --i) std::swap(order[i - 1], order[self.draws.Below(i)]);
    for (const size_t index : order) task(arg, index, self.draws.Below(kWorkers));
  }

  LoadOptions options() {
    LoadOptions options;
    options.runner = {Run, this, kWorkers};
    return options;
  }

  testing::Mutator draws;
  size_t tasks = 0;
};

LoadOptions WithThreads(int threads) {
  LoadOptions options;
  options.threads = threads;
  return options;
}

TEST_CASE("loading: any number of threads makes the same model") {
  const Picture picture = testing::SmoothPicture(MakeInfo(70, 50, 3, false, 8), 1);
  for (const auto& file :
       {testing::TinyModelFile(), testing::IntegerModelFile(), testing::MiniModelFile(),
        testing::Float16ModelFile(), testing::WavefrontModelFile()}) {
    const Model alone = testing::LoadModel(file);
    const auto stream = testing::MustEncode(alone, picture);
    const auto check = [&](const LoadOptions& options) {
      const auto model = Model::FromMemory(file.data(), file.size(), "model", options);
      REQUIRE_MESSAGE(model.ok(), model.error().message);
      CHECK(model->info().id == alone.info().id);
      CHECK(model->info().parameters == alone.info().parameters);
      CHECK(model->Explain() == alone.Explain());
      CHECK(testing::MustEncode(*model, picture) == stream);
    };
    for (const int threads : {0, 1, 2, 3, 16}) {
      CAPTURE(threads);
      check(WithThreads(threads));
    }
    Shuffler shuffler{testing::Mutator(TestSeed())};
    check(shuffler.options());
    CHECK(shuffler.tasks > 2);  // the id beside the checks, and the plans
  }
}

TEST_CASE("loading: from a file as from memory") {
  const auto alone = Model::Load(testing::LightPath());
  REQUIRE(alone.ok());
  Shuffler shuffler{testing::Mutator(TestSeed())};
  for (const LoadOptions& options : {WithThreads(2), shuffler.options()}) {
    const auto model = Model::Load(testing::LightPath(), options);
    REQUIRE_MESSAGE(model.ok(), model.error().message);
    CHECK(model->info().id == alone->info().id);
    CHECK(model->Explain() == alone->Explain());
  }
  const auto none = Model::Load(testing::LightPath() + ".none", WithThreads(2));
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().code == ErrorCode::kNotFound);
}

TEST_CASE("loading: what is wrong with a file is the same error with threads") {
  testing::Mutator draws(TestSeed());
  const std::vector<uint8_t> file = testing::TinyModelFile();
  size_t refused = 0;
  for (uint32_t i = 0; i < 200; ++i) {
    CAPTURE(i);
    const std::vector<uint8_t> damaged = draws.Model(file);
    const auto alone = Model::FromMemory(damaged.data(), damaged.size(), "model");
    Shuffler shuffler{testing::Mutator(TestSeed() + i)};
    for (const LoadOptions& options : {WithThreads(3), shuffler.options()}) {
      const auto model = Model::FromMemory(damaged.data(), damaged.size(), "model", options);
      REQUIRE(model.ok() == alone.ok());
      if (model.ok()) {
        CHECK(model->info().id == alone->info().id);
        continue;
      }
      CHECK(model.error().code == alone.error().code);
      CHECK(model.error().message == alone.error().message);
    }
    refused += alone.ok() ? 0 : 1;
  }
  CHECK(refused > 0);
}

TEST_CASE("loading: threads that cannot be are refused") {
  const std::vector<uint8_t> file = testing::MiniModelFile();
  const auto error_with = [&](const LoadOptions& options) {
    return Model::FromMemory(file.data(), file.size(), "model", options).error();
  };
  for (const int threads : {-1, 1025}) {
    const Error error = error_with(WithThreads(threads));
    CHECK(error.code == ErrorCode::kInvalidArgument);
    CHECK(error.message.find(std::to_string(threads)) != std::string::npos);
  }
  Shuffler shuffler{testing::Mutator(1)};
  LoadOptions none = shuffler.options();
  none.runner.workers = 0;
  CHECK(error_with(none).code == ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace glint
