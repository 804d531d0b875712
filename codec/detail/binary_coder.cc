#include "codec/detail/binary_coder.h"

namespace glint::detail {
namespace {

constexpr int kManyBeyond = 1000;  // no need to count on

}  // namespace

void BinaryEncoder::Flush() {
  pending_ -= 16;
  const uint64_t out = low_ >> (32 + pending_);
  low_ &= (uint64_t{1} << (32 + pending_)) - 1;
  if (out >> 16 != 0) {  // a carry: it ends at the last byte that is not full
    size_t i = bytes_.size();
    while (++bytes_[--i] == 0) {
    }
  }
  bytes_.push_back(static_cast<uint8_t>(out >> 8));
  bytes_.push_back(static_cast<uint8_t>(out));
}

void BinaryEncoder::Finish(std::vector<uint8_t>* out) {
  // The number in the interval that has most zeros at its end: they need not be written.
  for (int zeros = 32; zeros >= 0; --zeros) {
    const uint64_t mask = (uint64_t{1} << zeros) - 1;
    const uint64_t number = (low_ + mask) & ~mask;
    if (number - low_ >= range_) continue;
    low_ = number;
    break;
  }
  for (int words = 0; words < 3; ++words) {  // 32 bits and fewer than 16 that are pending
    low_ <<= 16 - pending_;
    pending_ = 16;
    Flush();
  }
  while (!bytes_.empty() && bytes_.back() == 0) bytes_.pop_back();
  out->insert(out->end(), bytes_.begin(), bytes_.end());
  *this = BinaryEncoder();
}

void BinaryDecoder::Begin(const uint8_t* data, size_t size) {
  *this = BinaryDecoder();
  next_ = data;
  end_ = data + size;
  for (int i = 0; i < 8; ++i) {
    value_ = value_ << 8 | (next_ == end_ ? 0u : *next_);
    if (next_ != end_) ++next_;
  }
  ahead_ = 32;
}

void BinaryDecoder::Refill() {
  uint64_t more = 0;
  if (end_ - next_ >= 2) {
    more = static_cast<uint64_t>(next_[0]) << 8 | next_[1];
    next_ += 2;
  } else if (next_ != end_) {
    more = static_cast<uint64_t>(*next_++) << 8;
  }
  value_ |= more << (16 - ahead_);
  ahead_ += 16;
}

void RawWriter::Finish(std::vector<uint8_t>* out) {
  if (held_ > 0) bytes_.push_back(static_cast<uint8_t>(bits_));
  out->insert(out->end(), bytes_.begin(), bytes_.end());
  *this = RawWriter();
}

void RawReader::Begin(const uint8_t* data, size_t size) {
  *this = RawReader();
  next_ = data;
  end_ = data + size;
}

void RawReader::Refill() {
  while (held_ <= 56) {
    if (next_ != end_) {
      bits_ |= static_cast<uint64_t>(*next_++) << held_;
    } else if (beyond_ < kManyBeyond) {
      ++beyond_;
    }
    held_ += 8;
  }
}

}  // namespace glint::detail
