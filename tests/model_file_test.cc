// Model files: a tiny sound one, everything that can be wrong with one, and mutations of every
// byte.
#include "engine/model_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "engine/mapped_file.h"
#include "engine/op.h"
#include "engine/sha256.h"
#include "tests/model_builder.h"
#include "tests/model_checks.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::Json;
using testing::Load;
using testing::ModelBuilder;
using testing::TinyModel;

TEST_CASE("model file: a sound one is what it says") {
  const std::vector<uint8_t> bytes = TinyModel().Build();
  const auto model = Load(bytes);
  REQUIRE_MESSAGE(model.ok(), model.status().message());
  const ModelFile& file = **model;
  CHECK(file.name() == "tiny.safetensors");
  CHECK(file.file_bytes() == bytes.size());
  const Sha256Digest digest = Sha256Of(bytes);
  CHECK(std::memcmp(file.id().data(), digest.data(), 8) == 0);
  CHECK(ToHex(ModelId{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}) == "0123456789abcdef");

  const Graph& g_a = file.graphs().at("g_a");
  CHECK(g_a.numeric_class == NumericClass::kClose);
  CHECK(g_a.channels.at("x") == 3);
  CHECK(g_a.channels.at("ar2.b") == 4);
  CHECK(g_a.output == "as4");
  CHECK(g_a.nodes[0].window.rows == Axis{5, 2, 2});
  CHECK(g_a.nodes[0].window.columns == Axis{5, 2, 2});
  REQUIRE(g_a.nodes[3].matrix.has_value());
  CHECK(g_a.nodes[3].matrix->role == "gamma");
  CHECK(g_a.nodes[3].matrix->squares);
  CHECK(g_a.nodes[6].op->fusion->slope(g_a.nodes[6]) == 0.125f);
  const Graph& step3 = file.graphs().at("step3");
  CHECK(step3.numeric_class == NumericClass::kExact);
  CHECK(step3.channels.at("cat") == 16);
  CHECK_FALSE(step3.nodes[1].window.IsLive(0));
  CHECK(step3.nodes[1].window.IsLive(1));

  const TensorView* weight = file.tensor("a1.weight");
  REQUIRE(weight != nullptr);
  CHECK(weight->shape == std::vector<int64_t>{8, 3, 5, 5});
  CHECK(weight->elements == 600);
  ModelBuilder b = TinyModel();
  float value = 0;
  CopyAsFloat(*weight, 7, 1, &value);
  CHECK(value == b.Float("a1.weight", 7));
  CHECK(file.tensor("nothing") == nullptr);
}

TEST_CASE("model file: nodes are sorted when the file does not") {
  ModelBuilder b = TinyModel();
  Json& nodes = b.document["graphs"]["step3"]["nodes"];
  std::reverse(nodes.begin(), nodes.end());
  const auto model = Load(b.Build());
  REQUIRE_MESSAGE(model.ok(), model.status().message());
  const Graph& graph = (*model)->graphs().at("step3");
  std::vector<std::string> order;
  for (const Node& node : graph.nodes) order.push_back(node.name);
  CHECK(order == std::vector<std::string>{"c11", "c10", "cat", "p11.0", "p11.1", "p11.2"});
}

TEST_CASE("model file: every byte of the header changed, never a crash") {
  const std::vector<uint8_t> good = testing::MiniModel().Build();
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, good.data(), 8);
  const size_t end = 8 + static_cast<size_t>(header_bytes);
  const ModelId id = (*Load(good))->id();
  size_t changed = 0, refused = 0, other_id = 0;
  std::vector<uint8_t> bytes = good;
  for (size_t at = 0; at < end; ++at) {
    // What turns one structure into another: a digit, a bracket, a quote; and a bit.
    const auto bit = static_cast<uint8_t>(good[at] ^ (1u << (at % 8)));
    for (const uint8_t substitute : {uint8_t{'9'}, uint8_t{']'}, uint8_t{'"'}, bit}) {
      if (substitute == good[at]) continue;
      bytes[at] = substitute;
      const auto model = Load(bytes);
      ++changed;
      if (model.ok()) {
        other_id += (*model)->id() != id;
      } else {
        REQUIRE(model.status().code() == StatusCode::kBadModel);
        REQUIRE(!model.status().message().empty());
        ++refused;
      }
    }
    bytes[at] = good[at];
  }
  CHECK(refused + other_id == changed);  // what still loads is another model
  CHECK(refused > changed / 2);
}

