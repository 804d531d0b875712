// Loading with threads: the same model, and the same error where a file is wrong, whoever does the
// work and in whatever order.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "codec/model/model_impl.h"
#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"
#include "tests/model_builder.h"
#include "tests/mutate.h"
#include "tests/peak_memory.h"
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

TEST_CASE("loading: progress rises to 1, from a file and from memory, and can stop it anywhere") {
  const TemporaryFolder folder;
  const std::vector<uint8_t> bytes = testing::MiniModelFile();
  const std::string path = folder.File("model.safetensors");
  REQUIRE(WriteFile(path, bytes.data(), bytes.size()).ok());
  const auto load = [&](bool from_file, const LoadOptions& options) {
    return from_file ? Model::Load(path, options)
                     : Model::FromMemory(bytes.data(), bytes.size(), "model", options);
  };
  for (const bool from_file : {false, true}) {
    for (const int threads : {1, 3}) {
      CAPTURE(from_file);
      CAPTURE(threads);
      LoadOptions options = WithThreads(threads);
      std::vector<double> heard;
      options.progress = [&](double done) { return heard.push_back(done), true; };
      REQUIRE(load(from_file, options).ok());
      CHECK(std::is_sorted(heard.begin(), heard.end()));
      CHECK(heard.front() > 0);
      CHECK(heard.back() == 1);
      const size_t calls = heard.size();
      CHECK(calls > 10);
      for (size_t stop = 0; stop < calls; ++stop) {
        size_t call = 0;
        options.progress = [&](double) { return call++ != stop; };
        const auto model = load(from_file, options);
        REQUIRE_FALSE(model.ok());
        CHECK(model.error().code == ErrorCode::kCancelled);
        CHECK(call == stop + 1);  // never again
        call = 0;
        options.progress = [&](double) {
          if (call++ == stop) throw std::out_of_range("the caller's own");
          return true;
        };
        CHECK_THROWS_AS(static_cast<void>(load(from_file, options)), std::out_of_range);
      }
    }
  }
}

// Plans that are made side by side take more for a while.
TEST_CASE("loading: whether a model fits its limit is not for threads to say") {
  for (const auto& file : {testing::MiniModelFile(), testing::WavefrontModelFile()}) {
    const auto fits = [&](uint64_t limit, int threads) {
      LoadOptions options = WithThreads(threads);
      options.max_memory = limit;
      const auto model = Model::FromMemory(file.data(), file.size(), "model", options);
      if (!model.ok()) CHECK(model.error().code == ErrorCode::kLimit);
      return model.ok();
    };
    uint64_t least = 0;
    for (uint64_t step = uint64_t{1} << 30; step > 0; step /= 2) {
      if (!fits(least + step, 1)) least += step;
    }
    CHECK(fits(least + 1, 1));
    for (int repeat = 0; repeat < 20; ++repeat) {
      for (const int threads : {2, 8}) CHECK(fits(least + 1, threads));
    }
  }
}

// A model that was read lives on whatever becomes of its file.
TEST_CASE("loading: a file that was read may be cut off, overwritten and deleted") {
  const TemporaryFolder folder;
  const std::vector<uint8_t> bytes = testing::TinyModelFile();
  const Picture picture = testing::SmoothPicture(MakeInfo(70, 50, 3, false, 8), 1);
  const auto stream = testing::MustEncode(testing::LoadModel(bytes), picture);
  for (const ModelAccess access : {ModelAccess::kMapLarge, ModelAccess::kRead}) {
    const std::string path = folder.File("model.safetensors");
    REQUIRE(WriteFile(path, bytes.data(), bytes.size()).ok());
    LoadOptions options;
    options.access = access;
    const auto model = Model::Load(path, options);
    REQUIRE(model.ok());
    REQUIRE(truncate(path.c_str(), 0) == 0);
    EncodeOptions effort;  // whose gradient reads all weights of g_s now
    effort.effort = 1;
    testing::MustEncode(*model, picture, effort);
    CHECK(testing::MustEncode(*model, picture) == stream);
    REQUIRE(unlink(path.c_str()) == 0);
    CHECK(testing::MustDecode(*model, stream).samples.size() == picture.samples.size());
  }
}

