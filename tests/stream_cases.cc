#include "tests/stream_cases.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <random>
#include <sstream>
#include <utility>

#include "codec/model/model_impl.h"
#include "engine/row_ledger.h"
#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"
#include "tests/drawn_model.h"
#include "tests/draws.h"
#include "tests/model_builder.h"
#include "tests/picture_helpers.h"
#include "tests/recording_taker.h"

namespace glint::testing {
namespace {

using Stream = std::vector<uint8_t>;

constexpr const char* kShipped[] = {"light-fp32",       "light-fp16",         "light-int16",
                                    "light-int8",       "light-int8-entropy", "light-msssim-fp32",
                                    "light-msssim-int8"};
constexpr uint32_t kShippedCount = std::size(kShipped);
constexpr int kMostSegmentRows = 4096;  // of a model file
constexpr int kMostHeight = 6000;

bool IsShipped(const std::string& name) { return name.rfind("light-", 0) == 0; }

std::vector<uint8_t> SmallModelFile(const std::string& name) {
  const size_t space = name.find(' ');
  REQUIRE(space != std::string::npos);
  const std::string kind = name.substr(0, space);
  const auto seed = static_cast<uint32_t>(std::stoul(name.substr(space + 1)));
  if (kind == "tiny") return TinyModel(seed).Build();
  if (kind == "integer") return IntegerModel(seed).Build();
  if (kind == "float16") return Float16Model(seed).Build();
  if (kind == "dynamic") return DynamicModel(seed).Build();
  if (kind == "mini") return MiniModel(seed).Build();
  if (kind == "drawn") return DrawnModel(seed).Build();
  REQUIRE(kind == "drawn-integer");
  return WithIntegers(DrawnModel(seed)).Build();
}

// The same model with segments of that many rows, and `more` rows of z ahead.
Stream WithSegments(const Stream& file, int segment_rows, int more) {
  uint64_t header_size = 0;
  std::memcpy(&header_size, file.data(), 8);
  const auto tensors = file.begin() + 8 + static_cast<std::ptrdiff_t>(header_size);
  Json header = Json::parse(file.begin() + 8, tensors);
  Json document = Json::parse(header["__metadata__"]["glint"].get<std::string>());
  Json& coding = document["coding"];
  if (coding["segment_rows"] == segment_rows && more == 0) return file;
  coding["segment_rows"] = segment_rows;
  for (Json& step : coding["steps"]) {
    if (step["codes"] == "z") step["ahead"] = step["ahead"].get<int>() + more;
  }
  header["__metadata__"]["glint"] = document.dump();
  std::string text = header.dump();
  text.resize((text.size() + 8 + 63) / 64 * 64 - 8, ' ');
  header_size = text.size();
  Stream changed(8);
  std::memcpy(changed.data(), &header_size, 8);
  changed.insert(changed.end(), text.begin(), text.end());
  changed.insert(changed.end(), tensors, file.end());
  return changed;
}

// The least number of rows of z ahead, from the model's own upwards, with which the model is sound.
Model LoadWithSegments(const Stream& file, int segment_rows) {
  constexpr int kMostAhead = 40;
  for (int more = 0;; ++more) {
    const Stream changed = WithSegments(file, segment_rows, more);
    auto model = Model::FromMemory(changed.data(), changed.size(), "test.safetensors");
    if (model.ok()) return *model;
    const std::string& message = model.error().message;
    const bool too_few = message.find(": ahead is ") != std::string::npos &&
                         message.find(", segment ") != std::string::npos;
    REQUIRE_MESSAGE((too_few && more < kMostAhead), model.error().message);
  }
}

// ---- drawing -----------------------------------------------------------------------------------

StreamSetting DrawSetting(const std::string& target, Draws* draws) {
  StreamSetting setting;
  setting.target = target;
  setting.threads = draws->Whole(1, 5);
  setting.band_rows = draws->Percent(20) ? 0 : draws->Whole(1, 200);
  return setting;
}

std::string OtherTarget(const std::string& target, Draws* draws) {
  std::vector<std::string> others = SupportedTargets();
  if (others.size() > 1) others.erase(std::find(others.begin(), others.end(), target));
  return draws->Of(others);
}

void DrawShippedModel(uint32_t seed, uint32_t index, StreamCase* c, std::string* target,
                      std::string* other) {
  const uint32_t number = index / 5 % kShippedCount;
  Draws draws({seed, index / kCasesWithSameModels, number, 1});
  c->model = kShipped[number];
  c->segment_rows = draws.Percent(50) ? 64 : draws.Whole(3, 40);
  *target = draws.Of(SupportedTargets());
  *other = OtherTarget(*target, &draws);
}

void DrawSmallModel(Draws* draws, StreamCase* c, std::string* target, std::string* other) {
  static const std::vector<std::string> kKinds = {"tiny", "integer", "float16",      "dynamic",
                                                  "mini", "drawn",   "drawn-integer"};
  c->model = draws->Of(kKinds) + " " + std::to_string(draws->Whole(1, 1000));
  c->segment_rows = draws->Percent(40)   ? 64
                    : draws->Percent(50) ? draws->Whole(1, 16)
                                         : draws->Whole(17, 100);
  *target = draws->Of(SupportedTargets());
  *other = OtherTarget(*target, draws);
}

// Around the border of a segment, narrow and tall, wide and short, or neither; at most
// `most_pixels`. `stride` is that of the latents.
void DrawSize(int stride, int segment_rows, int most_pixels, Draws* draws, PictureInfo* info) {
  const int segment_height = segment_rows * stride;
  const int tallest = std::min(kMostHeight, 6 * segment_height);
  const int shape = draws->Whole(0, 99);
  int height = 0, width = 0;
  if (shape < 55) {
    height = std::min(tallest, draws->Whole(1, 6) * segment_height) + draws->Whole(-17, 17);
    // Bands of the coder of latents depend on the threads where there are more than 8 columns.
    width = draws->Percent(50) ? draws->Whole(1, 80) : stride * draws->Whole(8, 40);
    width += draws->Percent(50) ? 0 : draws->Whole(0, stride - 1);
  } else if (shape < 75) {
    height = draws->Whole(1, tallest);
    width = draws->Whole(1, 80);
  } else if (shape < 85) {
    height = draws->Whole(1, 48);
    width = draws->Whole(1, 3000);
  } else {
    height = draws->Whole(1, std::min(tallest, 1500));
    width = draws->Whole(1, 500);
  }
  height = std::clamp(height, 1, kMostHeight);
  width = std::clamp(width, 1, std::max(1, most_pixels / height));
  info->height = static_cast<uint32_t>(height);
  info->width = static_cast<uint32_t>(width);
}

void DrawForm(Draws* draws, PictureInfo* info) {
  info->channels = draws->Percent(15) ? 1 : 3;
  info->has_alpha = draws->Percent(10);
  info->bit_depth = draws->Percent(10) ? 16 : 8;
  if (info->channels == 1 && draws->Percent(20)) {
    info->bit_depth = static_cast<uint32_t>(draws->Of({1, 2, 4}));
  }
}

double DrawRate(const ModelInfo& info, Detail detail, Draws* draws) {
  const int kind = draws->Whole(0, 9);
  const bool off = detail == Detail::kOff;
  if (info.has_fixed_rate() && (off || kind == 2)) return 0;
  const double low = off ? info.lrd_min : info.detail_lrd_min;
  const double high = off ? info.lrd_max : info.detail_lrd_max;
  if (kind == 0) return low;
  if (kind == 1) return high;
  return low * std::pow(high / low, draws->Real(0.001, 0.999));
}

void DrawDetails(const ModelInfo& info, Draws* draws, StreamCase* c) {
  const int kind = draws->Whole(0, 99);
  c->detail = kind < 40 ? Detail::kOff : kind < 80 ? Detail::kAuto : Detail::kOn;
  if (kind >= 70 && kind < 80) {
    c->lossless = c->info.bit_depth <= 8 && draws->Percent(50);
    if (!c->lossless) c->max_error = draws->Percent(70) ? draws->Whole(0, 6) : draws->Whole(0, 127);
  } else {
    c->lrd = DrawRate(info, c->detail, draws);
  }
}

// ---- pictures ----------------------------------------------------------------------------------

// value(x, y, channel) is in 0..1.
template <typename Value>
Picture PictureOf(const PictureInfo& info, const Value& value) {
  Picture picture;
  picture.info = info;
  picture.samples.reserve(info.RowBytes() * info.height);
  const double most = static_cast<double>((1U << info.bit_depth) - 1);
  for (uint32_t y = 0; y < info.height; ++y) {
    for (uint32_t x = 0; x < info.width; ++x) {
      for (size_t channel = 0; channel < info.SamplesPerPixel(); ++channel) {
        const auto sample = static_cast<uint16_t>(std::lround(most * value(x, y, channel)));
        uint8_t bytes[2];
        std::memcpy(bytes, &sample, 2);
        const uint8_t byte = static_cast<uint8_t>(sample);
        if (info.SampleBytes() == 1) bytes[0] = byte;
        picture.samples.insert(picture.samples.end(), bytes, bytes + info.SampleBytes());
      }
    }
  }
  return picture;
}

// Letters of a few shapes in two colours over another, and half of it a photograph.
Picture Drawing(const PictureInfo& info, uint32_t seed) {
  Draws draws({seed});
  Picture picture = draws.Percent(50) ? SmoothPicture(info, seed) : Picture();
  const bool mixed = !picture.samples.empty();
  uint32_t glyphs[8];
  for (uint32_t& glyph : glyphs) glyph = draws.Seed();
  double inks[3][4];
  for (auto& ink : inks) {
    for (double& value : ink) value = draws.Real(0, 1);
  }
  const Picture drawn = PictureOf(info, [&](uint32_t x, uint32_t y, size_t channel) {
    const uint32_t cell = (x / 7 * 2654435761U + y / 9 * 40503U) >> 9;
    const bool ink = x % 7 < 5 && y % 9 < 6 && (glyphs[cell % 8] >> (x % 7 + y % 9 * 5) & 1) != 0;
    return inks[ink ? 1 + cell / 8 % 2 : 0][channel];
  });
  if (!mixed) return drawn;
  const size_t half = drawn.samples.size() / 2;
  std::copy_n(drawn.samples.begin(), half, picture.samples.begin());
  return picture;
}

Picture PictureOf(const StreamCase& c) {
  const PictureInfo& info = c.info;
  Draws draws({c.content_seed});
  std::vector<double> from, to;
  for (size_t channel = 0; channel < info.SamplesPerPixel(); ++channel) {
    from.push_back(draws.Real(0, 1));
    to.push_back(draws.Real(0, 1));
  }
  const auto block = static_cast<uint32_t>(draws.Whole(1, 60));
  switch (c.content) {
    case Content::kNoise: {
      std::mt19937 random(c.content_seed);
      return RandomPicture(info, &random);
    }
    case Content::kFlat:
      return PictureOf(info, [&](uint32_t, uint32_t, size_t channel) { return from[channel]; });
    case Content::kGradient:
      return PictureOf(info, [&](uint32_t x, uint32_t y, size_t channel) {
        const double at = (x + 0.5) / info.width / 2 + (y + 0.5) / info.height / 2;
        return from[channel] + (to[channel] - from[channel]) * at;
      });
    case Content::kSaturated:
      return PictureOf(info, [&](uint32_t x, uint32_t y, size_t channel) {
        const uint32_t colour = (x / block * 2654435761U + y / block * 40503U) >> 7;
        return static_cast<double>(colour >> channel & 1);
      });
    case Content::kDrawing:
      return Drawing(info, c.content_seed);
    default:
      return SmoothPicture(info, c.content_seed);
  }
}

const char* NameOf(Content content) {
  constexpr const char* kNames[] = {"noise",     "flat",       "gradient",
                                    "saturated", "photograph", "drawing"};
  return kNames[static_cast<int>(content)];
}

// ---- checking ----------------------------------------------------------------------------------

std::string Describe(const StreamSetting& setting) {
  std::ostringstream text;
  text << setting.target << " threads " << setting.threads << " band " << setting.band_rows;
  return text.str();
}

template <typename Options>
Options OptionsOf(const StreamSetting& setting) {
  Options options;
  options.threads = setting.threads;
  options.band_rows = setting.band_rows;
  return options;
}

std::mutex row_fault_mutex;
std::string row_fault;  // the first since it was taken

void NoteRowFault(const std::string& what) {
  const std::lock_guard<std::mutex> lock(row_fault_mutex);
  if (row_fault.empty()) row_fault = what;
}

// Codings and decodings of one case, and what is wrong with them.
class CaseChecker {
 public:
  CaseChecker(const StreamCase& c, StreamModels* models)
      : case_(c), models_(models), picture_(PictureOf(c)) {
    SetRowFaultHandler(NoteRowFault);
  }
  ~CaseChecker() { SetRowFaultHandler(nullptr); }
  CaseChecker(const CaseChecker&) = delete;
  CaseChecker& operator=(const CaseChecker&) = delete;

