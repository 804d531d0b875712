// The entropy coder of the detail layer: adaptive binary arithmetic coding, and raw bits beside it.
// docs/BITSTREAM.md, "Details". Called by codec/detail alone.
// Thread rules: one caller each.
//
// An interval [low, low + range) of 32 bits is cut by the probability of a bit; the bit 1 takes the
// lower part. Raw bits (signs, low digits), whose probability is one half, lie in a sequence of
// their own, which costs next to nothing to read.
#ifndef GLINT_CODEC_DETAIL_BINARY_CODER_H_
#define GLINT_CODEC_DETAIL_BINARY_CODER_H_

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace glint::detail {

// How far an estimate moves towards the next bit after n bits, in 1/65536: 1 / (n + 1.5), but not
// less than 1/24 and 1/160.
inline constexpr uint32_t kLearningSteps = 159;
struct LearningRates {
  std::array<uint16_t, kLearningSteps> fast{}, slow{};
  constexpr LearningRates() {
    for (uint32_t n = 0; n < kLearningSteps; ++n) {
      const uint32_t mean = 2 * 65536 / (2 * n + 3);
      fast[n] = static_cast<uint16_t>(mean < 2730 ? 2730 : mean);
      slow[n] = static_cast<uint16_t>(mean < 409 ? 409 : mean);
    }
  }
};
inline constexpr LearningRates kLearningRates{};

// The probability that a bit is 1, learnt from the bits before: the mean of two estimates, one that
// follows quickly and one that follows slowly. Both begin as the plain mean of what was seen.
class AdaptiveBit {
 public:
  AdaptiveBit() = default;
  // Expected to be 1 with this probability, as if a few bits had said so.
  void Expect(int percent) {
    fast_ = slow_ = static_cast<uint16_t>(percent * 65536 / 100);
    seen_ = 6;
  }

  // 1 to 65535, in 1/65536. (At least 63: neither estimate comes nearer to an end than its rate
  // lets it, as steps are rounded down.)
  uint32_t probability() const { return (uint32_t{fast_} + slow_) >> 1; }

  void Learn(bool bit) {
    const uint32_t fast = kLearningRates.fast[seen_], slow = kLearningRates.slow[seen_];
    if (bit) {
      fast_ = static_cast<uint16_t>(fast_ + (((65535u - fast_) * fast) >> 16));
      slow_ = static_cast<uint16_t>(slow_ + (((65535u - slow_) * slow) >> 16));
    } else {
      fast_ = static_cast<uint16_t>(fast_ - ((fast_ * fast) >> 16));
      slow_ = static_cast<uint16_t>(slow_ - ((slow_ * slow) >> 16));
    }
    seen_ = static_cast<uint8_t>(seen_ + (seen_ + 1u < kLearningSteps));
  }

 private:
  uint16_t fast_ = 32768, slow_ = 32768;
  uint8_t seen_ = 0;
};

// Bits that a bit of a probability takes, for 1024 probabilities: -log2((i + 1/2) / 1024).
inline constexpr int kCostShift = 6;
inline constexpr size_t kCostSteps = 65536 >> kCostShift;
struct BitCosts {
  std::array<float, kCostSteps> of{};
  constexpr BitCosts() {
    for (size_t i = 0; i < of.size(); ++i) {
      // The logarithm digit by digit: squaring doubles it.
      double value = (static_cast<double>(i) + 0.5) / static_cast<double>(of.size());
      double bits = 0;
      while (value < 1) value *= 2, bits += 1;
      for (double digit = 0.5; digit > 1e-9; digit /= 2) {
        value *= value;
        if (value >= 2) value /= 2, bits -= digit;
      }
      of[i] = static_cast<float>(bits);
    }
  }
};
inline constexpr BitCosts kBitCosts{};
inline float CostOfOne(uint32_t probability) { return kBitCosts.of[probability >> kCostShift]; }
inline float CostOf(const AdaptiveBit& model, bool bit) {
  const uint32_t p = model.probability();
  return CostOfOne(bit ? p : 65536 - p);
}

class BinaryEncoder {
 public:
  void Put(uint32_t probability, bool bit) {
    const uint32_t bound = (range_ >> 16) * probability;
    if (bit) {
      range_ = bound;
    } else {
      low_ += bound;
      range_ -= bound;
    }
    const int shift = std::countl_zero(range_);
    range_ <<= shift;
    low_ <<= shift;
    pending_ += shift;
    if (pending_ >= 16) Flush();
  }

  // Appends what is left to `out`, without zeros at its end, and starts anew.
  void Finish(std::vector<uint8_t>* out);
  size_t bytes() const { return bytes_.size(); }
  // What all bits up to now take.
  double bits() const {
    return 8 * static_cast<double>(bytes_.size()) + pending_ + 32 -
           std::log2(static_cast<double>(range_));
  }

 private:
  void Flush();

  uint64_t low_ = 0;  // 32 bits, above them `pending_` bits that are not written, and a carry
  uint32_t range_ = 0xFFFFFFFFu;
  int pending_ = 0;
  std::vector<uint8_t> bytes_;
};

class BinaryDecoder {
 public:
  // After the last byte there are zeros.
  void Begin(const uint8_t* data, size_t size);

  bool Get(uint32_t probability) {
    const uint32_t bound = (range_ >> 16) * probability;
    const uint64_t edge = uint64_t{bound} << 32;
    const bool bit = value_ < edge;
    if (bit) {
      range_ = bound;
    } else {
      value_ -= edge;
      range_ -= bound;
    }
    const int shift = std::countl_zero(range_);
    range_ <<= shift;
    value_ <<= shift;
    ahead_ -= shift;
    if (ahead_ < 16) Refill();
    return bit;
  }

  // All bytes were looked at.
  bool AtEnd() const { return next_ == end_; }

 private:
  void Refill();

  uint64_t value_ = 0;  // less than range_ in its upper half; below that what comes next
  uint32_t range_ = 0xFFFFFFFFu;
  int ahead_ = 0;  // sound bits of the lower half
  const uint8_t* next_ = nullptr;
  const uint8_t* end_ = nullptr;
};

// Raw bits: the first in the lowest bit of the first byte.
class RawWriter {
 public:
  // The low `count` bits of `value`, at most 32; those above are 0.
  void Put(uint32_t value, int count) {
    bits_ |= uint64_t{value} << held_;
    held_ += count;
    while (held_ >= 8) {
      bytes_.push_back(static_cast<uint8_t>(bits_));
      bits_ >>= 8;
      held_ -= 8;
    }
  }
  // Appends all to `out` and starts anew.
  void Finish(std::vector<uint8_t>* out);
  size_t bytes() const { return bytes_.size(); }
  uint64_t bits() const { return 8 * uint64_t{bytes_.size()} + static_cast<uint64_t>(held_); }

 private:
  uint64_t bits_ = 0;
  int held_ = 0;
  std::vector<uint8_t> bytes_;
};

class RawReader {
 public:
  void Begin(const uint8_t* data, size_t size);
  // The next `count` bits, at most 32; zeros after the last.
  uint32_t Get(int count) {
    if (held_ < count) Refill();
    const auto value = static_cast<uint32_t>(bits_ & ((uint64_t{1} << count) - 1));
    bits_ >>= count;
    held_ -= count;
    return value;
  }
  // Nothing was read beyond the end, less than a byte is left, and it is 0.
  bool AtEnd() const {
    return next_ == end_ && beyond_ * 8 <= held_ && held_ - beyond_ * 8 < 8 && bits_ == 0;
  }

 private:
  void Refill();

  uint64_t bits_ = 0;
  int held_ = 0;
  int beyond_ = 0;  // bytes of bits_ that are not there
  const uint8_t* next_ = nullptr;
  const uint8_t* end_ = nullptr;
};

// ---- ports: what one description of a syntax needs to write, to read, or to weigh it ------------
//
// Code(model, bit) codes a bit under a model, which learns it, and gives the bit; a decoder does
// not look at its argument. Raw(value, count) does the same for raw bits.

class WritePort {
 public:
  static constexpr bool kDecodes = false;
  WritePort(BinaryEncoder* bits, RawWriter* raw) : bits_(*bits), raw_(*raw) {}
  bool Code(AdaptiveBit* model, bool bit) {
    bits_.Put(model->probability(), bit);
    model->Learn(bit);
    return bit;
  }
  uint32_t Raw(uint32_t value, int count) {
    raw_.Put(value, count);
    return value;
  }

 private:
  BinaryEncoder& bits_;
  RawWriter& raw_;
};

class ReadPort {
 public:
  static constexpr bool kDecodes = true;
  ReadPort(BinaryDecoder* bits, RawReader* raw) : bits_(*bits), raw_(*raw) {}
  bool Code(AdaptiveBit* model, bool) {
    const bool bit = bits_.Get(model->probability());
    model->Learn(bit);
    return bit;
  }
  uint32_t Raw(uint32_t, int count) { return raw_.Get(count); }

 private:
  BinaryDecoder& bits_;
  RawReader& raw_;
};

// Writes nothing, and adds up what it would take.
class WeighPort {
 public:
  static constexpr bool kDecodes = false;
  bool Code(AdaptiveBit* model, bool bit) {
    cost_ += CostOf(*model, bit);
    model->Learn(bit);
    return bit;
  }
  uint32_t Raw(uint32_t value, int count) {
    cost_ += static_cast<float>(count);
    return value;
  }
  float cost() const { return cost_; }  // bits

 private:
  float cost_ = 0;
};

}  // namespace glint::detail

#endif  // GLINT_CODEC_DETAIL_BINARY_CODER_H_