TEST_CASE("loading: mapped and read are the same model, and mapping takes less") {
  LoadOptions options;
  options.max_memory = uint64_t{36} << 20;
  options.access = ModelAccess::kMap;
  const auto mapped = Model::Load(testing::LightPath(), options);
  REQUIRE_MESSAGE(mapped.ok(), mapped.error().message);
  options.access = ModelAccess::kRead;
  CHECK(Model::Load(testing::LightPath(), options).error().code == ErrorCode::kLimit);
  options.max_memory = LoadOptions().max_memory;
  const auto read = Model::Load(testing::LightPath(), options);
  REQUIRE(read.ok());
  CHECK(read->info().id == mapped->info().id);
  CHECK(read->Explain() == mapped->Explain());
}

TEST_CASE("loading: a file's id is that of its model, and any file has one") {
  const auto model = Model::Load(testing::LightPath());
  REQUIRE(model.ok());
  const auto id = Model::IdOfFile(testing::LightPath());
  REQUIRE(id.ok());
  CHECK(*id == model->info().id);
  const TemporaryFolder folder;
  REQUIRE(WriteFile(folder.File("abc"), "abc", 3).ok());
  CHECK(*Model::IdOfFile(folder.File("abc")) == "ba7816bf8f01cfea");  // FIPS 180-4, example
  CHECK(Model::IdOfFile(folder.File("none")).error().code == ErrorCode::kNotFound);
  CHECK_FALSE(Model::IdOfFile(folder.File("")).ok());
}

// For every limit up to what is enough: kLimit, with a message that names the limit, and never more
// than that.
TEST_CASE("loading: takes no more than its limit") {
  constexpr uint64_t kSlack = (uint64_t{8} << 20) + testing::kSanitizerMemory;
  for (const std::string& path :
       {testing::LightPath(), std::string(GLINT_SOURCE_DIR) + "/weights/light-int8.safetensors"}) {
    bool loaded = false;
    for (uint64_t mib = 4; !loaded; mib += 4) {
      CAPTURE(mib);
      REQUIRE(mib < 200);
      LoadOptions options;
      options.max_memory = mib << 20;
      options.threads = mib % 8 == 0 ? 2 : 1;
      const testing::PeakMemory peak;
      const auto model = Model::Load(path, options);
      CHECK(peak.Growth() < options.max_memory + kSlack);
      loaded = model.ok();
      if (loaded) continue;
      CHECK(model.error().code == ErrorCode::kLimit);
      CHECK(model.error().message.find(std::to_string(options.max_memory)) != std::string::npos);
    }
  }
}

// What the search for better symbols needs of a model is made when it is first asked for, out of
// what loading left.
TEST_CASE("loading: the gradient is within the limit, and what fails takes nothing") {
  constexpr uint64_t kSlack = (uint64_t{8} << 20) + testing::kSanitizerMemory;
  const Picture picture = testing::SmoothPicture(MakeInfo(70, 50, 3, false, 8), 1);
  EncodeOptions effort;
  effort.effort = 1;
  for (const std::string& path :
       {testing::LightPath(), std::string(GLINT_SOURCE_DIR) + "/weights/light-int8.safetensors"}) {
    size_t refused = 0;
    bool encoded = false;
    for (uint64_t mib = 16; !encoded; mib += 4) {
      CAPTURE(mib);
      REQUIRE(mib < 300);
      LoadOptions options;
      options.max_memory = mib << 20;
      const testing::PeakMemory peak;
      const auto model = Model::Load(path, options);
      if (!model.ok()) continue;
      const uint64_t taken = model->impl().budget->taken();
      Report report;
      const auto stream = Encode(*model, picture, effort, &report);
      CHECK(peak.Growth() < options.max_memory + report.planned_bytes + kSlack);
      encoded = stream.ok();
      CHECK((model->impl().budget->taken() > taken) == encoded);
      if (encoded) continue;
      ++refused;
      CHECK_MESSAGE(stream.error().code == ErrorCode::kLimit, stream.error().message);
      CHECK(stream.error().message.find("gradient") != std::string::npos);
      CHECK(Encode(*model, picture).ok());
      CHECK(Encode(*model, picture, effort).error().message == stream.error().message);
    }
    CHECK(refused > 0);
  }
}