  std::vector<std::string> Check() {
    stream_ = Encode(case_.encode, case_.segment_rows, &made_);
    if (!faults_.empty()) return faults_;
    if (case_.detail == Detail::kOff) {
      CheckReconstruction(case_.encode_again);
    } else {
      CheckEncoding(case_.encode_again, {nullptr, Analysis::Flow::kBySegment});
    }
    const ModelDocument& document = ModelOf(case_.encode).impl().document;
    const Graphs& graphs = ModelOf(case_.encode).impl().graphs();
    exact_pictures_ = AllInteger(graphs.at("g_s"));
    comparable_pictures_ = document.form != "fp16" || IsShipped(case_.model);
    const bool has_hyper = document.has_hyper;
    const bool same_latents =
        AllInteger(graphs.at("g_a")) && (!has_hyper || AllInteger(graphs.at("h_a")));
    if (same_latents && case_.effort == 0) {
      CheckEncoding(case_.decode.back());
    }
    for (const StreamSetting& setting : case_.decode) CheckDecoding(setting);
    if (case_.whole && faults_.empty()) CheckWhole();
    return faults_;
  }

 private:
  void Fault(const StreamSetting& setting, const std::string& text) {
    faults_.push_back(Describe(setting) + ": " + text);
  }

  // A call that reads a row that is not there may give the right result all the same.
  void TakeRowFault(const StreamSetting& setting, const char* call) {
    const std::lock_guard<std::mutex> lock(row_fault_mutex);
    if (!row_fault.empty()) Fault(setting, std::string(call) + " " + row_fault);
    row_fault.clear();
  }

