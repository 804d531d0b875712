#include "engine/json_value.h"

#include <nlohmann/json.hpp>

namespace glint {
namespace {

// What nlohmann's parser calls, which gives the functions their names; false stops it.
class TreeBuilder {
 public:
  JsonTree& tree() { return tree_; }

  bool null() { return Put({}) != nullptr; }
  bool boolean(bool value) { return Put(value) != nullptr; }
  bool number_integer(int64_t value) { return Put(value) != nullptr; }
  bool number_unsigned(uint64_t value) { return Put(value) != nullptr; }
  bool number_float(double value, const std::string&) { return Put(value) != nullptr; }
  bool string(std::string& value) { return Put(std::move(value)) != nullptr; }
  bool binary(nlohmann::json::binary_t&) { return false; }  // not in texts
  bool start_array(size_t) { return Open(Json::Array()); }
  bool end_array() { return Close(); }
  bool start_object(size_t) { return Open(Json::Object()); }
  bool end_object() { return Close(); }
  bool key(std::string& key) {
    const auto [member, is_new] = open_.back()->object().try_emplace(std::move(key));
    if (!is_new && !tree_.duplicate) tree_.duplicate = member->first;
    member_ = &member->second;
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception&) { return false; }

 private:
  Json* Put(Json value) {
    Json* place = &tree_.value;
    if (!open_.empty()) {
      place = open_.back()->is_array() ? &open_.back()->array().emplace_back() : member_;
    }
    *place = std::move(value);
    return place;
  }
  bool Open(Json value) {
    open_.push_back(Put(std::move(value)));
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }

  JsonTree tree_;
  // From the outermost to the innermost; none moves, for only the innermost grows.
  std::vector<Json*> open_;
  Json* member_ = nullptr;  // of the innermost, where that is an object: the last key's
};

}  // namespace

// As nlohmann::json::dump writes it, byte for byte: files depend on it.
class Json::Writer {
 public:
  enum class Form { kDense, kIndented };
  explicit Writer(Form form) : form_(form) {}

  std::string Take() { return std::move(text_); }

  void Write(const Json& value) {
    std::visit([this](const auto& content) { Write(content); }, value.value_);
  }

 private:
  void Write(const Array& items) {
    if (items.empty()) {
      text_ += "[]";
      return;
    }
    text_ += '[';
    ++depth_;
    for (const Json& item : items) {
      BeginItem(&item == &items.front());
      Write(item);
    }
    End(']');
  }

  void Write(const Object& members) {
    if (members.empty()) {
      text_ += "{}";
      return;
    }
    text_ += '{';
    ++depth_;
    bool is_first = true;
    for (const auto& [key, value] : members) {
      BeginItem(is_first);
      is_first = false;
      Write(key);
      text_ += form_ == Form::kDense ? ":" : ": ";
      Write(value);
    }
    End('}');
  }

  // Numbers, texts and the rest are nlohmann's: a value without others in it is destroyed without
  // taking memory.
  template <typename T>
  void Write(const T& scalar) {
    text_ += nlohmann::json(scalar).dump(-1, ' ', /*ensure_ascii=*/form_ == Form::kIndented,
                                         nlohmann::json::error_handler_t::replace);
  }

  void BeginItem(bool is_first) {
    if (!is_first) text_ += ',';
    BeginLine();
  }
  void End(char bracket) {
    --depth_;
    BeginLine();
    text_ += bracket;
  }
  void BeginLine() {
    if (form_ == Form::kDense) return;
    text_ += '\n';
    text_.append(2 * depth_, ' ');
  }

  Form form_;
  size_t depth_ = 0;
  std::string text_;
};

Json::Json() = default;
Json::Json(const Json& other) = default;
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(Json other) noexcept {
  value_.swap(other.value_);
  return *this;
}
Json::~Json() {
  static_assert(std::is_nothrow_destructible_v<Value>);
  static_assert(std::is_nothrow_move_constructible_v<Value>);
  static_assert(std::is_nothrow_swappable_v<Value>);
}

double Json::number() const {
  if (const auto* value = std::get_if<int64_t>(&value_)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<uint64_t>(&value_)) return static_cast<double>(*value);
  return std::get<double>(value_);
}

int64_t Json::integer() const {
  if (const auto* value = std::get_if<uint64_t>(&value_)) return static_cast<int64_t>(*value);
  return std::get<int64_t>(value_);
}

const Json* Json::Find(std::string_view key) const {
  const Object* members = std::get_if<Object>(&value_);
  if (members == nullptr) return nullptr;
  const auto found = members->find(key);
  return found == members->end() ? nullptr : &found->second;
}

Json& Json::operator[](const std::string& key) {
  if (Is<std::nullptr_t>()) value_ = Object();
  return object()[key];
}

std::string Json::Dump() const {
  Writer writer(Writer::Form::kDense);
  writer.Write(*this);
  return writer.Take();
}

std::string Json::DumpIndented() const {
  Writer writer(Writer::Form::kIndented);
  writer.Write(*this);
  return writer.Take();
}

std::optional<JsonTree> ParseJsonTree(std::string_view text) {
  TreeBuilder builder;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) return std::nullopt;
  return std::move(builder.tree());
}

}  // namespace glint