// Weights of one output are padded to whole vectors, and each node packs its own.
TEST_CASE("loading: weights that grow a hundred times when they are packed are within the limit") {
  using testing::ModelBuilder;
  ModelBuilder b = testing::MiniModel();
  testing::Json nodes = testing::Json::array();
  std::string last = "x";
  const auto add = [&](const std::string& name, const std::string& weight, int kernel) {
    testing::Json node = b.Conv(name, last, 1, 1, kernel, 1);
    node["weights"] = {{"weight", weight}};
    nodes.push_back(std::move(node));
    last = name;
  };
  b.AddRandom("matrix.wide", {4096, 3, 1, 1}, 0, 1);
  b.AddRandom("matrix.up", {4096, 1, 1, 1}, 0, 1);
  b.AddRandom("matrix.down", {1, 4096, 15, 15}, 0, 1);
  add("wide", "matrix.wide", 1);
  for (int i = 0; i < 8; ++i) {
    add("down" + std::to_string(i), "matrix.down", 15);
    add("up" + std::to_string(i), "matrix.up", 1);
  }
  nodes.push_back(b.Conv("last", last, 4096, 2, 3, 2));
  b.document["graphs"]["g_a"] = ModelBuilder::Graph("close", {{"x", 3}}, nodes);
  const std::vector<uint8_t> file = b.Build();
  REQUIRE(file.size() < uint64_t{8} << 20);
  LoadOptions options;
  options.max_memory = uint64_t{200} << 20;
  const testing::PeakMemory peak;
  const auto model = Model::FromMemory(file.data(), file.size(), "model", options);
  CHECK_MESSAGE(model.error().code == ErrorCode::kLimit, model.error().message);
  CHECK(peak.Growth() < options.max_memory + (uint64_t{8} << 20) + testing::kSanitizerMemory);
}

// What the entropy coder makes of a small table is many times as large.
TEST_CASE("loading: tables are within the limit") {
  testing::ModelBuilder b = testing::MiniModel();
  const std::vector<uint8_t> file = b.Build();
  LoadOptions options;
  const auto model = Model::FromMemory(file.data(), file.size(), "model", options);
  REQUIRE_MESSAGE(model.ok(), model.error().message);
  size_t tables = 0, entries = 0;
  for (const auto& [name, set] : model->impl().coding().tables) {
    tables += set.tables.count();
    entries += set.tables.entries();
  }
  const uint64_t most = EntropyTables::BytesOf(tables, entries);
  CHECK(most > tables * EntropyTables::kMostBuckets * sizeof(EntropyTables::Bucket));
  CHECK(model->impl().budget->taken() > file.size() + most);
  // With all the rest, which comes before the tables, but without them.
  bool refused = false;
  for (options.max_memory = file.size(); !refused; options.max_memory += most / 2) {
    const auto limited = Model::FromMemory(file.data(), file.size(), "model", options);
    REQUIRE(limited.error().code == ErrorCode::kLimit);
    refused = limited.error().message.find("model: its tables would take") == 0;
  }
}

// Products of GDN are packed by each of the nodes that share a matrix.
TEST_CASE("loading: weights of GDN are within the limit") {
  using testing::ModelBuilder;
  constexpr int kChannels = 1024;
  ModelBuilder b = testing::MiniModel();
  testing::Json nodes = testing::Json::array();
  nodes.push_back(b.Conv("wide", "x", 3, kChannels, 1, 1));
  std::string last = "wide";
  for (int i = 0; i < 8; ++i) {
    const std::string name = "norm" + std::to_string(i);
    testing::Json node = b.Gdn(name, last, kChannels, false, "abs");
    if (i > 0) {
      node["weights"] = {{"beta", "norm0.beta"}, {"gamma", "norm0.gamma"}};
      b.tensors.erase(name + ".beta");
      b.tensors.erase(name + ".gamma");
    }
    nodes.push_back(std::move(node));
    last = name;
  }
  nodes.push_back(b.Conv("last", last, kChannels, 2, 3, 2));
  b.document["graphs"]["g_a"] = ModelBuilder::Graph("close", {{"x", 3}}, nodes);
  const std::vector<uint8_t> file = b.Build();
  LoadOptions options;
  const auto model = Model::FromMemory(file.data(), file.size(), "model", options);
  REQUIRE_MESSAGE(model.ok(), model.error().message);
  CHECK(model->impl().budget->taken() > file.size() + 8 * sizeof(float) * kChannels * kChannels);
  options.max_memory = uint64_t{32} << 20;
  CHECK(Model::FromMemory(file.data(), file.size(), "model", options).error().code ==
        ErrorCode::kLimit);
}

