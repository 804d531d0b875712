// bench_codecs: forms of Glint beside JPEG, WebP, JPEG XL and AVIF on a folder of pictures: bits,
// PSNR, MS-SSIM and speeds both ways, at each codec's settings and at the same quality. All in this
// process, from RGB samples to the bytes of a file and back, one thread. The codecs are those whose
// libraries were found at build time.
// Thread rules: one thread.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/codecs/measurement.h"
#include "bench/codecs/picture_codec.h"
#include "bench/codecs/report.h"
#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "glint/pictures.hpp"
#include "tools/common/console.h"
#include "tools/common/json_output.h"
#include "tools/common/machine.h"
#include "tools/common/messages.h"
#include "tools/common/models.h"
#include "tools/common/output.h"
#include "tools/common/pictures.h"
#include "tools/common/text.h"
#include "tools/program/detail_flags.h"
#include "tools/program/effort_flag.h"
#include "tools/program/program.h"

namespace glint::tools {
namespace {

constexpr const char* kTool = "bench_codecs";

// From what the shipped models are meant for, and on where details go on.
constexpr double kLrds[] = {0.000033, 0.00008, 0.00017, 0.00032, 0.00055, 0.0009};
constexpr double kDetailLrds[] = {0.002, 0.005};

struct Flags {
  std::string folder, target, lrd, at = "30,34,38", json, csv;
  std::vector<std::string> models, codecs;
  std::optional<Detail> detail;
  int effort = 0;
  int rounds = 1;
};

struct Family {
  const char* name;
  bench::PictureCodecs (*codecs)();
};
constexpr Family kFamilies[] = {{"jpeg", bench::JpegCodecs},
                                {"webp", bench::WebpCodecs},
                                {"jxl", bench::JxlCodecs},
                                {"avif", bench::AvifCodecs}};

Error Invalid(const std::string& what) { return MakeError(ErrorCode::kInvalidArgument, what); }

Expected<std::vector<double>> LrdsFor(const Flags& flags, const Model& model) {
  std::vector<double> lrds;
  if (!flags.lrd.empty()) {
    const auto numbers = ParseNumbers(flags.lrd);
    if (!numbers) return Invalid("--lrd " + flags.lrd + ": not numbers with commas between");
    lrds = *numbers;
    std::sort(lrds.begin(), lrds.end());
  } else if (model.info().has_fixed_rate()) {
    lrds = {0};
  } else {
    lrds.assign(std::begin(kLrds), std::end(kLrds));
    if (flags.detail != Detail::kOff) {
      lrds.insert(lrds.end(), std::begin(kDetailLrds), std::end(kDetailLrds));
    }
  }
  for (const double lrd : lrds) {
    if (lrd == 0 && model.info().has_fixed_rate()) continue;
    const Error error = CheckLrd(model.info(), lrd, flags.detail.value_or(Detail::kAuto));
    if (!error.ok()) return error;
  }
  return lrds;
}

Error AddGlint(const Flags& flags, const std::string& path, bench::PictureCodecs* codecs) {
  Expected<Model> model = LoadModel(path, 1);
  if (!model) return model.error();
  const Expected<std::vector<double>> lrds = LrdsFor(flags, *model);
  if (!lrds) return lrds.error();
  EncodeOptions options;
  options.detail = flags.detail.value_or(Detail::kAuto);
  options.effort = flags.effort;
  const Error effort = CheckEffort(*model, options);
  if (!effort.ok()) return effort;
  std::string name = std::filesystem::path(path).stem().string();
  if (flags.effort > 0) name += ", effort " + std::to_string(flags.effort);
  codecs->push_back(bench::GlintCodec(std::move(name), std::move(*model), options, *lrds));
  return {};
}

// All that there are, or those that were asked for; a library that is missing is an error then.
Error AddPeers(const Flags& flags, bench::PictureCodecs* codecs) {
  for (const Family& family : kFamilies) {
    const auto& asked = flags.codecs;
    const bool is_asked = std::find(asked.begin(), asked.end(), family.name) != asked.end();
    if (!asked.empty() && !is_asked) continue;
    bench::PictureCodecs found = family.codecs();
    if (found.empty() && is_asked) {
      return Invalid(std::string("--codecs ") + family.name +
                     ": its library was not there when this program was built");
    }
    if (found.empty()) Warn(kTool, family.name, {"built without its library: left out"});
    for (auto& codec : found) codecs->push_back(std::move(codec));
  }
  return {};
}

// Neither output is a file that is read.
Error CheckOutputs(const Flags& flags, const PictureList& list) {
  InputFiles inputs;
  for (const PictureFile& file : list.files) inputs.Add(file.path);
  for (const std::string& path : flags.models) inputs.Add(path);
  for (const std::string& out : {flags.json, flags.csv}) {
    const Error error = out.empty() ? Error{} : inputs.Check(out);
    if (!error.ok()) return error;
  }
  return {};
}

Error MeasureAll(const Flags& flags, const PictureList& list,
                 bench::CodecMeasurement* measurement) {
  StatusLine status;
  size_t done = 0;
  for (size_t i = 0; i < list.files.size(); ++i) {
    const PictureFile& file = list.files[i];
    status.ShowProgress(file.name, static_cast<double>(i) / static_cast<double>(list.files.size()));
    std::vector<std::string> warnings;
    const Expected<Picture> picture = ReadPicture(file.path, {}, &warnings);
    const Error error = picture ? measurement->Add(ToRgb8(*picture)) : picture.error();
    if (!error.ok()) {
      status.Clear();
      if (!list.is_folder) return At(file.path, error);
      Complain(kTool, At(file.path, error).message + " (left out)");
      continue;
    }
    Warn(kTool, file.path, warnings);
    ++done;
  }
  status.Clear();
  if (done == 0) return Invalid(flags.folder + ": no picture could be coded by all");
  std::printf("%s of %s, %s, %s, one thread\n", Count(done, "picture").c_str(),
              Printable(flags.folder).c_str(), CpuName().c_str(), CurrentTarget().c_str());
  return {};
}

Error CheckFlags(const Flags& flags) {
  for (const auto& [flag, path] :
       {std::pair("--json", flags.json), std::pair("--csv", flags.csv)}) {
    if (path.empty()) continue;
    if (path == "-") return Invalid(std::string(flag) + " -: has to be a file");
    const Error error = CheckOutputPath(flag, path);
    if (!error.ok()) return error;
  }
  if (!flags.json.empty() && flags.json == flags.csv) {
    return Invalid("--csv " + flags.csv + ": is the file of --json");
  }
  if (!ParseNumbers(flags.at))
    return Invalid("--at " + flags.at + ": not numbers with commas between");
  return UseTarget(flags.target);
}

Error Write(const std::string& path, const std::string& text) {
  return path.empty() ? Error{} : WriteOutput(path, text.data(), text.size());
}

// The model that there is without a flag.
Error ChooseModel(Flags* flags) {
  if (!flags->models.empty()) return {};
  const Expected<std::string> path = FindModel("", kCodingModel);
  if (!path) return path.error();
  flags->models.push_back(*path);
  return {};
}

Error Run(Flags flags) {
  Error error = CheckFlags(flags);
  if (error.ok()) error = ChooseModel(&flags);
  if (!error.ok()) return error;
  const Expected<PictureList> list = ListPictures(flags.folder);
  if (!list) return list.error();
  error = CheckOutputs(flags, *list);
  bench::PictureCodecs codecs;
  for (const std::string& path : flags.models) {
    if (error.ok()) error = AddGlint(flags, path, &codecs);
  }
  if (error.ok()) error = AddPeers(flags, &codecs);
  if (!error.ok()) return error;
  bench::CodecMeasurement measurement(std::move(codecs), flags.rounds);
  error = MeasureAll(flags, *list, &measurement);
  if (!error.ok()) return error;
  const std::vector<bench::CodecCurve> curves = measurement.curves();
  const std::string text = bench::CodecsText(curves, *ParseNumbers(flags.at));
  std::fwrite(text.data(), 1, text.size(), stdout);
  error = Write(flags.csv, bench::CodecsCsv(curves));
  return error.ok() ? Write(flags.json, JsonText(bench::CodecsJson(curves))) : error;
}

void AddFlags(CLI::App* app, Flags* flags) {
  app->add_option("FOLDER", flags->folder, "Pictures: a folder or one file")->required();
  app->add_option("--model", flags->models,
                  "Model files, with commas; BD-rates are of the first (default: "
                  "$GLINT_MODEL, else light-int8)")
      ->delimiter(',');
  std::vector<std::string> names;
  for (const Family& family : kFamilies) names.emplace_back(family.name);
  app->add_option("--codecs", flags->codecs,
                  "jpeg, webp, jxl, avif or several with commas (default: all that there are)")
      ->delimiter(',')
      ->check(CLI::IsMember(names));
  app->add_option("--lrd", flags->lrd, "Rates of Glint's models, with commas");
  AddDetailFlag(app, "details of Glint's models (default: auto)", &flags->detail);
  AddEffortFlag(app, "", &flags->effort);
  app->add_option("--at", flags->at, "PSNRs at which all are compared (default 30,34,38 dB)");
  app->add_option("--rounds", flags->rounds, "How often each coding is done; the quickest counts")
      ->check(CLI::Range(1, 1000));
  app->add_option("--target", flags->target, "SIMD target (default: the best here)");
  app->add_option("--json", flags->json, "All numbers, as `evaluate --curves` reads them");
  app->add_option("--csv", flags->csv, "All numbers, a line for each codec and setting");
  app->footer(
      "Times are from RGB samples in memory to the bytes of a file in memory, and back: without\n"
      "starting a process, without reading and writing files. All codecs use one thread and take\n"
      "turns on each picture, which they get as 8-bit RGB without alpha. Bits per pixel and\n"
      "qualities are means over the pictures. A picture that one of them cannot code is left out.");
}

int Main(int argc, char** argv) {
  CLI::App app("Glint beside other picture codecs: bits, quality, speed", kTool);
  Flags flags;
  AddFlags(&app, &flags);
  return RunTool(app, argc, argv, [&flags] {
    const Error error = Run(flags);
    return error.ok() ? kExitOk : ExitCodeFor(kTool, error);
  });
}

}  // namespace
}  // namespace glint::tools

int main(int argc, char** argv) { return glint::tools::Main(argc, argv); }
