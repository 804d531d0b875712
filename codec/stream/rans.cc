#include "codec/stream/rans.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace glint {
namespace {

constexpr int kBits = EntropyTables::kProbabilityBits;
constexpr uint64_t kSlotMask = (uint64_t{1} << kBits) - 1;

uint64_t MulHigh(uint64_t a, uint64_t b) {
#if defined(__SIZEOF_INT128__)
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint64_t>((static_cast<Wide>(a) * b) >> 64);
#else
  const uint64_t a0 = a & 0xFFFFFFFF, a1 = a >> 32, b0 = b & 0xFFFFFFFF, b1 = b >> 32;
  const uint64_t middle = a1 * b0 + ((a0 * b0) >> 32);
  const uint64_t low_middle = (middle & 0xFFFFFFFF) + a0 * b1;
  return a1 * b1 + (middle >> 32) + (low_middle >> 32);
#endif
}

uint32_t LoadWord(const uint8_t* p) {
  return uint32_t{p[0]} | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24;
}

void AppendWord(uint32_t word, std::vector<uint8_t>* out) {
  for (int shift = 0; shift < 32; shift += 8) out->push_back(static_cast<uint8_t>(word >> shift));
}

// Of a value that the table does not have: how far it is beyond the table's end, at least 1, and
// the number of raw bits behind the head.
struct Excess {
  bool below;
  uint32_t distance;
  uint32_t bits;
};
Excess ExcessOf(const EntropyTables::Table& table, int32_t value) {
  const bool below = value < table.min;
  const auto distance = static_cast<uint32_t>(below ? table.min - value : value - table.max);
  return {below, distance, static_cast<uint32_t>(std::bit_width(distance)) - 1};
}

}  // namespace

double SymbolBits(const EntropyTables& tables, const EntropyTables::Table& table, int32_t value) {
  const auto entry = static_cast<uint32_t>(value - table.min);
  if (entry < table.escape) return tables.bits(table.first + entry);
  return tables.bits(table.first + table.escape) + kEscapeHeadBits + ExcessOf(table, value).bits;
}

// ---- encoder -----------------------------------------------------------------------------------

void RansEncoder::Put(const uint8_t* table, const int16_t* values, size_t count) {
  PutAll(table, values, count);
}

void RansEncoder::Put(const uint16_t* table, const int16_t* values, size_t count) {
  PutAll(table, values, count);
}

template <typename Index>
void RansEncoder::PutAll(const Index* table, const int16_t* values, size_t count) {
  for (size_t begin = 0; begin < count; begin += kRun) {
    const size_t end = std::min(count, begin + kRun);
    double bits = 0;
    Block& block = RoomForRun();
    uint32_t* item = block.items.get() + block.count;
    for (size_t i = begin; i < end; ++i) {
      const EntropyTables::Table& t = first_table_[table[i]];
      const uint32_t value = static_cast<uint32_t>(values[i] - t.min);
      const bool escape = value >= t.escape;  // also when the value is below min
      const uint32_t entry = t.first + (escape ? t.escape : value);
      *item++ = entry;
      bits += tables_->bits(entry);
      if (escape) item = PutEscape(t, values[i], item);
    }
    block.count = static_cast<size_t>(item - block.items.get());
    bits_ += bits;
  }
  symbols_ += count;
}

RansEncoder::Block& RansEncoder::RoomForRun() {
  if (blocks_in_use_ == 0 || blocks_[blocks_in_use_ - 1].count + kRunItems > kBlockItems) {
    if (blocks_in_use_ == blocks_.size()) {
      blocks_.push_back({std::make_unique_for_overwrite<uint32_t[]>(kBlockItems)});
    }
    blocks_[blocks_in_use_++].count = 0;
  }
  return blocks_[blocks_in_use_ - 1];
}

uint32_t* RansEncoder::PutEscape(const EntropyTables::Table& table, int32_t value, uint32_t* item) {
  const auto [below, distance, bits] = ExcessOf(table, value);
  *item++ = kRaw | uint32_t{kEscapeHeadBits} << 16 | (below ? 16U : 0U) | bits;
  if (bits > 0) *item++ = kRaw | bits << 16 | (distance - (1U << bits));
  bits_ += kEscapeHeadBits + bits;
  return item;
}

// Backwards over the items, so that the decoder reads forwards. The raw bits of a symbol stand
// behind it and use its state.
template <size_t kStates>
void RansEncoder::Code(uint64_t* states) {
  uint64_t symbol = symbols_;
  const auto code = [&](uint32_t item) {
    uint64_t& state = states[(symbol - 1) % kStates];
    uint64_t x = state;
    if ((item & kRaw) != 0) {
      const uint32_t bits = (item >> 16) & 31;
      if (x >= uint64_t{1} << (63 - bits)) {
        words_.push_back(static_cast<uint32_t>(x));
        x >>= 32;
      }
      state = (x << bits) | (item & 0xFFFF);
      return;
    }
    const EntropyTables::Encoding& e = tables_->encoding(item);
    if (x >= uint64_t{e.frequency} << (63 - kBits)) {
      words_.push_back(static_cast<uint32_t>(x));
      x >>= 32;
    }
    const uint64_t quotient = MulHigh(x << 1, e.reciprocal) >> e.shift;
    state = x + e.start + quotient * ((uint64_t{1} << kBits) - e.frequency);
    --symbol;
  };
  for (size_t b = blocks_in_use_; b-- > 0;) {
    const Block& block = blocks_[b];
    for (size_t i = block.count; i-- > 0;) code(block.items[i]);
  }
}

