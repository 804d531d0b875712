// EncodeToTarget and EncodeRowsToTarget: encodings at rates that a RateSearch chooses.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/api/memory_plan.h"
#include "codec/memory_limit.h"
#include "codec/public_error.h"
#include "codec/rate/rate_search.h"
#include "codec/rate/rounded_rate.h"
#include "codec/samples/psnr_meter.h"
#include "codec/samples/whole_picture.h"
#include "codec/stream/container.h"
#include "codec/stream/metadata_chunks.h"
#include "glint/pictures.hpp"
#include "glint/rate.hpp"

namespace glint {
namespace {

// How a measure grows for light on Kodak: tells where the first two probes go.
struct Growth {
  double at_default;    // the measure at a model's default rate
  double below, above;  // that rate: how much it grows for each e-fold of lrd
};
constexpr Growth kLogBitsPerPixel = {-0.29, 0.58, 0.38};
constexpr Growth kPsnr = {34.5, 2.3, 3.1};  // dB
// Of a model alone.
constexpr double kGrowthOfLogBytes = 0.45;
constexpr double kGrowthOfPsnr = 1.7;

constexpr double kSizeShare = 0.01;
constexpr double kSizeBytes = 16;
constexpr double kPsnrSlack = 0.05;
constexpr double kPsnrWithoutLoss = 100;  // dB, for the search, or the target where that is more

Status Invalid(const std::string& what) {
  return Status::Error(StatusCode::kInvalidArgument, what);
}

class TargetEncoder {
 public:
  TargetEncoder(const Model& model, const PictureInfo& info, const Metadata& metadata,
                const RowReader& read, const Target& target, const EncodeOptions& options)
      : model_(model),
        info_(info),
        metadata_(metadata),
        read_(read),
        target_(target),
        options_(options) {}

  Result<TargetResult> Run(Report* report) {
    GLINT_TRY(Check());
    GLINT_TRY(PlanStreams());
    const SearchGoal goal = Goal();
    RateSearch search(goal);
    for (std::optional<double> lrd = search.Next(); lrd; lrd = search.Next()) {
      Probe probe;
      probe.result.lrd = *lrd;
      probe.result.probes = static_cast<int>(search.probes().size()) + 1;
      GLINT_TRY(Encode(&probe));
      double measure = std::log(static_cast<double>(probe.result.stream.size()));
      if (target_.kind == Target::Kind::kPsnr) {
        GLINT_TRY(MeasurePsnr(&probe));
        measure = probe.result.psnr;
        if (std::isinf(measure)) measure = std::max(kPsnrWithoutLoss, goal.high);
      }
      search.Add({*lrd, measure});
      if (search.nearest() + 1 == search.probes().size()) best_ = std::move(probe);
    }
    if (!search.best()) return Unreachable();
    best_.result.probes = static_cast<int>(search.probes().size());
    if (report != nullptr) *report = std::move(best_.report);
    return std::move(best_.result);
  }

 private:
  struct Probe {
    TargetResult result;
    Report report;
  };

  Status Check() const {
    GLINT_TRY(CheckPictureInfo(info_, options_.limits));
    if (target_.kind < Target::Kind::kBytes || target_.kind > Target::Kind::kPsnr) {
      return Status::Error(StatusCode::kInvalidArgument, "the target is of no kind");
    }
    if (!read_) return Invalid("there is no row reader");
    if (options_.lrd != 0) return Invalid("lrd is what the search chooses: it must be 0");
    if (options_.lossless || options_.max_error >= 0) {
      return Invalid(
          "where errors have a limit, there is no rate to choose, so there is no target");
    }
    if (!(target_.value > 0 && std::isfinite(target_.value))) {
      return Invalid("the target is " + Number("%g", target_.value) + ", not a positive number");
    }
    return ToStatus(CheckHasRates(model_.info(), options_.detail));
  }

  static std::string Number(const char* format, double value) {
    char text[400];
    std::snprintf(text, sizeof(text), format, value);
    return text;
  }

  double Pixels() const { return static_cast<double>(info_.width) * info_.height; }

  SearchGoal Goal() const {
    const ModelInfo& model = model_.info();
    SearchGoal goal;
    goal.min = with_details() ? model.detail_lrd_min : model.lrd_min;
    goal.max = with_details() ? model.detail_lrd_max : model.lrd_max;
    goal.start = with_details() ? model.detail_lrd_default : model.lrd_default;
    goal.most_probes = kMostProbes;
    goal.beyond_is_above = target_.kind != Target::Kind::kPsnr;
    if (target_.kind == Target::Kind::kPsnr) {
      goal.low = target_.value;
      goal.high = target_.value + kPsnrSlack;
      goal.growth = kGrowthOfPsnr;
      if (with_details()) Expect(kPsnr, target_.value, &goal);
      return goal;
    }
    const double wanted =
        target_.kind == Target::Kind::kBytes ? target_.value : target_.value * Pixels() / 8;
    const double bytes = std::max(std::floor(wanted), 1.0);
    goal.high = std::log(bytes);
    goal.low = std::log(std::max(std::min(bytes * (1 - kSizeShare), bytes - kSizeBytes), 0.5));
    goal.growth = kGrowthOfLogBytes;
    if (with_details()) Expect(kLogBitsPerPixel, std::log(8 * bytes / Pixels()), &goal);
    return goal;
  }

