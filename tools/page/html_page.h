// Pages of results: one HTML file that needs nothing else. Its text, style and script are the files
// of tools/page, which are in the programs; its numbers are JSON, from which the script draws.
// Used by `evaluate --html` and bench/page_bench.cc.
// Thread rules: pure functions.
#ifndef GLINT_TOOLS_PAGE_HTML_PAGE_H_
#define GLINT_TOOLS_PAGE_HTML_PAGE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/common/json_output.h"

namespace glint::tools {

// The files of tools/page.
namespace page {
extern const std::string_view kPageHtml, kThemeCss, kStyleCss, kChartsJs;
extern const std::string_view kEvaluationHtml, kEvaluationJs, kViewerJs;
extern const std::string_view kBenchHtml, kBenchJs;
}  // namespace page

std::string Base64(std::string_view bytes);

struct HtmlParts {
  std::string title;
  std::string_view body;
  std::vector<std::string_view> scripts;  // after charts.js
  Json data;
  // Ids, and PNG files in Base64: the script reads them when they are looked at.
  std::vector<std::pair<std::string, std::string_view>> pictures = {};
};
std::string HtmlPage(const HtmlParts& parts);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_PAGE_HTML_PAGE_H_