// The network of a gain is looked at where it lies, and so is the matrix of GDN while it is
// checked.
TEST_CASE("loading: a gain's network and GDN's matrix are not copied") {
  using testing::ModelBuilder;
  constexpr int kChannels = 2048, kHidden = 4096;
  constexpr uint64_t kSlack = (uint64_t{4} << 20) + testing::kSanitizerMemory;
  ModelBuilder b = testing::MiniModel();
  testing::Json nodes = testing::Json::array();
  nodes.push_back(b.Conv("wide", "x", 3, kChannels, 1, 1));
  nodes.push_back(b.Gain("gained", "wide", kChannels, 0, 0));
  b.tensors.erase("gained.fc1.weight");
  b.tensors.erase("gained.fc1.bias");
  b.tensors.erase("gained.fc2.weight");
  b.AddRandom("gained.fc1.weight", {kHidden, 1}, 0, 1);
  b.AddRandom("gained.fc1.bias", {kHidden}, 0, 1);
  b.AddRandom("gained.fc2.weight", {kChannels, kHidden}, -1e-5f, 1e-5f);
  nodes.push_back(b.Conv("last", "gained", kChannels, 2, 3, 2));
  b.document["graphs"]["g_a"] = ModelBuilder::Graph("close", {{"x", 3}}, nodes);
  std::vector<uint8_t> file = b.Build();
  LoadOptions options;
  options.max_memory = file.size() + (uint64_t{12} << 20);
  const testing::PeakMemory peak;
  const auto model = Model::FromMemory(file.data(), file.size(), "model", options);
  REQUIRE_MESSAGE(model.ok(), model.error().message);
  const Picture picture = testing::SmoothPicture(MakeInfo(8, 8, 3, false, 8), 1);
  Report report;
  REQUIRE(Encode(*model, picture, {}, &report).ok());
  CHECK(peak.Growth() < options.max_memory + report.planned_bytes + kSlack);

  // A negative weight at its end, so that all of it is looked at.
  b.Float("gained.fc2.weight", 0) = 0;
  nodes[1] = b.Gdn("norm", "wide", kChannels, false, "abs");
  nodes[2]["inputs"] = {"norm"};
  b.Float("norm.gamma", size_t{kChannels} * kChannels - 1) = -1;
  b.document["graphs"]["g_a"] = ModelBuilder::Graph("close", {{"x", 3}}, nodes);
  file = b.Build();
  options.max_memory = file.size() + (uint64_t{4} << 20);
  const testing::PeakMemory peak_of_gdn;
  const Error refused = Model::FromMemory(file.data(), file.size(), "model", options).error();
  CHECK(refused.code == ErrorCode::kBadModel);
  CHECK(refused.message.find("which is negative") != std::string::npos);
  CHECK(peak_of_gdn.Growth() < options.max_memory + kSlack);
}

// Each output of theirs sums one channel: a wide one has few weights.
TEST_CASE("loading: wide depthwise convolutions want no more than they have") {
  using testing::ModelBuilder;
  constexpr int kChannels = 1024;
  ModelBuilder b = testing::MiniModel();
  testing::Json nodes = testing::Json::array();
  nodes.push_back(b.Conv("wide", "x", 3, kChannels, 1, 1));
  nodes.push_back(b.Depthwise("each", "wide", kChannels, 7, 7, 1));
  nodes.push_back(b.Conv("last", "each", kChannels, 2, 3, 2));
  b.document["graphs"]["g_a"] = ModelBuilder::Graph("close", {{"x", 3}}, nodes);
  const std::vector<uint8_t> file = b.Build();
  LoadOptions options;
  options.max_memory = uint64_t{24} << 20;
  const testing::PeakMemory peak;
  const auto model = Model::FromMemory(file.data(), file.size(), "model", options);
  CHECK_MESSAGE(model.ok(), model.error().message);
  CHECK(peak.Growth() < options.max_memory + testing::kSanitizerMemory);
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