  const Model& ModelOf(const StreamSetting& setting) {
    return models_->Get(case_.model, case_.segment_rows, setting.target);
  }

  Stream Encode(const StreamSetting& setting, int segment_rows, Report* report,
                const EncodingExtras& extras = {}) {
    const TargetScope scope(setting.target);
    auto options = OptionsOf<EncodeOptions>(setting);
    options.lrd = case_.lrd;
    options.detail = case_.detail;
    options.max_error = case_.max_error;
    options.lossless = case_.lossless;
    options.effort = case_.effort;
    const Model& model = models_->Get(case_.model, segment_rows, setting.target);
    auto stream = EncodeWith(model, picture_, options, extras, report);
    TakeRowFault(setting, "encoding:");
    if (stream.ok()) return *stream;
    Fault(setting, "encoding: " + stream.error().message);
    return {};
  }

  // A picture without samples when it fails.
  Picture Decode(const StreamSetting& setting, int segment_rows, const Stream& stream,
                 Report* report) {
    const TargetScope scope(setting.target);
    const Model& model = models_->Get(case_.model, segment_rows, setting.target);
    const auto options = OptionsOf<DecodeOptions>(setting);
    auto picture = glint::Decode(model, stream.data(), stream.size(), options, report);
    TakeRowFault(setting, "decoding:");
    if (picture.ok()) return *picture;
    Fault(setting, "decoding: " + picture.error().message);
    return {};
  }

