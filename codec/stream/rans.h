// Interleaved rANS with 64-bit states, 32-bit words and 16-bit probabilities; docs/BITSTREAM.md,
// "Segments". Called by codec/api/encoder and codec/api/decoder (and tests), one coder per segment
// at a time.
// Thread rules: an encoder or decoder belongs to one caller; the tables are shared.
#ifndef GLINT_CODEC_STREAM_RANS_H_
#define GLINT_CODEC_STREAM_RANS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "codec/stream/entropy_tables.h"

namespace glint {

// States are kept in [kRansLow, 2^63); the encoder begins and the decoder must end with kRansLow in
// each.
inline constexpr uint64_t kRansLow = uint64_t{1} << 31;
inline constexpr size_t kMaxRansStates = 8;
inline constexpr size_t kRansStateBytes = 8;

// Interleaved states of a segment of `symbols` symbols: 1, 2, 4 or 8.
constexpr size_t RansStates(uint64_t symbols) {
  if (symbols < (uint64_t{1} << 15)) return 1;
  if (symbols < (uint64_t{1} << 19)) return 2;
  return symbols < (uint64_t{1} << 21) ? 4 : 8;
}

// A value outside its table is coded as the table's escape, followed by raw bits through the same
// state. First 5 bits: the class c in the low 4, and the fifth is 1 for values below the table.
// Then c bits: with e = value - max - 1 above the table, and e = min - 1 - value below it, e + 1
// has c + 1 binary digits, and the c bits are those after the leading one.
inline constexpr int kEscapeHeadBits = 5;

// What a value costs under a table, with its raw bits.
double SymbolBits(const EntropyTables& tables, const EntropyTables::Table& table, int32_t value);

class RansEncoder {
 public:
  // Of tables that are complete, and outlive the coder.
  explicit RansEncoder(const EntropyTables* tables) : tables_(tables) { SetFirstTable(0); }

  // Tables of the symbols that follow are counted from this one.
  void SetFirstTable(size_t table) { first_table_ = tables_->tables() + table; }
  // Adds symbol after symbol, values[i] under table[i]. Any value can be coded.
  void Put(const uint8_t* table, const int16_t* values, size_t count);
  void Put(const uint16_t* table, const int16_t* values, size_t count);

  uint64_t symbols() const { return symbols_; }
  // What the symbols cost under their tables.
  double bits() const { return bits_; }

  // Appends states and words to `out` and forgets the symbols. Keeps its memory for the next ones.
  void Finish(std::vector<uint8_t>* out);

  // Bytes that so many symbols take here and in `out`, where few of them are escapes: a word for
  // each, and the stream, which is far below a byte a symbol, twice while `out` grows.
  static constexpr uint64_t MemoryNeeded(uint64_t symbols) {
    const uint64_t blocks = symbols / (kBlockItems - kRunItems) + 1;
    return blocks * kBlockItems * sizeof(uint32_t) + 2 * symbols;
  }

 private:
  static constexpr size_t kMostItems = 3;  // of one symbol
  static constexpr size_t kRun = 256;      // symbols that one block takes whole
  static constexpr size_t kRunItems = kRun * kMostItems;
  static constexpr size_t kBlockItems = size_t{1} << 14;
  // In place of one list, which would be there twice whenever it grows. What is coded backwards
  // from the last item on makes no more words than it takes items: words take the items' place,
  // from `first_word` on.
  struct Block {
    std::unique_ptr<uint32_t[]> items;
    size_t count = 0;
    size_t first_word = 0;
  };

  template <typename Index>
  void PutAll(const Index* table, const int16_t* values, size_t count);
  // A block with room for a run.
  Block& RoomForRun();
  uint32_t* PutEscape(const EntropyTables::Table& table, int32_t value, uint32_t* item);
  template <size_t kStates>
  size_t CodeAll(uint64_t* states);

  const EntropyTables* tables_;
  std::vector<Block> blocks_;
  size_t blocks_in_use_ = 0;
  const EntropyTables::Table* first_table_ = nullptr;
  uint64_t symbols_ = 0;
  double bits_ = 0;
};

class RansDecoder {
 public:
  // Of tables that are complete, and outlive the coder.
  explicit RansDecoder(const EntropyTables* tables) : tables_(tables) { SetFirstTable(0); }

  // `data` must live until Finish. False when it cannot be a segment with that many states.
  bool Begin(const uint8_t* data, size_t size, size_t states);
  // Tables of the symbols that follow are counted from this one.
  void SetFirstTable(size_t table) { first_table_ = tables_->tables() + table; }
  // The next `count` symbols, values[i] under table[i]. False once the words are used up or a value
  // is impossible; what is written then means nothing.
  bool Get(const uint8_t* table, size_t count, int16_t* values);
  bool Get(const uint16_t* table, size_t count, int16_t* values);
  // True when all words are used and all states are as the encoder began.
  bool Finish() const;

 private:
  static constexpr size_t kMostWordBytes = 3 * 4;  // that one symbol takes

  template <typename Index>
  bool GetAny(const Index* table, size_t count, int16_t* values);
  template <size_t kStates, typename Index>
  bool GetAll(const Index* table, size_t count, int16_t* values);
  // As many whole turns of the states as there are words for in any case: returns their symbols.
  template <size_t kStates, typename Index>
  size_t GetTurns(const Index* table, size_t count, int16_t* values);
  // With `kEnough` the words that a symbol may take are there for certain; *next is the next.
  template <bool kEnough>
  int16_t GetOne(const EntropyTables::Table& table, uint64_t* state, const uint8_t** next);
  // A symbol that the bucket does not have; its entry is not far from `entry`.
  template <bool kEnough>
  int16_t LookFor(const EntropyTables::Table& table, uint32_t entry, uint64_t* state,
                  const uint8_t** next);
  template <bool kEnough>
  int16_t GetEscape(const EntropyTables::Table& table, uint64_t* state, const uint8_t** next);
  template <bool kEnough>
  uint64_t Refilled(uint64_t x, const uint8_t** next);

  const EntropyTables* tables_;
  const uint8_t* next_ = nullptr;
  const uint8_t* end_ = nullptr;
  const EntropyTables::Table* first_table_ = nullptr;
  size_t states_ = 1;
  size_t phase_ = 0;  // state of the next symbol
  bool failed_ = false;
  std::array<uint64_t, kMaxRansStates> state_{};
};

}  // namespace glint

#endif  // GLINT_CODEC_STREAM_RANS_H_
