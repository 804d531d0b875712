// JSON of files, which may be anybody's: read within limits, and its members by kind.
// Used by what reads curves and results of evaluate.
// Thread rules: free functions; a JsonFields belongs to one thread.
#ifndef GLINT_TOOLS_EVALUATION_JSON_INPUT_H_
#define GLINT_TOOLS_EVALUATION_JSON_INPUT_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "glint/glint.hpp"
#include "tools/common/json_output.h"

namespace glint::tools {

// What is nested deeper than anything of ours is left out: copies and destructors of it recurse.
// Discarded where the text is no JSON.
Json ParseJson(std::string_view text);
// The file's name stands in front of errors.
Expected<Json> ReadJson(const std::string& path, uint64_t max_bytes);

// The members of an object. A member that is missing or of another kind is a fault, the first of
// which is kept, and reads as 0 or empty: who reads many looks once whether there was one.
class JsonFields {
 public:
  // Both have to outlive this. `place` is what the object is called in faults.
  JsonFields(const Json& json, std::string* fault, std::string place = "");

  bool Has(const std::string& key) const;
  double Real(const std::string& key) const;
  std::optional<double> RealOrNull(const std::string& key) const;
  uint64_t Whole(const std::string& key,
                 uint64_t most = std::numeric_limits<uint64_t>::max()) const;
  bool Flag(const std::string& key) const;
  std::string Text(const std::string& key) const;
  std::vector<std::string> Texts(const std::string& key) const;
  JsonFields Object(const std::string& key) const;
  std::vector<JsonFields> Objects(const std::string& key) const;
  const Json& json() const { return json_; }

 private:
  const Json& Member(const std::string& key) const;
  void Fault(const std::string& key, const std::string& what) const;
  void Say(const std::string& fault) const;

  const Json& json_;
  std::string* fault_;
  std::string place_;
};

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_JSON_INPUT_H_
