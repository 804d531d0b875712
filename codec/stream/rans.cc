#include "codec/stream/rans.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace glint {
namespace {

constexpr int kBits = EntropyTables::kProbabilityBits;
constexpr uint64_t kSlotMask = (uint64_t{1} << kBits) - 1;

// An item of the encoder's list is an entry of the tables, or kRaw | bits << 16 | value for raw
// bits of the symbol before.
constexpr uint32_t kRaw = uint32_t{1} << 31;

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

// Returns the place behind it.
size_t StoreWord(uint32_t word, size_t at, std::vector<uint8_t>* out) {
  uint8_t* bytes = out->data() + at;
  for (int i = 0; i < 4; ++i) bytes[i] = static_cast<uint8_t>(word >> 8 * i);
  return at + 4;
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

// Of a list of items that words replace from its end on: what is behind the next item, and the last
// word.
struct ItemsAndWords {
  const uint32_t* item;
  uint32_t* word;
};

// A state that has room for what comes next: below `limit`.
inline uint64_t WithRoom(uint64_t x, uint64_t limit, ItemsAndWords* at) {
  if (x < limit) [[likely]]
    return x;
  *--at->word = static_cast<uint32_t>(x);
  return x >> 32;
}

inline uint64_t CodeEntry(const EntropyTables::Encoding& e, uint64_t x, ItemsAndWords* at) {
  x = WithRoom(x, uint64_t{e.frequency} << (63 - kBits), at);
  const uint64_t quotient = MulHigh(x << 1, e.reciprocal) >> e.shift;
  return x + e.start + quotient * ((uint64_t{1} << kBits) - e.frequency);
}

// With the raw bits that stand behind the entry.
uint64_t CodeEscape(const EntropyTables::Encoding* encodings, uint64_t x, uint32_t item,
                    ItemsAndWords* at) {
  for (; (item & kRaw) != 0; item = *--at->item) {
    const uint32_t bits = (item >> 16) & 31;
    x = WithRoom(x, uint64_t{1} << (63 - bits), at) << bits | (item & 0xFFFF);
  }
  return CodeEntry(encodings[item], x, at);
}

// The symbol before at->item.
inline uint64_t CodeOne(const EntropyTables::Encoding* encodings, uint64_t x, ItemsAndWords* at) {
  const uint32_t item = *--at->item;
  if ((item & kRaw) != 0) [[unlikely]]
    return CodeEscape(encodings, x, item, at);
  return CodeEntry(encodings[item], x, at);
}

// Whole turns of the states, from the last to the first, while items are left from `enough` on.
template <size_t kStates>
ItemsAndWords CodeTurns(const EntropyTables::Encoding* encodings, const uint32_t* enough,
                        ItemsAndWords at, uint64_t* states) {
  std::array<uint64_t, kStates> x;
  std::copy_n(states, kStates, x.begin());
  while (at.item >= enough) {
    [&]<size_t... kState>(std::index_sequence<kState...>) {
      ((x[kStates - 1 - kState] = CodeOne(encodings, x[kStates - 1 - kState], &at)), ...);
    }
    (std::make_index_sequence<kStates>());
  }
  std::copy_n(x.begin(), kStates, states);
  return at;
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
    Block& block = RoomForRun();
    uint32_t* item = block.items.get() + block.count;
    const auto put = [&](size_t i) {
      const EntropyTables::Table& t = first_table_[table[i]];
      const uint32_t value = static_cast<uint32_t>(values[i] - t.min);
      const bool escape = value >= t.escape;  // also when the value is below min
      const uint32_t entry = t.first + (escape ? t.escape : value);
      *item++ = entry;
      if (escape) [[unlikely]]
        item = PutEscape(t, values[i], item);
      return tables_->bits(entry);
    };
    // Sums that do not wait for each other.
    double even = 0, odd = 0;
    size_t i = begin;
    for (; i + 2 <= end; i += 2) {
      even += put(i);
      odd += put(i + 1);
    }
    if (i < end) even += put(i);
    block.count = static_cast<size_t>(item - block.items.get());
    bits_ += even + odd;
  }
  symbols_ += count;
}

RansEncoder::Block& RansEncoder::RoomForRun() {
  if (blocks_in_use_ == 0 || blocks_[blocks_in_use_ - 1].count + kRunItems > kBlockItems) {
    if (blocks_in_use_ == blocks_.size()) {
      // Not make_unique_for_overwrite, which Emscripten 3.1.6 lacks.
      blocks_.push_back({std::unique_ptr<uint32_t[]>(new uint32_t[kBlockItems])});
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
// behind it and use its state. Returns the number of words.
template <size_t kStates>
size_t RansEncoder::CodeAll(uint64_t* states) {
  const EntropyTables::Encoding* encodings = tables_->encodings();
  size_t words = 0;
  size_t phase = static_cast<size_t>(symbols_ % kStates);  // symbols before it, of the last turn
  for (size_t b = blocks_in_use_; b-- > 0;) {
    Block& block = blocks_[b];
    ItemsAndWords at{block.items.get() + block.count, block.items.get() + block.count};
    const uint32_t* begin = block.items.get();
    while (at.item != begin) {
      if (phase == 0 && static_cast<size_t>(at.item - begin) >= kStates * kMostItems) {
        at = CodeTurns<kStates>(encodings, begin + kStates * kMostItems, at, states);
        continue;
      }
      phase = (phase + kStates - 1) % kStates;
      states[phase] = CodeOne(encodings, states[phase], &at);
    }
    block.first_word = static_cast<size_t>(at.word - begin);
    words += block.count - block.first_word;
  }
  return words;
}

void RansEncoder::Finish(std::vector<uint8_t>* out) {
  const size_t count = RansStates(symbols_);
  std::array<uint64_t, kMaxRansStates> states;
  states.fill(kRansLow);
  const auto code = [&]() {
    switch (count) {
      case 1:
        return CodeAll<1>(states.data());
      case 2:
        return CodeAll<2>(states.data());
      case 4:
        return CodeAll<4>(states.data());
      default:
        return CodeAll<8>(states.data());
    }
  };
  const size_t words = code();
  size_t at = out->size();
  out->resize(at + count * kRansStateBytes + words * 4);
  for (size_t i = 0; i < count; ++i) {
    at = StoreWord(static_cast<uint32_t>(states[i]), at, out);
    at = StoreWord(static_cast<uint32_t>(states[i] >> 32), at, out);
  }
  for (size_t b = 0; b < blocks_in_use_; ++b) {
    const Block& block = blocks_[b];
    for (size_t i = block.first_word; i < block.count; ++i) {
      at = StoreWord(block.items[i], at, out);
    }
  }
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
  for (size_t i = 0; i < count; ++i) {
    if (phase_ == 0) i += GetTurns<kStates>(table + i, count - i, values + i);
    if (i == count) break;
    values[i] = GetOne<false>(first_table_[table[i]], &state_[phase_], &next_);
    phase_ = (phase_ + 1) % kStates;
  }
  return !failed_;
}

// The states are independent chains that the processor runs side by side.
template <size_t kStates, typename Index>
size_t RansDecoder::GetTurns(const Index* table, size_t count, int16_t* values) {
  constexpr size_t kMostBytes = kStates * kMostWordBytes;
  const EntropyTables::Table* tables = first_table_;
  const uint8_t* next = next_;
  const uint8_t* const end = end_;
  std::array<uint64_t, kStates> x;
  std::copy_n(state_.begin(), kStates, x.begin());
  size_t i = 0;
  for (; i + kStates <= count && static_cast<size_t>(end - next) >= kMostBytes; i += kStates) {
    [&]<size_t... kState>(std::index_sequence<kState...>) {
      ((values[i + kState] = GetOne<true>(tables[table[i + kState]], &x[kState], &next)), ...);
    }
    (std::make_index_sequence<kStates>());
  }
  std::copy_n(x.begin(), kStates, state_.begin());
  next_ = next;
  return i;
}

template <bool kEnough>
inline int16_t RansDecoder::GetOne(const EntropyTables::Table& table, uint64_t* state,
                                   const uint8_t** next) {
  const uint64_t x = *state;
  const auto slot = static_cast<uint32_t>(x & kSlotMask);
  const EntropyTables::Bucket& bucket = table.buckets[slot >> table.bucket_shift];
  const uint32_t place = slot - bucket.start;  // beyond all where it is below
  if (place >= bucket.frequency) [[unlikely]] {
    // By way of copies: what has an address is kept in memory.
    uint64_t copy = x;
    const uint8_t* words = *next;
    const int16_t value = LookFor<kEnough>(table, bucket.entry, &copy, &words);
    *state = copy;
    *next = words;
    return value;
  }
  *state = Refilled<kEnough>(bucket.frequency * (x >> kBits) + place, next);
  return bucket.value;
}

template <bool kEnough>
int16_t RansDecoder::LookFor(const EntropyTables::Table& table, uint32_t entry, uint64_t* state,
                             const uint8_t** next) {
  const EntropyTables::Decoding* entries = tables_->decodings() + table.first;
  const auto slot = static_cast<uint32_t>(*state & kSlotMask);
  while (slot < entries[entry].start) --entry;
  while (slot > entries[entry].last) ++entry;
  const uint32_t start = entries[entry].start;
  const uint32_t frequency = entries[entry].last - start + 1;
  *state = Refilled<kEnough>(frequency * (*state >> kBits) + (slot - start), next);
  if (entry == table.escape) return GetEscape<kEnough>(table, state, next);
  return static_cast<int16_t>(table.min + static_cast<int32_t>(entry));
}

template <bool kEnough>
int16_t RansDecoder::GetEscape(const EntropyTables::Table& table, uint64_t* state,
                               const uint8_t** next) {
  const auto take = [&](uint32_t bits) {
    const auto value = static_cast<uint32_t>(*state & ((uint64_t{1} << bits) - 1));
    *state = Refilled<kEnough>(*state >> bits, next);
    return value;
  };
  const uint32_t head = take(kEscapeHeadBits), bits = head & 15;
  uint32_t excess = 1U << bits;
  if (bits > 0) excess += take(bits);
  const int32_t value = (head & 16) != 0 ? table.min - static_cast<int32_t>(excess)
                                         : table.max + static_cast<int32_t>(excess);
  if (value < INT16_MIN || value > INT16_MAX) failed_ = true;
  return static_cast<int16_t>(value);
}

// Past the end the state is set to something legal, and the failure is remembered.
template <bool kEnough>
inline uint64_t RansDecoder::Refilled(uint64_t x, const uint8_t** next) {
  if (x >= kRansLow) [[likely]]
    return x;
  if (!kEnough && *next == end_) {
    failed_ = true;
    return kRansLow;
  }
  const uint32_t word = LoadWord(*next);
  *next += 4;
  return x << 32 | word;
}

bool RansDecoder::Finish() const {
  bool sound = !failed_ && next_ == end_;
  for (size_t i = 0; i < states_; ++i) sound = sound && state_[i] == kRansLow;
  return sound;
}

}  // namespace glint
