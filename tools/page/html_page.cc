#include "tools/page/html_page.h"

#include <cstddef>
#include <cstdint>

namespace glint::tools {
namespace {

std::string EscapedText(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// In a script an escaped '<' reads the same, and cannot end the script.
std::string EscapedJson(const Json& json) {
  std::string escaped;
  for (const char c : json.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<') {
      escaped += "\\u003c";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace

std::string Base64(std::string_view bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    for (size_t j = i; j < i + 3; ++j) {
      three = three << 8 | (j < bytes.size() ? static_cast<uint8_t>(bytes[j]) : 0U);
    }
    for (size_t j = 0; j < 4; ++j) {
      text += i + j <= bytes.size() ? kDigits[three >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

std::string HtmlPage(const HtmlParts& parts) {
  std::string scripts(page::kChartsJs);
  for (const std::string_view script : parts.scripts) (scripts += '\n') += script;
  std::string pictures;
  for (const auto& [id, base64] : parts.pictures) {
    pictures += "<script type=\"text/plain\" id=\"" + id + "\">";
    pictures += base64;
    pictures += "</script>\n";
  }
  // Names in the frame, and what stands there instead.
  const std::pair<std::string_view, std::string> places[] = {
      {"@TITLE@", EscapedText(parts.title)},
      {"@STYLE@", std::string(page::kThemeCss) + std::string(page::kStyleCss)},
      {"@BODY@", std::string(parts.body)},
      {"@DATA@", EscapedJson(parts.data)},
      {"@PICTURES@", std::move(pictures)},
      {"@SCRIPT@", std::move(scripts)}};
  std::string page;
  std::string_view rest = page::kPageHtml;
  for (const auto& [name, text] : places) {
    const size_t at = rest.find(name);
    page += rest.substr(0, at);
    page += text;
    rest.remove_prefix(at + name.size());
  }
  page += rest;
  return page;
}

}  // namespace glint::tools
