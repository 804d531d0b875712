// The model's CDF tables in the forms that rANS wants: reciprocals for the encoder, lookups for the
// decoder. Called by codec/stream/rans and codec/latents/latent_coder; built once per model.
// Thread rules: immutable after Append, shared freely.
#ifndef GLINT_CODEC_STREAM_ENTROPY_TABLES_H_
#define GLINT_CODEC_STREAM_ENTROPY_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace glint {

// Integer CDF tables: table i is cdf[start[i] .. start[i+1]), n + 1 cumulative counts from 0 to
// 65536, strictly increasing; symbol s of the table has the value min[i] + s, the last is the
// escape.
struct CdfTables {
  std::vector<uint32_t> cdf;
  std::vector<uint32_t> start;  // tables + 1 entries
  std::vector<int32_t> min;
  size_t count() const { return min.size(); }
};

class EntropyTables {
 public:
  static constexpr int kProbabilityBits = 16;
  static constexpr size_t kBuckets = 256;  // of the decoder's first lookup

  // floor(x / frequency) = mulhi(2 x, reciprocal) >> shift for every x < 2^63.
  struct Encoding {
    uint64_t reciprocal = 0;
    uint32_t frequency = 0;  // 1..65536
    uint16_t start = 0;
    uint8_t shift = 0;
  };
  struct Decoding {
    uint16_t start = 0;
    uint16_t last = 0;  // frequency - 1
  };
  struct Table {
    uint32_t first = 0;   // entry of its first value
    uint32_t escape = 0;  // entries after `first`: number of its values
    int32_t min = 0;
    int32_t max = 0;
  };

  // Adds the tables of a validated model behind those that are there.
  void Append(const CdfTables& tables);

  size_t count() const { return tables_.size(); }
  const Table& table(size_t i) const { return tables_[i]; }
  const Table* tables() const { return tables_.data(); }
  const Encoding& encoding(size_t entry) const { return encodings_[entry]; }
  const Decoding* decodings() const { return decodings_.data(); }
  // Bits that the entry costs: -log2(frequency / 65536).
  double bits(size_t entry) const { return bits_[entry]; }
  // For each of the 256 values of a slot's 8 high bits: the first entry (counted from the table's
  // first) whose range is not wholly below it.
  const uint16_t* lookup(size_t table) const { return lookup_.data() + table * kBuckets; }

 private:
  void AppendLookup(const uint32_t* cdf);

  std::vector<Table> tables_;
  std::vector<Encoding> encodings_;
  std::vector<Decoding> decodings_;
  std::vector<double> bits_;
  std::vector<uint16_t> lookup_;
};

}  // namespace glint

#endif  // GLINT_CODEC_STREAM_ENTROPY_TABLES_H_