void RansEncoder::Finish(std::vector<uint8_t>* out) {
  const size_t count = RansStates(symbols_);
  std::array<uint64_t, kMaxRansStates> states;
  states.fill(kRansLow);
  words_.clear();
  switch (count) {
    case 1:
      Code<1>(states.data());
      break;
    case 2:
      Code<2>(states.data());
      break;
    case 4:
      Code<4>(states.data());
      break;
    default:
      Code<8>(states.data());
      break;
  }
  out->reserve(out->size() + count * kRansStateBytes + words_.size() * 4);
  for (size_t i = 0; i < count; ++i) {
    AppendWord(static_cast<uint32_t>(states[i]), out);
    AppendWord(static_cast<uint32_t>(states[i] >> 32), out);
  }
  for (size_t i = words_.size(); i-- > 0;) AppendWord(words_[i], out);
  blocks_in_use_ = 0;
  symbols_ = 0;
  bits_ = 0;
}

// ---- decoder -----------------------------------------------------------------------------------

bool RansDecoder::Begin(const uint8_t* data, size_t size, size_t states) {
  failed_ = true;
  if (size < states * kRansStateBytes || (size - states * kRansStateBytes) % 4 != 0) return false;
  states_ = states;
  phase_ = 0;
  next_ = data;
  end_ = data + size;
  for (size_t i = 0; i < states; ++i, next_ += kRansStateBytes) {
    state_[i] = uint64_t{LoadWord(next_)} | uint64_t{LoadWord(next_ + 4)} << 32;
    if (state_[i] < kRansLow || state_[i] >> 63 != 0) return false;
  }
  failed_ = false;
  return true;
}

bool RansDecoder::Get(const uint8_t* table, size_t count, int16_t* values) {
  return GetAny(table, count, values);
}

bool RansDecoder::Get(const uint16_t* table, size_t count, int16_t* values) {
  return GetAny(table, count, values);
}

template <typename Index>
bool RansDecoder::GetAny(const Index* table, size_t count, int16_t* values) {
  switch (states_) {
    case 1:
      return GetAll<1>(table, count, values);
    case 2:
      return GetAll<2>(table, count, values);
    case 4:
      return GetAll<4>(table, count, values);
    default:
      return GetAll<8>(table, count, values);
  }
}

template <size_t kStates, typename Index>
bool RansDecoder::GetAll(const Index* table, size_t count, int16_t* values) {
  size_t i = 0;
  for (; i < count && phase_ != 0; ++i) {
    values[i] = GetOne(table[i], &state_[phase_]);
    phase_ = (phase_ + 1) % kStates;
  }
  // Whole turns: the states are independent chains that the processor runs side by side.
  for (; i + kStates <= count; i += kStates) {
    [&]<size_t... kState>(std::index_sequence<kState...>) {
      ((values[i + kState] = GetOne(table[i + kState], &state_[kState])), ...);
    }
    (std::make_index_sequence<kStates>());
  }
  for (; i < count; ++i) {
    values[i] = GetOne(table[i], &state_[phase_]);
    phase_ = (phase_ + 1) % kStates;
  }
  return !failed_;
}

template <typename Index>
inline int16_t RansDecoder::GetOne(Index table, uint64_t* state) {
  const EntropyTables::Table& t = first_table_[table];
  const uint64_t x = *state;
  const uint32_t slot = static_cast<uint32_t>(x & kSlotMask);
  const EntropyTables::Decoding* first = tables_->decodings() + t.first;
  const EntropyTables::Decoding* entry =
      first + first_lookup_[size_t{table} * EntropyTables::kBuckets + (slot >> 8)];
  while (slot - entry->start > entry->last) ++entry;
  *state = (uint64_t{entry->last} + 1) * (x >> kBits) + slot - entry->start;
  if (*state < kRansLow) Refill(state);
  const uint32_t value = static_cast<uint32_t>(entry - first);
  if (value == t.escape) return GetEscape(t, state);
  return static_cast<int16_t>(t.min + static_cast<int32_t>(value));
}

// Past the end the state is set to something legal, and the failure is remembered.
void RansDecoder::Refill(uint64_t* state) {
  if (next_ == end_) {
    failed_ = true;
    *state = kRansLow;
    return;
  }
  *state = *state << 32 | LoadWord(next_);
  next_ += 4;
}

uint32_t RansDecoder::GetRaw(int bits, uint64_t* state) {
  const uint32_t value = static_cast<uint32_t>(*state & ((uint64_t{1} << bits) - 1));
  *state >>= bits;
  if (*state < kRansLow) Refill(state);
  return value;
}

int16_t RansDecoder::GetEscape(const EntropyTables::Table& table, uint64_t* state) {
  const uint32_t head = GetRaw(kEscapeHeadBits, state);
  const int bits = static_cast<int>(head & 15);
  uint32_t excess = 1U << bits;
  if (bits > 0) excess += GetRaw(bits, state);
  const int32_t value = (head & 16) != 0 ? table.min - static_cast<int32_t>(excess)
                                         : table.max + static_cast<int32_t>(excess);
  if (value < INT16_MIN || value > INT16_MAX) failed_ = true;
  return static_cast<int16_t>(value);
}

bool RansDecoder::Finish() const {
  bool sound = !failed_ && next_ == end_;
  for (size_t i = 0; i < states_; ++i) sound = sound && state_[i] == kRansLow;
  return sound;
}

}  // namespace glint
