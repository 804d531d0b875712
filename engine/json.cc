#include "engine/json.h"

#include <cmath>
#include <utility>

namespace glint {
namespace {

constexpr size_t kMaxDepth = 32;
constexpr size_t kMaxValues = size_t{1} << 18;
constexpr size_t kMaxShown = 64;

std::string Show(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array of " + std::to_string(value.size());
  if (value.is_string()) return Quote(value.get_ref<const std::string&>());
  return value.dump();
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
  std::vector<std::set<std::string>> open_objects;
  std::string duplicate;
  bool has_duplicate = false;
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == Json::parse_event_t::object_end && !open_objects.empty()) open_objects.pop_back();
    if (event == Json::parse_event_t::key && !open_objects.empty() &&
        !open_objects.back().insert(parsed.get<std::string>()).second && !has_duplicate) {
      has_duplicate = true;
      duplicate = parsed.get<std::string>();
    }
    return true;
  };
  Json value = Json::parse(text.begin(), text.end(), watch, /*allow_exceptions=*/false);
  if (value.is_discarded()) return BadModel(place, "is not valid JSON");
  if (has_duplicate) return BadModel(place, "key " + Quote(duplicate) + " occurs twice");
  return value;
}

bool ObjectReader::Has(const char* key) const { return value_.is_object() && value_.contains(key); }

Status ObjectReader::Find(const char* key, const Json** out) {
  if (!value_.is_object()) return Fail("is " + Show(value_) + ", not an object");
  asked_.insert(key);
  const auto found = value_.find(key);
  if (found == value_.end()) return Fail(std::string("key '") + key + "' is missing");
  *out = &*found;
  return Status::Ok();
}

Status ObjectReader::Int(const char* key, int64_t min, int64_t max, int* out) {
  const Json* value = nullptr;
  GLINT_TRY(Find(key, &value));
  // The largest unsigned numbers would wrap into negative ones.
  const bool fits = value->is_number_integer() &&
                    !(value->is_number_unsigned() && value->get<uint64_t>() > INT64_MAX);
  const int64_t number = fits ? value->get<int64_t>() : 0;
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
  if (!value->is_number() || !std::isfinite(value->get<double>())) {
    return Fail(std::string(key) + " is " + Show(*value) + ", not a number");
  }
  *out = value->get<double>();
  return Status::Ok();
}

Status ObjectReader::Bool(const char* key, bool* out) {
  const Json* value = nullptr;
  GLINT_TRY(Find(key, &value));
  if (!value->is_boolean()) {
    return Fail(std::string(key) + " is " + Show(*value) + ", not true or false");
  }
  *out = value->get<bool>();
  return Status::Ok();
}

Status ObjectReader::String(const char* key, std::string* out) {
  const Json* value = nullptr;
  GLINT_TRY(Find(key, &value));
  if (!value->is_string()) {
    return Fail(std::string(key) + " is " + Show(*value) + ", not a string");
  }
  *out = value->get_ref<const std::string&>();
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

Status ObjectReader::Array(const char* key, size_t min_size, size_t max_size, const Json** out) {
  GLINT_TRY(Find(key, out));
  if (!(*out)->is_array() || (*out)->size() < min_size || (*out)->size() > max_size) {
    return Fail(std::string(key) + " is " + Show(**out) + ", not an array of " +
                std::to_string(min_size) + " to " + std::to_string(max_size));
  }
  return Status::Ok();
}

Status ObjectReader::Names(const char* key, size_t min_size, size_t max_size,
                           std::vector<std::string>* out) {
  const Json* array = nullptr;
  GLINT_TRY(Array(key, min_size, max_size, &array));
  for (const Json& item : *array) {
    if (!item.is_string() || !IsName(item.get_ref<const std::string&>())) {
      return Fail(std::string(key) + " has " + Show(item) + ", which is not a name");
    }
    out->push_back(item.get<std::string>());
  }
  return Status::Ok();
}

Status ObjectReader::Numbers2(const char* key, double* first, double* second) {
  const Json* array = nullptr;
  GLINT_TRY(Array(key, 2, 2, &array));
  for (const Json& item : *array) {
    if (!item.is_number() || !std::isfinite(item.get<double>())) {
      return Fail(std::string(key) + " has " + Show(item) + ", which is not a number");
    }
  }
  *first = (*array)[0].get<double>();
  *second = (*array)[1].get<double>();
  return Status::Ok();
}

Status ObjectReader::Range(const char* key, int64_t max, int* begin, int* end) {
  const Json* value = nullptr;
  GLINT_TRY(Find(key, &value));
  return ReadRange(*value, place_ + ", " + key, max, begin, end);
}

Status ObjectReader::Finish() const {
  if (!value_.is_object()) return Fail("is " + Show(value_) + ", not an object");
  for (const auto& item : value_.items()) {
    if (asked_.count(item.key()) == 0) return Fail("unknown key " + Quote(item.key()));
  }
  return Status::Ok();
}

Status ReadRange(const Json& value, const std::string& place, int64_t max, int* begin, int* end) {
  const auto fits = [&](const Json& item) {
    return item.is_number_unsigned() && item.get<uint64_t>() <= static_cast<uint64_t>(max);
  };
  if (!value.is_array() || value.size() != 2 || !fits(value[0]) || !fits(value[1]) ||
      value[0].get<int64_t>() >= value[1].get<int64_t>()) {
    return BadModel(place,
                    "is " +
                        (value.is_array() && value.size() == 2
                             ? "[" + Show(value[0]) + ", " + Show(value[1]) + "]"
                             : Show(value)) +
                        ", not [begin, end] with 0 <= begin < end <= " + std::to_string(max));
  }
  *begin = value[0].get<int>();
  *end = value[1].get<int>();
  return Status::Ok();
}

}  // namespace glint