  // Segment by segment, with a taker of what is decoded.
  void CheckReconstruction(const StreamSetting& setting) {
    RecordingTaker taker(case_.info);
    CheckEncoding(setting, {&taker, Analysis::Flow::kBySegment});
    const auto info = Inspect(stream_.data(), stream_.size());
    REQUIRE(info.ok());
    is_gray_ = info->gray;
    const auto segments = std::count_if(info->chunks.begin(), info->chunks.end(),
                                        [](const auto& chunk) { return chunk.type == 'S'; });
    const std::string fault = taker.Fault(segments);
    if (!fault.empty()) Fault(setting, "of the rows that are taken: " + fault);
    if (!case_.info.has_alpha && taker.source() != LevelsOf(picture_)) {
      Fault(setting, "the source that is taken is another");
    }
    base_ = taker.base();
  }

  // Of a picture on the encoder's target.
  void CompareBase(const StreamSetting& setting, const Picture& picture) {
    const bool taken = case_.detail == Detail::kOff && setting.target == case_.encode.target;
    if (!taken || is_gray_) return;
    if (base_ != LevelsOf(picture)) Fault(setting, "decodes to another picture than was taken");
  }

  void CheckEncoding(const StreamSetting& setting, const EncodingExtras& extras = {}) {
    Report report;
    const Stream stream = Encode(setting, case_.segment_rows, &report, extras);
    if (stream.empty() || stream == stream_) return;
    Fault(setting, "encodes to " + std::to_string(stream.size()) + " bytes, latents " +
                       std::to_string(report.latent_crc) + "; " + Describe(case_.encode) + " to " +
                       std::to_string(stream_.size()) + ", latents " +
                       std::to_string(made_.latent_crc));
  }

