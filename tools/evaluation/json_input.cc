#include "tools/evaluation/json_input.h"

#include <utility>

#include "glint/image_io.hpp"
#include "tools/common/console.h"

namespace glint::tools {
namespace {

constexpr int kMostDepth = 32;

const Json& Nothing() {
  static const Json kNothing;
  return kNothing;
}

}  // namespace

Json ParseJson(std::string_view text) {
  const auto keep = [](int depth, Json::parse_event_t, Json&) { return depth <= kMostDepth; };
  return Json::parse(text, keep, /*allow_exceptions=*/false);
}

Expected<Json> ReadJson(const std::string& path, uint64_t max_bytes) {
  const Expected<std::vector<uint8_t>> file = ReadFile(path, max_bytes);
  if (!file) return At(path, file.error());
  Json json = ParseJson({reinterpret_cast<const char*>(file->data()), file->size()});
  if (json.is_discarded()) {
    return MakeError(ErrorCode::kInvalidArgument, path + ": is not JSON");
  }
  return json;
}

JsonFields::JsonFields(const Json& json, std::string* fault, std::string place)
    : json_(json), fault_(fault), place_(std::move(place)) {}

bool JsonFields::Has(const std::string& key) const {
  return json_.is_object() && json_.contains(key);
}

double JsonFields::Real(const std::string& key) const {
  const Json& member = Member(key);
  if (member.is_number()) return member.get<double>();
  Fault(key, "is no number");
  return 0;
}

std::optional<double> JsonFields::RealOrNull(const std::string& key) const {
  if (Has(key) && Member(key).is_null()) return std::nullopt;
  return Real(key);
}

uint64_t JsonFields::Whole(const std::string& key, uint64_t most) const {
  const Json& member = Member(key);
  const bool is_whole =
      member.is_number_unsigned() || (member.is_number_integer() && member.get<int64_t>() >= 0);
  const uint64_t value = is_whole ? member.get<uint64_t>() : 0;
  if (is_whole && value <= most) return value;
  Fault(key, is_whole ? "is above " + std::to_string(most) : "is no whole number from 0");
  return 0;
}

bool JsonFields::Flag(const std::string& key) const {
  const Json& member = Member(key);
  if (member.is_boolean()) return member.get<bool>();
  Fault(key, "is neither true nor false");
  return false;
}

std::string JsonFields::Text(const std::string& key) const {
  const Json& member = Member(key);
  if (member.is_string()) return member.get<std::string>();
  Fault(key, "is no text");
  return "";
}

std::vector<std::string> JsonFields::Texts(const std::string& key) const {
  std::vector<std::string> texts;
  const Json& member = Member(key);
  if (!member.is_array()) Fault(key, "is no list");
  if (!member.is_array()) return texts;
  for (const Json& text : member) {
    if (!text.is_string()) Say(key + " holds what is no text");
    if (text.is_string()) texts.push_back(text.get<std::string>());
  }
  return texts;
}

JsonFields JsonFields::Object(const std::string& key) const {
  const Json& member = Member(key);
  if (!member.is_object()) Fault(key, "is no object");
  return {member, fault_, place_ + key + ", "};
}

std::vector<JsonFields> JsonFields::Objects(const std::string& key) const {
  std::vector<JsonFields> objects;
  const Json& member = Member(key);
  if (!member.is_array()) Fault(key, "is no list");
  if (!member.is_array()) return objects;
  for (const Json& object : member) {
    const std::string name = key + " " + std::to_string(objects.size() + 1);
    if (!object.is_object()) Say(name + " is no object");
    objects.emplace_back(object, fault_, place_ + name + ", ");
  }
  return objects;
}

const Json& JsonFields::Member(const std::string& key) const {
  return Has(key) ? json_.at(key) : Nothing();
}

void JsonFields::Fault(const std::string& key, const std::string& what) const {
  Say(key + (Has(key) ? " " + what : " is missing"));
}

void JsonFields::Say(const std::string& fault) const {
  if (fault_->empty()) *fault_ = place_ + fault;
}

}  // namespace glint::tools
