#include "engine/json.h"

#include <cmath>
#include <optional>
#include <utility>

namespace glint {
namespace {

constexpr size_t kMaxDepth = 32;
constexpr size_t kMaxValues = size_t{1} << 18;
constexpr size_t kMaxShown = 64;

std::string Show(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array of " + std::to_string(value.array().size());
  if (value.is_string()) return Quote(value.string());
  return value.Dump();
}

// Depth and number of values, without a parser: what is not JSON may be counted wrongly, but never
// lower than what the parser would build.
Status CheckSize(std::string_view text, const std::string& place) {
  size_t depth = 0, values = 1;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
      continue;
    }
    in_string = c == '"';
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && depth > 0) --depth;
    if (c == '{' || c == '[' || c == ',') ++values;
    if (depth > kMaxDepth) {
      return BadModel(place, "JSON is nested deeper than " + std::to_string(kMaxDepth));
    }
    if (values > kMaxValues) {
      return BadModel(place, "JSON has more than " + std::to_string(kMaxValues) + " values");
    }
  }
  return Status::Ok();
}

}  // namespace

std::string Quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, kMaxShown)) out += c >= 0x20 && c < 0x7f ? c : '?';
  if (text.size() > kMaxShown) out += "...";
  return out + "'";
}

Status BadModel(const std::string& place, const std::string& what) {
  return Status::Error(StatusCode::kBadModel, place.empty() ? what : place + ": " + what);
}

bool IsName(std::string_view text) {
  if (text.empty() || text.size() > 128) return false;
  for (const char c : text) {
    if (c <= 0x20 || c >= 0x7f) return false;
  }
  return true;
}

Result<Json> ParseJson(std::string_view text, const std::string& place) {
  GLINT_TRY(CheckSize(text, place));
  // The parser takes a zero byte for the end of the text.
  if (text.find('\0') != std::string_view::npos) return BadModel(place, "is not valid JSON");
  std::optional<JsonTree> tree = ParseJsonTree(text);
  if (!tree) return BadModel(place, "is not valid JSON");
  if (tree->duplicate) return BadModel(place, "key " + Quote(*tree->duplicate) + " occurs twice");
  return std::move(tree->value);
}

bool ObjectReader::Has(const char* key) const { return value_.Find(key) != nullptr; }

Status ObjectReader::Find(const char* key, const Json** out) {
  if (!value_.is_object()) return Fail("is " + Show(value_) + ", not an object");
  asked_.insert(key);
  *out = value_.Find(key);
  if (*out == nullptr) return Fail(std::string("key '") + key + "' is missing");
  return Status::Ok();
}

Status ObjectReader::Int(const char* key, int64_t min, int64_t max, int* out) {
  const Json* value = nullptr;
  GLINT_TRY(Find(key, &value));
  // The largest unsigned numbers would wrap into negative ones.
  const bool fits =
      value->is_integer() && !(value->is_unsigned() && value->unsigned_integer() > INT64_MAX);
  const int64_t number = fits ? value->integer() : 0;
  if (!fits || number < min || number > max) {
    return Fail(std::string(key) + " is " + Show(*value) + ", not an integer from " +
                std::to_string(min) + " to " + std::to_string(max));
  }
  *out = static_cast<int>(number);
  return Status::Ok();
}

Status ObjectReader::Number(const char* key, double* out) {
  const Json* value = nullptr;
  GLINT_TRY(Find(key, &value));
  if (!value->is_number() || !std::isfinite(value->number())) {
    return Fail(std::string(key) + " is " + Show(*value) + ", not a number");
  }
  *out = value->number();
  return Status::Ok();
}

Status ObjectReader::Bool(const char* key, bool* out) {
  const Json* value = nullptr;
  GLINT_TRY(Find(key, &value));
  if (!value->is_boolean()) {
    return Fail(std::string(key) + " is " + Show(*value) + ", not true or false");
  }
  *out = value->boolean();
  return Status::Ok();
}

Status ObjectReader::String(const char* key, std::string* out) {
  const Json* value = nullptr;
  GLINT_TRY(Find(key, &value));
  if (!value->is_string()) {
    return Fail(std::string(key) + " is " + Show(*value) + ", not a string");
  }
  *out = value->string();
  return Status::Ok();
}