  void CheckDecoding(const StreamSetting& setting) {
    Report report;
    const Picture picture = Decode(setting, case_.segment_rows, stream_, &report);
    if (picture.samples.empty()) return;
    if (report.latent_crc != made_.latent_crc) Fault(setting, "decodes to other latents");
    if (report.symbols != made_.symbols) Fault(setting, "decodes another number of symbols");
    if (picture.info.width != case_.info.width || picture.info.height != case_.info.height) {
      Fault(setting, "decodes to another size");
      return;
    }
    CompareBase(setting, picture);
    CheckErrors(setting, picture);
    if (pictures_.empty()) first_ = setting;
    if (!pictures_.contains(setting.target)) pictures_[setting.target] = picture;
    if (!SamePixels(picture, pictures_.at(setting.target))) {
      Fault(setting, "decodes to another picture than other settings of the target");
    }
    if (!comparable_pictures_) return;
    const uint32_t level = picture.info.bit_depth == 16 ? 257 : 1;
    const uint32_t most = LargestDifference(picture, pictures_.at(first_.target));
    if (most > (exact_pictures_ ? 0 : level)) {
      Fault(setting, "decodes to a picture that is " + std::to_string(most) + " off that of " +
                         Describe(first_));
    }
  }

  void CheckErrors(const StreamSetting& setting, const Picture& picture) {
    if (case_.detail == Detail::kOff || case_.info.has_alpha) return;
    const std::vector<uint8_t> wanted = LevelsOf(picture_), given = LevelsOf(picture);
    double sum = 0;
    int most = 0;
    for (size_t i = 0; i < wanted.size(); ++i) {
      const int difference = std::abs(wanted[i] - given[i]);
      most = std::max(most, difference);
      sum += difference * difference;
    }
    const int allowed = case_.lossless ? 0 : case_.max_error;
    if (allowed >= 0 && most > allowed) {
      Fault(setting, "decodes to samples that are " + std::to_string(most) + " off");
    }
    const double error = sum / static_cast<double>(wanted.size());
    const bool same = setting.target == case_.encode.target && made_.detail.bytes > 0;
    if (same && std::abs(error - made_.detail.error) > 1e-9 * (1 + error)) {
      Fault(setting, "decodes with a squared error of " + std::to_string(error) +
                         ", the encoder said " + std::to_string(made_.detail.error));
    }
  }

  void CheckWhole() {
    const StreamSetting& setting = case_.decode.front();
    Report report;
    const Stream stream = Encode(setting, kMostSegmentRows, &report);
    if (stream.empty()) return;
    if (report.symbols != made_.symbols) Fault(setting, "one segment has other symbols");
    if (std::abs(report.estimated_bits - made_.estimated_bits) > 1e-9 * made_.estimated_bits) {
      Fault(setting, "one segment takes " + std::to_string(report.estimated_bits) +
                         " bits, several take " + std::to_string(made_.estimated_bits));
    }
    const Picture picture = Decode(setting, kMostSegmentRows, stream, &report);
    if (picture.samples.empty()) return;
    if (!SamePixels(picture, pictures_.at(setting.target))) {
      Fault(setting, "one segment gives another picture");
    }
  }