  // Over two layers the range is wide: the search begins where Kodak would meet the target.
  static void Expect(const Growth& usual, double aim, SearchGoal* goal) {
    const double more = aim - usual.at_default;
    goal->growth = more > 0 ? usual.above : usual.below;
    const double start = goal->start * std::exp(more / goal->growth);
    goal->start = RoundedRate(std::clamp(start, goal->min, goal->max), goal->min, goal->max);
  }

  // Options for one call, which is the part from `begin` to `begin` + `share` of its probe.
  void SetCallOptions(const Probe& probe, double begin, double share, CallOptions* call) const {
    const double probes_before = probe.result.probes - 1;
    if (options_.progress) {
      call->progress = [this, probes_before, begin, share](double done) {
        return options_.progress((probes_before + begin + share * done) / kMostProbes);
      };
    }
    const uint64_t kept = best_.result.stream.capacity() + probe.result.stream.capacity();
    call->limits.held_memory += std::max(kept, streams_);
  }

  // Room for the two streams that are kept beside each call. It is reserved before the first call,
  // so that no probe fails because of what an earlier one left.
  Status PlanStreams() {
    const Expected<MemoryPlan> plan = PlanMemory(model_, info_, options_);
    if (!plan) return ToStatus(plan.error());
    streams_ = 2 * plan->stream;
    const uint64_t metadata = 2 * MetadataBytes(metadata_) + MetadataWorkingBytes(metadata_);
    const uint64_t most = std::max(plan->encoding + metadata, measures_psnr() ? plan->decoding : 0);
    return ToStatus(CheckMemory("this picture", streams_ + most, options_.limits));
  }

  bool with_details() const { return options_.detail != Detail::kOff; }
  bool measures_psnr() const { return target_.kind == Target::Kind::kPsnr; }

  Status Encode(Probe* probe) {
    EncodeOptions call = options_;
    call.lrd = probe->result.lrd;
    SetCallOptions(*probe, 0, measures_psnr() ? 0.5 : 1, &call);
    Expected<std::vector<uint8_t>> stream =
        EncodeRows(model_, info_, metadata_, read_, call, &probe->report);
    if (!stream) return ToStatus(stream.error());
    probe->result.stream = std::move(*stream);
    return Status::Ok();
  }

  Status MeasurePsnr(Probe* probe) {
    DecodeOptions call;
    static_cast<CallOptions&>(call) = options_;
    call.profile = false;
    SetCallOptions(*probe, 0.5, 0.5, &call);
    std::vector<uint8_t> original(info_.RowBytes());
    std::optional<PsnrMeter> meter;
    const auto start = [&](const PictureInfo& info, const Metadata&) {
      meter.emplace(info_, info);
      return true;
    };
    const RowWriter compare = [&](uint32_t y, const void* row) {
      if (!read_(y, original.data())) return false;
      meter->AddRow(original.data(), row);
      return true;
    };
    const std::vector<uint8_t>& stream = probe->result.stream;
    GLINT_TRY(ToStatus(DecodeRows(model_, stream.data(), stream.size(), start, compare, call)));
    probe->result.psnr = meter->Psnr();
    return Status::Ok();
  }

  // best_ is the probe that came nearest.
  Status Unreachable() const {
    const double bytes = static_cast<double>(best_.result.stream.size());
    std::string text;
    switch (target_.kind) {
      case Target::Kind::kBytes:
        text = Number("%.0f bytes", target_.value);
        break;
      case Target::Kind::kBitsPerPixel:
        text = Number("%g bits per pixel", target_.value);
        break;
      case Target::Kind::kPsnr:
        text = Number("a PSNR of %g dB", target_.value);
        break;
    }
    text += " cannot be reached: ";
    text += measures_psnr() ? Number("the highest is %.2f dB", best_.result.psnr)
                            : Number("the least is %.0f bytes", bytes) +
                                  Number(", %.4f bits per pixel", 8 * bytes / Pixels());
    text += Number(", at lrd %.9g", best_.result.lrd);
    if (measures_psnr()) text += MoreThanRates();
    return Status::Error(StatusCode::kUnreachable, text);
  }

  // What gives a PSNR that no rate gives.
  std::string MoreThanRates() const {
    if (!with_details()) return "; with details it is higher";
    return info_.bit_depth > 8 ? "" : "; lossless coding has no errors at all";
  }

  const Model& model_;
  const PictureInfo info_;
  const Metadata& metadata_;
  const RowReader& read_;
  const Target target_;
  const EncodeOptions& options_;
  Probe best_;
  uint64_t streams_ = 0;  // room for those that are kept
};

}  // namespace

Expected<TargetResult> EncodeRowsToTarget(const Model& model, const PictureInfo& info,
                                          const Metadata& metadata, const RowReader& read,
                                          const Target& target, const EncodeOptions& options,
                                          Report* report) {
  if (report != nullptr) *report = Report();
  return PublicCall(
      [&] { return TargetEncoder(model, info, metadata, read, target, options).Run(report); });
}

Expected<TargetResult> EncodeToTarget(const Model& model, const Picture& picture,
                                      const Target& target, const EncodeOptions& options,
                                      Report* report) {
  if (report != nullptr) *report = Report();
  return PublicCall([&]() -> Expected<TargetResult> {
    const Status complete = CheckPicture(picture, options.limits);
    if (!complete.ok()) return ToError(complete);
    return EncodeRowsToTarget(model, picture.info, picture.metadata, RowsOf(picture), target,
                              options, report);
  });
}

}  // namespace glint
