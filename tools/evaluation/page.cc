#include "tools/evaluation/page.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <tuple>

#include "glint/image_io.hpp"
#include "tools/common/machine.h"
#include "tools/common/text.h"
#include "tools/evaluation/curves.h"
#include "tools/page/html_page.h"

namespace glint::tools {
namespace {

constexpr uint32_t kLeastCell = 16;
// Of what is shown of a picture; the first where there are many.
constexpr PartSize kPartSizes[] = {{384, 256}, {1536, 1024}};
constexpr uint64_t kNumberBytes = 8;  // that a number of a map of bits takes in JSON, about

Expected<std::string> PngText(const Picture& picture, const ShownPart& part) {
  const Expected<std::vector<uint8_t>> png = EncodePng(PartOf(picture, part));
  if (!png) return png.error();
  return Base64({reinterpret_cast<const char*>(png->data()), png->size()});
}

// The cells of the part, which begins where one does. null without a map.
Json BitsJson(const BitsMap& map, const ShownPart& part) {
  if (map.bits.empty()) return nullptr;
  const uint32_t left = part.x / map.cell, top = part.y / map.cell;
  const uint32_t columns = (part.width + map.cell - 1) / map.cell;
  const uint32_t rows = (part.height + map.cell - 1) / map.cell;
  Json values = Json::array();
  for (uint32_t v = top; v < top + rows; ++v) {
    for (uint32_t u = left; u < left + columns; ++u) {
      const double bits = double{map.bits[size_t{v} * map.columns + u]};
      values.push_back(std::round(bits * 10) / 10);
    }
  }
  return Json{{"cell", map.cell}, {"columns", columns}, {"values", std::move(values)}};
}

Json PointsJson(const std::vector<RatePoint>& points) {
  Json json = Json::array();
  for (const RatePoint& point : points) json.push_back({point.rate, Finite(point.quality)});
  return json;
}

Json CurvesJson(const std::vector<Evaluation>& evaluations,
                const std::vector<QualityCurve>& curves) {
  Json json = Json::array();
  const auto add = [&json](const QualityCurve& curve) {
    json.push_back({{"name", curve.name},
                    {"from_file", curve.from_file},
                    {"psnr", PointsJson(curve.psnr)},
                    {"ms_ssim", PointsJson(curve.ms_ssim)}});
  };
  for (const Evaluation& evaluation : evaluations) {
    QualityCurve curve;
    if (!evaluation.measurements.empty()) curve = CurveOf(evaluation);
    curve.name = evaluation.label;
    add(curve);
  }
  for (const QualityCurve& curve : curves) add(curve);
  return json;
}

// Where windows of `size` may begin: at multiples of `step`, which is one of `cell`, and at the
// end.
std::vector<uint32_t> Begins(uint32_t all, uint32_t size, uint32_t cell) {
  const uint32_t step = std::max(cell, size / 4 / cell * cell);
  std::vector<uint32_t> begins;
  for (uint32_t at = 0; at + size < all; at += step) begins.push_back(at);
  begins.push_back((all - size + cell - 1) / cell * cell);
  return begins;
}

}  // namespace

Picture PartOf(const Picture& picture, const ShownPart& part) {
  Picture out;
  out.info = picture.info;
  out.info.width = part.width;
  out.info.height = part.height;
  const size_t pixel = picture.info.channels, row = picture.info.RowBytes();
  for (size_t y = part.y; y < size_t{part.y} + part.height; ++y) {
    const auto from =
        picture.samples.begin() + static_cast<std::ptrdiff_t>(y * row + part.x * pixel);
    out.samples.insert(out.samples.end(), from,
                       from + static_cast<std::ptrdiff_t>(part.width * pixel));
  }
  return out;
}

ShownPart PartWithMostError(const Picture& original, const Picture& decoded, PartSize most_size,
                            uint32_t cell) {
  const uint32_t all_width = original.info.width, all_height = original.info.height;
  const uint32_t width = std::min(all_width, most_size.width);
  const uint32_t height = std::min(all_height, most_size.height);
  // Sums of squared errors of squares of cells, from which those of windows are.
  const uint32_t columns = (all_width + cell - 1) / cell, rows = (all_height + cell - 1) / cell;
  std::vector<uint64_t> errors(size_t{columns} * rows);
  const size_t row_bytes = original.info.RowBytes();
  for (size_t y = 0; y < all_height; ++y) {
    uint64_t* const line = errors.data() + y / cell * columns;
    const uint8_t* const a = original.samples.data() + y * row_bytes;
    const uint8_t* const b = decoded.samples.data() + y * row_bytes;
    for (size_t i = 0; i < row_bytes; ++i) {
      const int difference = int{a[i]} - int{b[i]};
      line[i / 3 / cell] += static_cast<uint64_t>(difference * difference);
    }
  }
  ShownPart best{0, 0, width, height};
  uint64_t most = 0;
  for (const uint32_t y : Begins(all_height, height, cell)) {
    for (const uint32_t x : Begins(all_width, width, cell)) {
      uint64_t sum = 0;
      const uint32_t right = x + width >= all_width ? columns : (x + width) / cell;
      const uint32_t bottom = y + height >= all_height ? rows : (y + height) / cell;
      for (uint32_t v = y / cell; v < bottom; ++v) {
        for (uint32_t u = x / cell; u < right; ++u) sum += errors[size_t{v} * columns + u];
      }
      if (sum <= most) continue;
      most = sum;
      best = {x, y, std::min(width, all_width - x), std::min(height, all_height - y)};
    }
  }
  return best;
}

Expected<EvaluationPage::Shown*> EvaluationPage::Find(const Picture& original,
                                                      const Picture& decoded, const Measurement& m,
                                                      const BitsMap& bits) {
  const auto known = shown_.find(m.picture);
  if (known != shown_.end()) return &known->second;
  Shown shown;
  shown.name = m.name;
  shown.width = m.width;
  shown.height = m.height;
  shown.badness = -std::numeric_limits<double>::infinity();
  for (const PartSize& size : kPartSizes) {
    Part part;
    part.pixels = PartWithMostError(original, decoded, size, std::max(kLeastCell, bits.cell));
    const bool is_all = part.pixels.width == m.width && part.pixels.height == m.height;
    Expected<std::string> png = PngText(original, part.pixels);
    if (!png) return png.error();
    part.png = std::move(*png);
    part.bytes = part.png.size();
    shown.parts.push_back(std::move(part));
    if (is_all) break;
  }
  bytes_ += shown.parts.back().bytes;
  return &shown_.emplace(m.picture, std::move(shown)).first->second;
}

Error EvaluationPage::Add(const Picture& original, const Coded& coded, const BitsMap& bits,
                          size_t model) {
  const Measurement& m = coded.measurement;
  if (!MayShow(m.picture)) return {};
  const Picture before = AsSeen(original), after = AsSeen(coded.decoded);
  const Expected<Shown*> found = Find(before, after, m, bits);
  if (!found) return found.error();
  Shown& shown = **found;
  shown.psnr.push_back(m.psnr);
  bytes_ -= shown.parts.back().bytes;
  for (Part& part : shown.parts) {
    Expected<std::string> png = PngText(after, part.pixels);
    if (!png) return png.error();
    CodedPart one{model, m.point, std::move(*png), BitsJson(bits, part.pixels)};
    const uint64_t numbers = one.bits.is_null() ? 0 : one.bits["values"].size();
    part.bytes += one.png.size() + kNumberBytes * numbers;
    part.coded.push_back(std::move(one));
  }
  bytes_ += shown.parts.back().bytes;
  return {};
}

void EvaluationPage::EndStep(size_t picture) {
  const auto at = shown_.find(picture);
  if (at == shown_.end()) return;
  Shown& shown = at->second;
  double badness = shown.psnr.size() == 1 ? -shown.psnr[0] : shown.badness;
  for (size_t i = 1; i < shown.psnr.size(); ++i) {
    const double loss = shown.psnr[0] - shown.psnr[i];
    if (!std::isnan(loss)) badness = std::max(badness, loss);  // NaN: neither lost anything
  }
  shown.badness = std::max(shown.badness, badness);
  shown.psnr.clear();
  KeepWithinSize();
}

void EvaluationPage::Remove(size_t picture) {
  const auto at = shown_.find(picture);
  if (at != shown_.end()) {
    bytes_ -= at->second.parts.back().bytes;
    shown_.erase(at);
  }
  left_out_.erase(picture);
}

// The best picture that is shown large is shown small. When there is none, the best one goes, and
// before it one that would not fit alone.
void EvaluationPage::KeepWithinSize() {
  const auto order = [this](const Shown& shown) {
    const bool is_small = shown.parts.size() == 1;
    const bool fits = shown.parts.back().bytes <= most_bytes_;
    return std::tuple(is_small, fits, shown.badness);
  };
  while (bytes_ > most_bytes_) {
    const auto next = std::min_element(
        shown_.begin(), shown_.end(),
        [&](const auto& a, const auto& b) { return order(a.second) < order(b.second); });
    Shown& shown = next->second;
    bytes_ -= shown.parts.back().bytes;
    shown.parts.pop_back();
    if (!shown.parts.empty()) {
      bytes_ += shown.parts.back().bytes;
      continue;
    }
    left_out_.insert(next->first);
    shown_.erase(next);
  }
}

void EvaluationPage::AddLayers(const std::string& name, const std::vector<LayerLine>& lines) {
  layers_.push_back({{"name", name}, {"layers", LinesJson(lines)}});
}

std::string EvaluationPage::Html(const EvaluationRun& run,
                                 const std::vector<Evaluation>& evaluations,
                                 const std::vector<QualityCurve>& curves,
                                 const Json& result) const {
  HtmlParts parts;
  Json labels = Json::array(), rates = Json::array();
  for (size_t model = 0; model < run.models.size(); ++model) {
    labels.push_back(run.models[model].label);
    Json names = Json::array();
    for (size_t point = 0; point < run.points.size(); ++point) {
      names.push_back(RateName(run, model, point));
    }
    rates.push_back(std::move(names));
  }
  Json shown = Json::array();
  size_t small = 0;
  for (const auto& [index, picture] : shown_) {
    const Part& part = picture.parts.back();
    const ShownPart& pixels = part.pixels;
    const std::string id = "picture-" + std::to_string(shown.size());
    parts.pictures.emplace_back(id, part.png);
    Json coded = Json::array();
    for (const CodedPart& one : part.coded) {
      const std::string coded_id = id + "-" + std::to_string(coded.size());
      parts.pictures.emplace_back(coded_id, one.png);
      coded.push_back(
          {{"model", one.model}, {"rate", one.point}, {"picture", coded_id}, {"bits", one.bits}});
    }
    shown.push_back(
        {{"name", picture.name},
         {"picture", index},
         {"width", picture.width},
         {"height", picture.height},
         {"part",
          {{"x", pixels.x}, {"y", pixels.y}, {"width", pixels.width}, {"height", pixels.height}}},
         {"original", id},
         {"coded", std::move(coded)}});
    if (pixels.width < picture.width || pixels.height < picture.height) ++small;
  }
  std::string note;
  if (small > 0) note = "Of " + Count(small, "picture") + " only a part is shown. ";
  if (!left_out_.empty()) {
    note += Count(left_out_.size(), "picture") +
            " left out, with less error or too large, to keep the others below " +
            ByteSize(static_cast<double>(most_bytes_)) + ". ";
  }
  if (shown_.empty()) note += "No pictures are in this page. ";
  parts.title = "Glint: " + run.source;
  parts.body = page::kEvaluationHtml;
  parts.scripts = {page::kViewerJs, page::kEvaluationJs};
  parts.data = Json{{"command", command_},
                    {"source", run.source},
                    {"version", run.version},
                    {"time", LocalTime("%Y-%m-%d %H:%M")},
                    {"labels", std::move(labels)},
                    {"rates", std::move(rates)},
                    {"curves", CurvesJson(evaluations, curves)},
                    {"shown", std::move(shown)},
                    {"shown_note", note},
                    {"layers", layers_},
                    {"layers_note", layers_note_},
                    {"evaluation", result}};
  return HtmlPage(parts);
}

}  // namespace glint::tools
