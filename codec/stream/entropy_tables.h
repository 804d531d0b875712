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
  size_t entries() const { return cdf.size() - count(); }  // without the ends
};

class EntropyTables {
 public:
  static constexpr int kProbabilityBits = 16;
  static constexpr uint32_t kMostBuckets = 512;  // of a table

  // floor(x / frequency) = mulhi(2 x, reciprocal) >> shift for every x < 2^63.
  struct Encoding {
    uint64_t reciprocal = 0;
    uint32_t frequency = 0;  // 1..65535
    uint16_t start = 0;
    uint8_t shift = 0;
  };
  // Slots of an entry: start to last.
  struct Decoding {
    uint16_t start = 0;
    uint16_t last = 0;
  };
  // The decoder's first look: of slots that have their high bits in common, the entry that has most
  // of them, but never the escape. Other slots have to be looked for from there.
  struct Bucket {
    uint16_t start = 0;
    uint16_t frequency = 0;  // 0 where all slots are the escape's
    uint16_t entry = 0;
    int16_t value = 0;
  };
  struct Table {
    uint32_t first = 0;   // entry of its first value
    uint32_t escape = 0;  // entries after `first`: number of its values
    int32_t min = 0;
    int32_t max = 0;
    uint32_t bucket_shift = 0;  // a slot's bits below those that choose the bucket
    uint32_t first_bucket = 0;
    const Bucket* buckets = nullptr;  // from the first on
  };

  EntropyTables() = default;
  EntropyTables(EntropyTables&&) = default;  // a copy's tables would point into this one's
  EntropyTables& operator=(EntropyTables&&) = default;

  // Room for so many tables, which have so many entries together; and what that takes.
  void Reserve(size_t tables, size_t entries);
  static constexpr uint64_t BytesOf(size_t tables, size_t entries) {
    return uint64_t{tables} * (sizeof(Table) + kMostBuckets * sizeof(Bucket)) +
           uint64_t{entries} * (sizeof(Encoding) + sizeof(Decoding) + sizeof(double));
  }
  // Adds the tables of a validated model behind those that are there.
  void Append(const CdfTables& tables);

  size_t count() const { return tables_.size(); }
  const Table& table(size_t i) const { return tables_[i]; }
  const Table* tables() const { return tables_.data(); }
  const Encoding& encoding(size_t entry) const { return encodings_[entry]; }
  const Encoding* encodings() const { return encodings_.data(); }
  const Decoding* decodings() const { return decodings_.data(); }
  // Bits that the entry costs: -log2(frequency / 65536).
  double bits(size_t entry) const { return bits_[entry]; }

 private:
  void AppendBuckets(Table* table);
  uint32_t AppendBuckets(const Table& table, uint32_t size);

  std::vector<Table> tables_;
  std::vector<Encoding> encodings_;
  std::vector<Decoding> decodings_;
  std::vector<Bucket> buckets_;
  std::vector<double> bits_;
};

}  // namespace glint

#endif  // GLINT_CODEC_STREAM_ENTROPY_TABLES_H_
