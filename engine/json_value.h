// A JSON value of our own. nlohmann/json reads and writes the text, but its values take memory in
// their destructor: where that fails, the process ends. Here neither destruction nor a move takes
// any. Used by engine/json.h and by what writes documents: gradients, model files, the quantiser.
// Thread rules: values, no shared state.
#ifndef GLINT_ENGINE_JSON_VALUE_H_
#define GLINT_ENGINE_JSON_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace glint {

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::map<std::string, Json, std::less<>>;  // in the order of files: by key

  template <typename T>
  using KeptAs = std::conditional_t<
      std::is_same_v<T, bool>, bool,
      std::conditional_t<std::is_floating_point_v<T>, double,
                         std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>>;

  Json();  // null
  // Not inline: they are much code, in which GCC 12 sees values that are not initialised.
  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(Json other) noexcept;  // a copy: it may be a part of this
  ~Json();

  // Not explicit, so that a document that is built reads as one. A number keeps its kind.
  template <typename T, typename = std::enable_if_t<std::is_arithmetic_v<T>>>
  Json(T value) : value_(static_cast<KeptAs<T>>(value)) {}  // NOLINT(google-explicit-constructor)
  Json(const char* text) : value_(std::string(text)) {}     // NOLINT(google-explicit-constructor)
  Json(std::string text) : value_(std::move(text)) {}       // NOLINT(google-explicit-constructor)
  Json(Array items) : value_(std::move(items)) {}           // NOLINT(google-explicit-constructor)
  Json(Object members) : value_(std::move(members)) {}      // NOLINT(google-explicit-constructor)
  template <typename T>
  Json(const std::vector<T>& items)  // NOLINT(google-explicit-constructor)
      : value_(Array(items.begin(), items.end())) {}

  bool is_boolean() const { return Is<bool>(); }
  bool is_number() const { return is_integer() || Is<double>(); }
  bool is_integer() const { return Is<int64_t>() || is_unsigned(); }
  bool is_unsigned() const { return Is<uint64_t>(); }  // in a text: an integer without a sign
  bool is_string() const { return Is<std::string>(); }
  bool is_array() const { return Is<Array>(); }
  bool is_object() const { return Is<Object>(); }

  // Of a value of that kind: others throw std::bad_variant_access.
  bool boolean() const { return std::get<bool>(value_); }
  double number() const;
  int64_t integer() const;  // an unsigned one beyond its range wraps
  uint64_t unsigned_integer() const { return std::get<uint64_t>(value_); }
  const std::string& string() const { return std::get<std::string>(value_); }
  const Array& array() const { return std::get<Array>(value_); }
  Array& array() { return std::get<Array>(value_); }
  const Object& object() const { return std::get<Object>(value_); }
  Object& object() { return std::get<Object>(value_); }

  // nullptr where this is no object, or has no such key.
  const Json* Find(std::string_view key) const;
  // Of an object that has the key.
  const Json& at(const std::string& key) const { return object().at(key); }
  // Of an object, or of null, which becomes one. A key that is new has null.
  Json& operator[](const std::string& key);

  // UTF-8 without spaces.
  std::string Dump() const;
  // ASCII in lines, indented by two spaces.
  std::string DumpIndented() const;

 private:
  class Writer;

  template <typename T>
  bool Is() const {
    return std::holds_alternative<T>(value_);
  }

  // Null is the first, so the default.
  using Value =
      std::variant<std::nullptr_t, bool, int64_t, uint64_t, double, std::string, Array, Object>;

  Value value_;
};

struct JsonTree {
  Json value;
  std::optional<std::string> duplicate;  // the first key that occurs twice in its object
};

// Nothing where the text is no JSON. It is read to its end or its first zero byte. The depth of
// nesting becomes that of recursion, so callers bound it.
std::optional<JsonTree> ParseJsonTree(std::string_view text);

}  // namespace glint

#endif  // GLINT_ENGINE_JSON_VALUE_H_
