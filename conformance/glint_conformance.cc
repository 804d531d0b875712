// Whether this build of the library decodes the conformance set as all others do. It needs neither
// picture files nor the programs, so it runs on every port.
// Usage: glint_conformance FOLDER [NAME...]: the set, or the streams of it that are named.
// A line for each stream, then "N passed, N failed"; 1 when one failed, 2 when nothing could be
// tried.
#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "conformance/conformance_case.h"

namespace glint::conformance {
namespace {

class Models {
 public:
  explicit Models(std::string folder) : folder_(std::move(folder)) {}

  Expected<Model> Find(const Case& which) {
    const auto found = models_.find(which.model);
    if (found != models_.end()) return found->second;
    Expected<Model> model = Model::Load(folder_ + "/" + which.model);
    if (model) models_.emplace(which.model, *model);
    return model;
  }

 private:
  const std::string folder_;
  std::map<std::string, Model> models_;
};

Error Check(const std::string& folder, const Case& which, Models* models) {
  const Expected<Model> model = models->Find(which);
  if (!model) return model.error();
  if (model->info().id != which.model_id) {
    return {ErrorCode::kWrongModel, "the model is " + model->info().id};
  }
  const Expected<std::vector<uint8_t>> stream = ReadBytes(StreamPath(folder, which));
  if (!stream) return stream.error();
  for (const int threads : {1, 2}) {
    DecodeOptions options;
    options.threads = threads;
    const Expected<Outcome> outcome = DecodeCase(*model, *stream, options);
    if (!outcome) return outcome.error();
    Error error = Compare(folder, which, *outcome);
    if (!error.ok()) return error;
  }
  return {};
}

int Run(const std::string& folder, const std::vector<std::string>& names) {
  const Expected<std::vector<Case>> cases = ReadManifest(folder);
  if (!cases) {
    std::fprintf(stderr, "glint_conformance: %s\n", cases.error().message.c_str());
    return 2;
  }
  std::printf("Glint %s, target %s\n", Version(), CurrentTarget().c_str());
  Models models(folder);
  int passed = 0, failed = 0;
  for (const Case& which : *cases) {
    if (!names.empty() && std::find(names.begin(), names.end(), which.name) == names.end()) {
      continue;
    }
    const Error error = Check(folder, which, &models);
    ++(error.ok() ? passed : failed);
    std::printf("%s %s%s%s\n", error.ok() ? "ok  " : "FAIL", which.name.c_str(),
                error.ok() ? "" : ": ", error.message.c_str());
    std::fflush(stdout);
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return passed + failed == 0 ? 2 : failed != 0 ? 1 : 0;
}

}  // namespace
}  // namespace glint::conformance

int main(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') {
    std::fprintf(stderr, "usage: glint_conformance FOLDER [NAME...]\n");
    return 2;
  }
  return glint::conformance::Run(argv[1], {argv + 2, argv + argc});
}