TEST_CASE("model file: random bytes changed anywhere, several at a time, never a crash") {
  const std::vector<uint8_t> good = TinyModel().Build();
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, good.data(), 8);
  std::mt19937 random(TestSeed() + 7);
  for (int round = 0; round < 1000; ++round) {
    // Every second time in the header, which is smaller than the data.
    const size_t range = round % 2 == 0 ? good.size() : 8 + static_cast<size_t>(header_bytes);
    std::vector<uint8_t> bytes = good;
    for (uint32_t changes = 1 + random() % 4; changes > 0; --changes) {
      bytes[random() % range] = static_cast<uint8_t>(random());
    }
    const auto model = Load(bytes);
    if (!model.ok()) REQUIRE(model.status().code() == StatusCode::kBadModel);
  }
}

TEST_CASE("model file: loaded from disk as from memory, and files that are none") {
  const TemporaryFolder folder;
  const std::vector<uint8_t> bytes = TinyModel().Build();
  const std::string path = folder.File("model.safetensors");
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  const auto model = ModelFile::Load(path);
  REQUIRE_MESSAGE(model.ok(), model.status().message());
  CHECK((*model)->id() == (*Load(bytes))->id());
  CHECK((*model)->name() == path);

  const auto none = ModelFile::Load(folder.File("none"));
  CHECK(none.status().code() == StatusCode::kNotFound);
  CHECK(none.status().message().rfind(folder.File("none") + ": ", 0) == 0);
  CHECK(ModelFile::Load(folder.File(".")).status().code() == StatusCode::kIo);
  const std::string pipe = folder.File("pipe");
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(ModelFile::Load(pipe).status().message() == pipe + ": is not a regular file");
  const std::string empty = folder.File("empty");
  std::ofstream(empty).flush();
  CHECK(ModelFile::Load(empty).status().message() == empty + ": is empty");
}

TEST_CASE("mapped file: mapped and read are the same, limits, moves") {
  const TemporaryFolder folder;
  const std::string path = folder.File("data");
  std::ofstream(path, std::ios::binary) << "glint glint";
  const std::string want = "glint glint";
  using Access = MappedFile::Access;
  WorkProgress untold;
  for (const auto access : {Access::kMapLarge, Access::kRead, Access::kMap}) {
    MemoryBudget budget(11);
    auto opened = MappedFile::Open(path, 11, access, &budget, &untold);
    CHECK(budget.taken() == (access == Access::kMap ? 0 : 11));
    REQUIRE(opened.ok());
    MappedFile first = std::move(opened).value();
    MappedFile second = std::move(first);
    CHECK(first.bytes().empty());  // NOLINT(bugprone-use-after-move)
    MappedFile third;
    third = std::move(second);
    CHECK(std::string(third.bytes().begin(), third.bytes().end()) == want);
  }
  MemoryBudget budget(10);
  CHECK(MappedFile::Open(path, 10, Access::kMap, &budget, &untold).status().code() ==
        StatusCode::kLimit);
  CHECK(MappedFile::Open(path, 11, Access::kRead, &budget, &untold).status().code() ==
        StatusCode::kLimit);
  CHECK(budget.taken() == 0);
}

TEST_CASE("memory budget: takes to the last byte, and gives back") {
  MemoryBudget budget(100);
  CHECK(budget.Take(60, "a").ok());
  CHECK(budget.Take(40, "b").ok());
  const Status refused = budget.Take(1, "c");
  CHECK(refused.code() == StatusCode::kLimit);
  CHECK(refused.message() == "c would take the memory of the model beyond its limit of 100 bytes");
  CHECK(budget.taken() == 100);
  budget.GiveBack(40);
  CHECK_FALSE(budget.Take(UINT64_MAX, "d").ok());
  CHECK(budget.Take(40, "e").ok());
}

}  // namespace
}  // namespace glint
