// bench_page: results of the other benchmark programs, as JSON, as one page for a browser.
// Run by `./run bench --html`.
// Thread rules: one main thread.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "glint/glint.hpp"
#include "tools/common/console.h"
#include "tools/common/machine.h"
#include "tools/common/output.h"
#include "tools/evaluation/json_input.h"
#include "tools/page/html_page.h"
#include "tools/program/program.h"

namespace glint::tools {
namespace {

constexpr uint64_t kMostBytes = uint64_t{64} << 20;

struct Flags {
  std::string out;
  std::vector<std::string> results;
};

Error MakePage(const Flags& flags) {
  InputFiles inputs;
  Json results = Json::array();
  for (const std::string& path : flags.results) {
    inputs.Add(path);
    Expected<Json> json = ReadJson(path, kMostBytes);
    if (!json) return json.error();
    const auto is_list = [&json](const char* key) {
      return json->is_object() && json->contains(key) && (*json)[key].is_array();
    };
    if (!is_list("benchmarks") && !is_list("layers")) {
      return MakeError(ErrorCode::kInvalidArgument,
                       path + ": neither results of Google Benchmark nor of bench_peers");
    }
    results.push_back(std::move(*json));
  }
  Error error = CheckOutputPath("--out", flags.out);
  if (error.ok()) error = inputs.Check(flags.out);
  if (!error.ok()) return error;
  HtmlParts parts;
  parts.title = "Glint: benchmarks, " + CpuName();
  parts.body = page::kBenchHtml;
  parts.scripts = {page::kBenchJs};
  parts.data = Json{{"version", Version()},
                    {"time", LocalTime("%Y-%m-%d %H:%M")},
                    {"results", std::move(results)}};
  const std::string html = HtmlPage(parts);
  return WriteOutput(flags.out, html.data(), html.size());
}

int Main(int argc, char** argv) {
  CLI::App app("Results of benchmarks as a page for a browser", "bench_page");
  Flags flags;
  app.add_option("--out", flags.out, "The page")->required()->type_name("FILE");
  app.add_option("results", flags.results,
                 "JSON of --benchmark_out (bench_kernels, bench_stages, bench_limits) and of "
                 "bench_peers --json")
      ->required()
      ->type_name("FILE...");
  return RunTool(app, argc, argv, [&flags] { return ExitCodeFor("bench_page", MakePage(flags)); });
}

}  // namespace
}  // namespace glint::tools

int main(int argc, char** argv) { return glint::tools::Main(argc, argv); }
