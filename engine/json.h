// JSON from untrusted files: bounded parsing, and objects read key by key with messages that name
// the place. Called by engine/safetensors.cc, engine/graph_document.cc and codec/model.
// Thread rules: values, no shared state.
#ifndef GLINT_ENGINE_JSON_H_
#define GLINT_ENGINE_JSON_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/json_value.h"
#include "engine/status.h"

namespace glint {

// `text` in quotes for a message: shortened, unprintable bytes replaced.
std::string Quote(std::string_view text);
// A kBadModel status with the message "place: what".
Status BadModel(const std::string& place, const std::string& what);

// Names of graphs, nodes and tensors: 1 to 128 printable ASCII characters without space.
bool IsName(std::string_view text);

// Refuses, besides what is no JSON, keys that occur twice in an object, nesting deeper than 32 and
// more than 2^18 values (both known before any memory is taken).
Result<Json> ParseJson(std::string_view text, const std::string& place);

// Reads one object. Every key must be asked for: Finish rejects those that were not.
class ObjectReader {
 public:
  // `value` must outlive the reader. The object check is part of the first access.
  ObjectReader(const Json& value, std::string place) : value_(value), place_(std::move(place)) {}

  const std::string& place() const { return place_; }
  Status Fail(const std::string& what) const { return BadModel(place_, what); }
  bool Has(const char* key) const;
  // A key that somebody else reads.
  void Skip(const char* key) { asked_.insert(key); }

  Status Int(const char* key, int64_t min, int64_t max, int* out);
  Status Number(const char* key, double* out);  // finite
  Status Bool(const char* key, bool* out);
  Status String(const char* key, std::string* out);
  Status Name(const char* key, std::string* out);
  // One of `names`; its index.
  Status Choice(const char* key, const std::vector<const char*>& names, size_t* out);
  Status Object(const char* key, const Json** out);
  Status Array(const char* key, size_t min_size, size_t max_size, const Json::Array** out);
  Status Names(const char* key, size_t min_size, size_t max_size, std::vector<std::string>* out);
  Status Numbers2(const char* key, double* first, double* second);
  // [begin, end) with 0 <= begin < end <= max.
  Status Range(const char* key, int64_t max, int* begin, int* end);
  Status Finish() const;

 private:
  Status Find(const char* key, const Json** out);

  const Json& value_;
  std::string place_;
  std::set<std::string> asked_;
};

// [begin, end) as in ObjectReader::Range, from a value.
Status ReadRange(const Json& value, const std::string& place, int64_t max, int* begin, int* end);

}  // namespace glint

#endif  // GLINT_ENGINE_JSON_H_