Status ObjectReader::Name(const char* key, std::string* out) {
  GLINT_TRY(String(key, out));
  if (!IsName(*out)) {
    return Fail(std::string(key) + " is " + Quote(*out) +
                ", not a name (1 to 128 printable ASCII characters without spaces)");
  }
  return Status::Ok();
}

Status ObjectReader::Choice(const char* key, const std::vector<const char*>& names, size_t* out) {
  std::string text;
  GLINT_TRY(String(key, &text));
  std::string known;
  for (size_t i = 0; i < names.size(); ++i) {
    if (text == names[i]) {
      *out = i;
      return Status::Ok();
    }
    known += (i == 0 ? "" : ", ") + std::string(names[i]);
  }
  return Fail(std::string(key) + " is " + Quote(text) + ", known here: " + known);
}

Status ObjectReader::Object(const char* key, const Json** out) {
  GLINT_TRY(Find(key, out));
  if (!(*out)->is_object())
    return Fail(std::string(key) + " is " + Show(**out) + ", not an object");
  return Status::Ok();
}

Status ObjectReader::Array(const char* key, size_t min_size, size_t max_size,
                           const Json::Array** out) {
  const Json* value = nullptr;
  GLINT_TRY(Find(key, &value));
  if (!value->is_array() || value->array().size() < min_size || value->array().size() > max_size) {
    return Fail(std::string(key) + " is " + Show(*value) + ", not an array of " +
                std::to_string(min_size) + " to " + std::to_string(max_size));
  }
  *out = &value->array();
  return Status::Ok();
}

Status ObjectReader::Names(const char* key, size_t min_size, size_t max_size,
                           std::vector<std::string>* out) {
  const Json::Array* array = nullptr;
  GLINT_TRY(Array(key, min_size, max_size, &array));
  for (const Json& item : *array) {
    if (!item.is_string() || !IsName(item.string())) {
      return Fail(std::string(key) + " has " + Show(item) + ", which is not a name");
    }
    out->push_back(item.string());
  }
  return Status::Ok();
}

Status ObjectReader::Numbers2(const char* key, double* first, double* second) {
  const Json::Array* array = nullptr;
  GLINT_TRY(Array(key, 2, 2, &array));
  for (const Json& item : *array) {
    if (!item.is_number() || !std::isfinite(item.number())) {
      return Fail(std::string(key) + " has " + Show(item) + ", which is not a number");
    }
  }
  *first = (*array)[0].number();
  *second = (*array)[1].number();
  return Status::Ok();
}

Status ObjectReader::Range(const char* key, int64_t max, int* begin, int* end) {
  const Json* value = nullptr;
  GLINT_TRY(Find(key, &value));
  return ReadRange(*value, place_ + ", " + key, max, begin, end);
}

Status ObjectReader::Finish() const {
  if (!value_.is_object()) return Fail("is " + Show(value_) + ", not an object");
  for (const auto& [key, value] : value_.object()) {
    if (asked_.count(key) == 0) return Fail("unknown key " + Quote(key));
  }
  return Status::Ok();
}

Status ReadRange(const Json& value, const std::string& place, int64_t max, int* begin, int* end) {
  const auto fits = [&](const Json& item) {
    return item.is_unsigned() && item.unsigned_integer() <= static_cast<uint64_t>(max);
  };
  const Json* pair = nullptr;
  if (value.is_array() && value.array().size() == 2) pair = value.array().data();
  if (pair == nullptr || !fits(pair[0]) || !fits(pair[1]) ||
      pair[0].integer() >= pair[1].integer()) {
    const std::string shown =
        pair == nullptr ? Show(value) : "[" + Show(pair[0]) + ", " + Show(pair[1]) + "]";
    return BadModel(place, "is " + shown + ", not [begin, end] with 0 <= begin < end <= " +
                               std::to_string(max));
  }
  *begin = static_cast<int>(pair[0].integer());
  *end = static_cast<int>(pair[1].integer());
  return Status::Ok();
}

}  // namespace glint
