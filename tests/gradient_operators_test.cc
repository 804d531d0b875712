// The derivatives in the records of operators (engine/ops/), in graphs.
#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "engine/op.h"
#include "tests/gradient_checks.h"
#include "tests/model_builder.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::Growing;
using testing::Json;
using testing::ModelBuilder;

void AppendAffine(Growing* g) {
  Json node = ModelBuilder::Simple(g->Name(), "affine", {g->x});
  const int roles = g->Draw(1, 3);
  for (const char* role : {"factor", "shift"}) {
    if ((roles & (*role == 'f' ? 1 : 2)) == 0) continue;
    node["weights"][role] = g->Name() + "." + role;
    g->builder.AddRandom(g->Name() + "." + role, {g->channels}, -1.5f, 1.5f);
  }
  g->Append(node, g->channels);
}

// Parts that overlap or leave channels out, one beside the other, and one of them twice.
void AppendParts(Growing* g) {
  const std::string whole = g->x;
  const int channels = g->channels;
  std::vector<std::string> parts = {whole};
  int sum = channels;
  for (int i = 0; i < 3; ++i) {
    const int begin = g->Draw(0, channels - 1), end = g->Draw(begin + 1, channels);
    Json node = ModelBuilder::Simple(g->Name(), "slice", {whole});
    node.update({{"begin", begin}, {"end", end}});
    g->Append(node, end - begin);
    parts.push_back(g->x);
    sum += end - begin;
  }
  parts.push_back(g->x);
  g->Append(ModelBuilder::Simple(g->Name(), "concat", parts), sum + g->channels);
}

// Back to the rows that it had, or to half of them.
void AppendUnshuffle(Growing* g) {
  g->Deconv(g->Draw(1, 3), 3);
  const int factor = 1 << g->Draw(1, 2);
  g->Append("pixel_unshuffle", {{"factor", factor}});
  g->channels *= factor * factor;
}

void AppendDepthwise(Growing* g, int stride) {
  const int rows = 2 * g->Draw(0, 5) + 1, columns = 2 * g->Draw(0, 5) + 1;
  g->Append(g->builder.Depthwise(g->Name(), g->x, g->channels, rows, columns, stride), g->channels);
}

void AppendShuffle(Growing* g, const char* order) {
  const int factor = 1 << g->Draw(1, 2), outputs = g->Draw(1, 3);
  g->Conv(factor * factor * outputs, 1);
  g->Append("pixel_shuffle", {{"factor", factor}, {"order", order}});
  g->channels = outputs;
}

void AppendConv(Growing* g, int stride, const char* mask) {
  const int least = *mask == 'n' ? 0 : 1;
  g->Conv(g->Draw(1, 6), 2 * g->Draw(least, 5) + 1, stride, mask);
}

void AppendGdn(Growing* g, bool inverse, const char* form) {
  g->Append(g->builder.Gdn(g->Name(), g->x, g->channels, inverse, form), g->channels);
}

// Of x and what a convolution makes of it, or of x and x.
void AppendOfTwo(Growing* g, const char* op, bool own) {
  const std::string x = g->x;
  if (!own) g->Conv(g->channels, 3);
  g->Append(ModelBuilder::Simple(g->Name(), op, {x, g->x}), g->channels);
}

// Each behind a transposed convolution and in front of a convolution.
constexpr struct {
  const char* about;
  void (*append)(Growing* g);
} kParts[] = {
    {"abs", [](Growing* g) { g->Append("abs"); }},
    {"add", [](Growing* g) { AppendOfTwo(g, "add", false); }},
    {"add, of itself", [](Growing* g) { AppendOfTwo(g, "add", true); }},
    {"affine", AppendAffine},
    {"concat, of slices", AppendParts},
    {"conv2d", [](Growing* g) { AppendConv(g, 1, "none"); }},
    {"conv2d, strided", [](Growing* g) { AppendConv(g, 2, "none"); }},
    {"conv2d, checkerboard", [](Growing* g) { AppendConv(g, 1, "checkerboard"); }},
    {"conv2d, causal", [](Growing* g) { AppendConv(g, 1, "causal"); }},
    {"conv_transpose2d", [](Growing* g) { g->Deconv(g->Draw(1, 6), g->Draw(3, 5)); }},
    {"depthwise_conv2d", [](Growing* g) { AppendDepthwise(g, 1); }},
    {"depthwise_conv2d, strided", [](Growing* g) { AppendDepthwise(g, 2); }},
    {"gain",
     [](Growing* g) {
       g->Append(g->builder.Gain(g->Name(), g->x, g->channels, 0.2f, 0.3f), g->channels);
     }},
    {"gdn, abs", [](Growing* g) { AppendGdn(g, false, "abs"); }},
    {"gdn, sqrt", [](Growing* g) { AppendGdn(g, false, "sqrt"); }},
    {"gdn, abs, inverse", [](Growing* g) { AppendGdn(g, true, "abs"); }},
    {"gdn, sqrt, inverse", [](Growing* g) { AppendGdn(g, true, "sqrt"); }},
    {"gelu", [](Growing* g) { g->Append("gelu"); }},
    {"layer_norm",
     [](Growing* g) {
       g->Norm("layer_norm", {"weight", "bias"});
     }},
    {"leaky_relu",
     [](Growing* g) {
       g->Append("leaky_relu", {{"slope", g->Draw(0, 8) / 8.0}});
     }},
    {"multiply", [](Growing* g) { AppendOfTwo(g, "multiply", false); }},
    {"multiply, by itself", [](Growing* g) { AppendOfTwo(g, "multiply", true); }},
    {"pixel_shuffle, crd", [](Growing* g) { AppendShuffle(g, "crd"); }},
    {"pixel_shuffle, dcr", [](Growing* g) { AppendShuffle(g, "dcr"); }},
    {"pixel_unshuffle", AppendUnshuffle},
    {"relu", [](Growing* g) { g->Append("relu"); }},
    {"rms_norm", [](Growing* g) { g->Norm("rms_norm", {"weight"}); }},
    {"sigmoid", [](Growing* g) { g->Append("sigmoid"); }},
    {"silu",
     [](Growing* g) {
       g->Append("silu", {{"factor", g->Draw(1, 30) / 10.0}});
     }},
    {"slice, of which a concat is made", AppendParts},
};

// Whether the list has it.
bool IsTried(const std::string& op) {
  return std::any_of(std::begin(kParts), std::end(kParts), [&](const auto& part) {
    const std::string about = part.about;
    return about.substr(0, about.find(',')) == op;
  });
}

TEST_CASE("gradient graph: of each operator, in each of its forms") {
  for (const Op* op : Operators()) {
    const char* name = op->name;
    if (op->derivative->backward != nullptr) CHECK_MESSAGE(IsTried(name), name);
  }
  std::mt19937 random(TestSeed() + 2703);
  for (const auto& part : kParts) {
    CAPTURE(part.about);
    Growing g(&random, static_cast<int>(1 + random() % 5));
    g.Deconv(g.Draw(1, 7), 5);
    part.append(&g);
    g.Conv(g.Draw(1, 3), 3);
    testing::CheckByDifferences(*g.Finish(), &random, 3, g.Draw(1, 4));
  }
}

}  // namespace
}  // namespace glint