  const StreamCase& case_;
  StreamModels* models_;
  Picture picture_;
  Stream stream_;
  Report made_;
  bool exact_pictures_ = false;
  // Random weights can make the rounding to float16, which differs between targets, as large as
  // they like; trained ones do not.
  bool comparable_pictures_ = true;
  std::vector<uint8_t> base_;                // levels that the encoder makes
  bool is_gray_ = false;                     // decoders average
  std::map<std::string, Picture> pictures_;  // the first of each target
  StreamSetting first_;                      // that gave a picture
  std::vector<std::string> faults_;
};

}  // namespace

const Model& StreamModels::Get(const std::string& name, int segment_rows,
                               const std::string& target) {
  const std::string key = name + " " + std::to_string(segment_rows) + " " + target;
  const auto found = models_.find(key);
  if (found != models_.end()) return found->second;
  const TargetScope scope(target);
  return models_.emplace(key, LoadWithSegments(File(name), segment_rows)).first->second;
}

const std::vector<uint8_t>& StreamModels::File(const std::string& name) {
  Stream& file = files_[name];
  if (!file.empty()) return file;
  if (!IsShipped(name)) return file = SmallModelFile(name);
  const std::string path = std::string(GLINT_SOURCE_DIR) + "/weights/" + name + ".safetensors";
  const auto read = ReadFile(path, uint64_t{1} << 30);
  REQUIRE_MESSAGE(read.ok(), read.error().message);
  return file = *read;
}

void StreamModels::Clear() {
  files_.clear();
  models_.clear();
}

StreamCase DrawCase(uint32_t seed, uint32_t index, StreamModels* models) {
  Draws draws({seed, index});
  StreamCase c;
  std::string target, other;
  const bool shipped = index % 5 == 0;
  if (shipped) {
    DrawShippedModel(seed, index, &c, &target, &other);
  } else {
    DrawSmallModel(&draws, &c, &target, &other);
  }
  const Model& model = models->Get(c.model, c.segment_rows, target);
  const int most_pixels = !shipped ? 800000 : draws.Percent(10) ? 300000 : 50000;
  DrawSize(model.impl().document.latent_stride, c.segment_rows, most_pixels, &draws, &c.info);
  DrawForm(&draws, &c.info);
  c.content = static_cast<Content>(draws.Whole(0, 5));
  c.content_seed = draws.Seed();
  DrawDetails(model.info(), &draws, &c);
  c.encode = DrawSetting(target, &draws);
  c.encode_again = DrawSetting(target, &draws);
  for (const std::string& name : {target, other, other}) {
    c.decode.push_back(DrawSetting(name, &draws));
  }
  c.whole = draws.Percent(shipped ? 40 : 100);
  if (draws.Percent(shipped ? 15 : 30)) {
    const TargetScope scope(target);  // the gradient's plan is of the target, as the model is
    const RateControl& rate = model.impl().document.rate;
    const bool takes_effort =
        rate.LambdaAt(1) > 0 && rate.squared_error_share >= 1 && model.impl().Gradient().ok();
    if (takes_effort) c.effort = draws.Whole(1, 3);
  }
  return c;
}

static std::string DetailText(const StreamCase& c) {
  if (c.lossless) return "lossless";
  if (c.max_error >= 0) return "errors up to " + std::to_string(c.max_error);
  return c.detail == Detail::kOff  ? "no details"
         : c.detail == Detail::kOn ? "all details"
                                   : "details";
}

std::string Describe(const StreamCase& c) {
  std::ostringstream text;
  text.precision(9);
  text << "model '" << c.model << "', segments of " << c.segment_rows << " rows, " << c.info.width
       << "x" << c.info.height << ", " << c.info.channels << " colours"
       << (c.info.has_alpha ? " and alpha" : "") << " of " << c.info.bit_depth << " bits, "
       << NameOf(c.content) << " " << c.content_seed << ", lrd " << c.lrd << ", " << DetailText(c)
       << ", effort " << c.effort << "; encoded by " << Describe(c.encode) << " and "
       << Describe(c.encode_again) << "; decoded by";
  for (const StreamSetting& setting : c.decode) text << " " << Describe(setting) << ",";
  text << (c.whole ? " also in one segment" : " in its segments only");
  return text.str();
}

std::vector<std::string> CheckCase(const StreamCase& stream_case, StreamModels* models) {
  return CaseChecker(stream_case, models).Check();
}

}  // namespace glint::testing
