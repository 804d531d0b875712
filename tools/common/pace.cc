#include "tools/common/pace.h"

#include <utility>

#include "tools/common/text.h"

namespace glint::tools {
namespace {

constexpr double kPatience = 2;  // seconds of work before anything can be told

}  // namespace

Pace::Pace(std::string noun, Clock clock)
    : noun_(std::move(noun)), clock_(std::move(clock)), start_(clock_()) {}

void Pace::Skip(double work, double count) {
  skipped_ += work;
  skipped_count_ += count;
}

std::optional<double> Pace::SecondsLeft(double done, double all) const {
  if (seconds() <= kPatience || done <= skipped_) return std::nullopt;
  return seconds() * (all - done) / (done - skipped_);
}

std::string Pace::Text(double done, double all, double count) const {
  const std::optional<double> left = SecondsLeft(done, all);
  return left ? RateText(count) + ", " + Duration(*left) + " left" : "";
}

std::string Pace::RateText(double count) const {
  const double rate = (count - skipped_count_) / seconds();
  if (noun_.empty() || rate <= 0) return "";
  if (noun_ == "MP") return ", " + Fixed(rate, rate < 10 ? 2 : 1) + " MP/s";
  if (rate >= 1) return ", " + Fixed(rate, 1) + " " + noun_ + "s/s";
  return ", " + Fixed(1 / rate, 1) + " s a " + noun_;
}

}  // namespace glint::tools
