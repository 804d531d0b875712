// Pages of results: what comes from outside cannot leave its place, what is shown of a picture, and
// how large a page gets.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "glint/image_io.hpp"
#include "tests/picture_helpers.h"
#include "tests/seed.h"
#include "tools/evaluation/page.h"
#include "tools/page/html_page.h"

namespace glint::tools {
namespace {

size_t CountOf(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

Picture Noise(uint32_t width, uint32_t height, std::mt19937* random) {
  return RandomPicture(MakeInfo(width, height, 3, false, 8), random);
}

// Squared error of a part, sample by sample.
uint64_t ErrorOf(const Picture& a, const Picture& b, const ShownPart& part) {
  uint64_t sum = 0;
  for (uint32_t y = part.y; y < part.y + part.height; ++y) {
    for (uint32_t x = 3 * part.x; x < 3 * (part.x + part.width); ++x) {
      const size_t at = y * a.info.RowBytes() + x;
      const int difference = int{a.samples[at]} - int{b.samples[at]};
      sum += static_cast<uint64_t>(difference * difference);
    }
  }
  return sum;
}

Coded CodedAs(size_t picture, size_t point, double psnr, Picture decoded) {
  Coded coded;
  coded.measurement.name = "p" + std::to_string(picture);
  coded.measurement.picture = picture;
  coded.measurement.point = point;
  coded.measurement.psnr = psnr;
  coded.measurement.width = decoded.info.width;
  coded.measurement.height = decoded.info.height;
  coded.decoded = std::move(decoded);
  return coded;
}

EvaluationRun RunOf(size_t models, size_t points) {
  EvaluationRun run;
  run.source = "folder";
  run.models.resize(models);
  for (size_t m = 0; m < models; ++m) {
    run.models[m].label = "M" + std::to_string(m);
    run.models[m].members.resize(1);
  }
  for (size_t p = 0; p < points; ++p) run.points.push_back({0.001 * static_cast<double>(p + 1), 0});
  return run;
}

}  // namespace

TEST_CASE("page: Base64 is that of RFC 4648") {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& one : cases) CHECK(Base64(one.first) == one.second);
  CHECK(Base64(std::string("\xFF\xFE\x00", 3)) == "//4A");
}

TEST_CASE("page: names cannot leave their place") {
  const std::string name = "</script><script>alert(1)</script>\xFF&amp;\"'@DATA@@SCRIPT@";
  HtmlParts parts;
  parts.title = name;
  parts.body = page::kEvaluationHtml;
  parts.data = Json{{"name", name}};
  const std::string html = HtmlPage(parts);
  CHECK(html.find("<script>alert") == std::string::npos);
  CHECK(CountOf(html, "</script>") == 2);  // of the data, and of the script
  CHECK(CountOf(html, "@TITLE@") == 0);
  // And comes back as it was, but for what is no UTF-8.
  const size_t begin = html.find("id=\"data\">") + 10;
  const Json data = Json::parse(html.substr(begin, html.find("</script>", begin) - begin));
  CHECK(data["name"] == "</script><script>alert(1)</script>\uFFFD&amp;\"'@DATA@@SCRIPT@");
}

TEST_CASE("page: no file of its own ends a script, or is missing") {
  for (const std::string_view file : {page::kChartsJs, page::kViewerJs, page::kEvaluationJs,
                                      page::kBenchJs, page::kThemeCss, page::kStyleCss}) {
    CHECK(file.size() > 100);
    CHECK(file.find("</") == std::string_view::npos);
  }
}

TEST_CASE("page: of a large picture the part with most error is shown") {
  std::mt19937 random(TestSeed());
  const auto draw = [&](uint32_t most) {
    return std::uniform_int_distribution<uint32_t>(0, most)(random);
  };
  for (int round = 0; round < 60; ++round) {
    // Large in one direction, in both, or in none.
    constexpr PartSize kMost = {384, 256};
    const uint32_t width = round % 2 == 0 ? 20 + draw(300) : kMost.width + 1 + draw(500);
    const uint32_t height = round % 3 == 0 ? 20 + draw(200) : kMost.height + 1 + draw(400);
    const uint32_t cell = round % 5 == 0 ? 64 : 16;
    CAPTURE(width);
    CAPTURE(height);
    Picture original = Noise(width, height, &random);
    Picture decoded = original;
    // Errors in a spot, and few elsewhere.
    const uint32_t x = draw(width - 10), y = draw(height - 10);
    for (uint32_t v = y; v < y + 10; ++v) {
      for (uint32_t i = 3 * x; i < 3 * (x + 10); ++i) {
        decoded.samples[v * original.info.RowBytes() + i] ^= 0x80;
      }
    }
    const ShownPart part = PartWithMostError(original, decoded, kMost, cell);
    CHECK(part.x % cell == 0);
    CHECK(part.y % cell == 0);
    CHECK(part.width <= kMost.width);
    CHECK(part.height <= kMost.height);
    CHECK(part.x + part.width <= width);
    CHECK(part.y + part.height <= height);
    if (width <= kMost.width) CHECK(part.width == width);
    if (height <= kMost.height) CHECK(part.height == height);
    const ShownPart whole{0, 0, width, height};
    CHECK(2 * ErrorOf(original, decoded, part) >= ErrorOf(original, decoded, whole));
    const Picture cut = PartOf(original, part);
    CHECK(cut.samples.size() == size_t{3} * part.width * part.height);
    CHECK(ErrorOf(cut, PartOf(decoded, part), {0, 0, part.width, part.height}) ==
          ErrorOf(original, decoded, part));
  }
}

TEST_CASE("page: keeps the worst pictures within its size, all rates and models of each") {
  std::mt19937 random(TestSeed() + 1);
  constexpr uint64_t kMost = 60'000;  // some seven of the pictures
  EvaluationPage page("evaluate 'a b'", kMost);
  const EvaluationRun run = RunOf(2, 2);
  // Losses of picture i: i tenths of a dB. In an order that is not theirs.
  std::vector<size_t> order = {5, 0, 9, 3, 7, 1, 8, 2, 6, 4};
  std::vector<Evaluation> evaluations(2);
  for (const size_t point : {size_t{0}, size_t{1}}) {
    for (const size_t i : order) {
      const Picture original = Noise(24, 16, &random);
      for (const size_t model : {size_t{0}, size_t{1}}) {
        const double psnr = 20 + static_cast<double>(7 * i % 10) -
                            (model == 0 ? 0.0 : 0.1 * static_cast<double>(i));
        const Coded coded = CodedAs(i, point, psnr, Noise(24, 16, &random));
        BitsMap bits;
        bits.cell = 16;
        bits.rows = 1;
        bits.columns = 2;
        bits.bits = {3.25F, 7};
        REQUIRE(page.Add(original, coded, i == 9 ? BitsMap() : bits, model).ok());
        evaluations[model].measurements.push_back(coded.measurement);
      }
      page.EndStep(i);
    }
  }
  const std::string html = page.Html(run, evaluations, {}, Json::object());
  CHECK(html.size() < kMost + 100'000);
  const size_t begin = html.find("id=\"data\">") + 10;
  const Json data = Json::parse(html.substr(begin, html.find("</script>", begin) - begin));
  CHECK(data["command"] == "evaluate 'a b'");
  REQUIRE(data["shown"].size() >= 2);
  // Those shown are the worst.
  std::vector<size_t> shown;
  for (const Json& picture : data["shown"]) {
    shown.push_back(picture["picture"]);
    CHECK(picture["coded"].size() == 4);
    CHECK(html.find("id=\"" + std::string(picture["original"]) + "\">iVBOR") != std::string::npos);
    for (const Json& coded : picture["coded"]) {
      CHECK(html.find("id=\"" + std::string(coded["picture"]) + "\">iVBOR") != std::string::npos);
      CHECK(coded["bits"].is_null() == (picture["picture"] == 9));
    }
  }
  std::vector<size_t> worst;
  for (size_t i = 10 - shown.size(); i < 10; ++i) worst.push_back(i);
  CHECK(shown == worst);
  CHECK(std::string(data["shown_note"]).find(std::to_string(10 - shown.size()) + " picture") == 0);
}

TEST_CASE("page: of the better pictures small parts are shown before any is left out") {
  std::mt19937 random(TestSeed() + 3);
  EvaluationPage page("evaluate", 4'000'000);  // two of the pictures, or one and a few parts
  for (size_t i = 0; i < 3; ++i) {
    const Picture original = Noise(600, 400, &random);
    const double psnr = 30 + static_cast<double>(i);
    REQUIRE(page.Add(original, CodedAs(i, 0, psnr, Noise(600, 400, &random)), {}, 0).ok());
    page.EndStep(i);
  }
  const std::vector<Evaluation> evaluations(1);
  const std::string html = page.Html(RunOf(1, 1), evaluations, {}, Json::object());
  CHECK(html.size() < 4'100'000);
  const size_t begin = html.find("id=\"data\">") + 10;
  const Json data = Json::parse(html.substr(begin, html.find("</script>", begin) - begin));
  REQUIRE(data["shown"].size() == 3);
  std::vector<int> widths;
  for (const Json& picture : data["shown"]) widths.push_back(picture["part"]["width"]);
  CHECK(widths == std::vector<int>{600, 384, 384});
  CHECK(data["shown_note"] == "Of 2 pictures only a part is shown. ");
}

TEST_CASE("page: a picture that is larger than the page is left out, and said to be") {
  std::mt19937 random(TestSeed() + 2);
  EvaluationPage page("evaluate", 1000);
  const Picture original = Noise(64, 64, &random);
  const auto add = [&](size_t picture, double psnr, const Picture& shown) {
    REQUIRE(page.Add(shown, CodedAs(picture, 0, psnr, shown), {}, 0).ok());
    page.EndStep(picture);
  };
  add(0, 30, original);
  CHECK_FALSE(page.MayShow(0));
  const std::vector<Evaluation> evaluations(1);
  const std::string html = page.Html(RunOf(1, 1), evaluations, {}, Json::object());
  CHECK(html.find("1 picture left out") != std::string::npos);
  CHECK(html.find("iVBOR") == std::string::npos);
  // One that fits stays, although it is better.
  add(1, 50, Noise(4, 4, &random));
  add(2, 10, original);
  CHECK(page.MayShow(1));
  CHECK_FALSE(page.MayShow(2));
  CHECK(page.Html(RunOf(1, 1), evaluations, {}, Json::object()).find("iVBOR") != std::string::npos);
  // And goes when it failed after all.
  page.Remove(1);
  CHECK(page.Html(RunOf(1, 1), evaluations, {}, Json::object()).find("iVBOR") == std::string::npos);
}

}  // namespace glint::tools
