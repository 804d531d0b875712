#include "tools/evaluation/job.h"

#include <glob.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "glint/rate.hpp"
#include "tools/common/console.h"
#include "tools/common/models.h"
#include "tools/common/output.h"
#include "tools/common/text.h"
#include "tools/evaluation/journal.h"
#include "tools/evaluation/measurement.h"
#include "tools/program/effort_flag.h"

namespace glint::tools {
namespace {

namespace fs = std::filesystem;

constexpr int kSeedFreq = 5;
constexpr int kSpreadRates = 6;

Expected<std::string> ShippedModelOf(const std::string& type) {
  return FindShippedModel("light-" + Lower(type) + ".safetensors");
}

// ---- models -------------------------------------------------------------------------------------

// The models in this order: --compare or --type, among the shipped ones; --model; the default. The
// type is what was asked for, if anything.
Expected<std::vector<TypedFile>> ModelFiles(const EvaluateFlags& flags) {
  std::vector<TypedFile> files;
  for (const std::string& type : flags.compare) {
    const Expected<std::string> path = ShippedModelOf(type);
    if (!path) return path.error();
    files.push_back({*path, Upper(type)});
  }
  for (const std::string& model : flags.models) {
    const Expected<std::string> path = FindModel(model);
    if (!path) return path.error();
    files.push_back({*path, Upper(flags.type)});
  }
  if (!files.empty()) return files;
  const Expected<std::string> path =
      flags.type.empty() ? FindModel("") : ShippedModelOf(flags.type);
  if (!path) return path.error();
  return std::vector<TypedFile>{{*path, Upper(flags.type)}};
}

Error CheckModelFlags(const EvaluateFlags& flags) {
  if (flags.models.size() > 1 && !flags.type.empty()) {
    return MakeError(ErrorCode::kInvalidArgument,
                     "--type " + flags.type + ": goes with one --model, not with several");
  }
  if (flags.compare.size() == 1) {
    return MakeError(ErrorCode::kInvalidArgument,
                     "--compare " + flags.compare[0] + ": there is nothing to compare it with");
  }
  std::set<std::string> seen;
  for (const std::string& type : flags.compare) {
    if (!seen.insert(Upper(type)).second) {
      return MakeError(ErrorCode::kInvalidArgument,
                       "--compare: " + Upper(type) + " is there twice");
    }
  }
  return {};
}

Expected<LoadedModel> LoadTwice(const std::string& path, int threads) {
  Expected<Model> encoder = LoadModel(path, threads);
  if (!encoder) return encoder.error();
  Expected<Model> decoder = LoadModel(path, threads);
  if (!decoder) return decoder.error();
  return LoadedModel{path, fs::path(path).stem().string(), std::move(*encoder),
                     std::move(*decoder)};
}

void SetLabels(const std::vector<TypedFile>& files, std::vector<TestedModel>* models) {
  const std::vector<std::string> labels = Labels(files);
  for (size_t i = 0; i < models->size(); ++i) (*models)[i].label = labels[i];
}

// Members that belong together: of one fixed rate each, of one form, no file twice.
Expected<TestedModel> LoadFamily(const std::string& pattern, int threads) {
  const auto bad = [&](const std::string& what) {
    return MakeError(ErrorCode::kInvalidArgument, "--family " + pattern + ": " + what);
  };
  const Expected<std::vector<std::string>> paths = FilesOfFamily(pattern);
  if (!paths) return paths.error();
  TestedModel family;
  std::set<std::string> ids, names;
  for (const std::string& path : *paths) {
    Expected<LoadedModel> member = LoadTwice(path, threads);
    if (!member) return member.error();
    const ModelInfo& info = member->encoder.info();
    if (!info.has_fixed_rate()) return bad(path + " has rates of its own: give it with --model");
    if (!ids.insert(info.id).second) return bad(path + " is the same model as another member");
    const std::string type = Upper(info.form);
    if (!family.type.empty() && family.type != type) {
      return bad("members of different types, " + family.type + " and " + type);
    }
    family.type = type;
    const std::string name = member->name;
    for (int i = 2; !names.insert(member->name).second; ++i) {
      member->name = name + "_" + std::to_string(i);
    }
    family.members.push_back(std::move(*member));
  }
  return family;
}

Expected<std::vector<TestedModel>> LoadFamilies(const EvaluateFlags& flags) {
  std::vector<TestedModel> models;
  std::vector<TypedFile> files;
  for (const std::string& pattern : flags.families) {
    Expected<TestedModel> family = LoadFamily(pattern, flags.threads);
    if (!family) return family.error();
    if (!models.empty() && family->members.size() != models[0].members.size()) {
      return MakeError(ErrorCode::kInvalidArgument, "--family: " + flags.families[0] + " has " +
                                                        std::to_string(models[0].members.size()) +
                                                        " members, " + pattern + " has " +
                                                        std::to_string(family->members.size()));
    }
    files.push_back({pattern, family->type});
    models.push_back(std::move(*family));
  }
  SetLabels(files, &models);
  return models;
}

Expected<std::vector<TestedModel>> LoadModels(const EvaluateFlags& flags) {
  if (!flags.families.empty()) return LoadFamilies(flags);
  const Error error = CheckModelFlags(flags);
  if (!error.ok()) return error;
  Expected<std::vector<TypedFile>> files = ModelFiles(flags);
  if (!files) return files.error();
  std::vector<TestedModel> models;
  for (TypedFile& file : *files) {
    Expected<LoadedModel> loaded = LoadTwice(file.path, flags.threads);
    if (!loaded) return loaded.error();
    const Expected<std::string> type = TypeOf(file.type, loaded->encoder.info().form);
    if (!type) return At(file.path, type.error());
    file.type = *type;
    file.model = loaded->encoder.info().name;
    TestedModel& model = models.emplace_back();
    model.type = *type;
    model.members.push_back(std::move(*loaded));
  }
  SetLabels(*files, &models);
  return models;
}

// ---- rates --------------------------------------------------------------------------------------

// Where all of the models are meant to be used.
Expected<std::vector<double>> SuggestedRates(const std::vector<TestedModel>& models) {
  double min = models.front().info().lrd_suggested_min;
  double max = models.front().info().lrd_suggested_max;
  for (const TestedModel& model : models) {
    min = std::max(min, model.info().lrd_suggested_min);
    max = std::min(max, model.info().lrd_suggested_max);
  }
  if (min <= max) return SpreadRates(min, max);
  return MakeError(ErrorCode::kInvalidArgument,
                   "the models are meant for different rates; give some that all take: --lrd");
}

// Details would hide how models differ, so comparisons are made without unless they are asked for;
// so are the curves of families.
Detail DetailOf(const EvaluateFlags& flags, const std::vector<TestedModel>& models) {
  const bool one = models.size() == 1 && flags.families.empty();
  return flags.detail.value_or(one ? Detail::kAuto : Detail::kOff);
}

// Numbers with commas between, none of them twice.
Expected<std::vector<double>> GivenNumbers(const std::string& flag, const std::string& text) {
  std::optional<std::vector<double>> numbers = ParseNumbers(text);
  if (!numbers) {
    return MakeError(ErrorCode::kInvalidArgument,
                     flag + " " + text + ": not a number, nor numbers with commas between");
  }
  std::set<double> seen;
  for (const double number : *numbers) {
    if (!seen.insert(number).second) {
      return MakeError(ErrorCode::kInvalidArgument,
                       flag + " " + text + ": " + Shortest(number) + " is there twice");
    }
  }
  return std::move(*numbers);
}

Expected<std::vector<double>> GivenRates(const std::string& text,
                                         const std::vector<TestedModel>& models, Detail detail) {
  Expected<std::vector<double>> rates = GivenNumbers("--lrd", text);
  if (!rates) return rates;
  for (const double lrd : *rates) {
    for (const TestedModel& model : models) {
      const Error valid = CheckLrd(model.info(), lrd, detail);
      if (!valid.ok()) return At(model.front().path, valid);
    }
  }
  return rates;
}

Expected<std::vector<double>> RatesOfQualities(const std::string& text,
                                               const std::vector<TestedModel>& models,
                                               Detail detail) {
  Expected<std::vector<double>> rates = GivenNumbers("--quality", text);
  if (!rates) return rates;
  for (double& rate : *rates) {
    const double quality = rate;
    for (const TestedModel& model : models) {
      const Expected<double> lrd = LrdOfQuality(model.info(), quality, detail);
      if (!lrd) return At(model.front().path, At("--quality " + text, lrd.error()));
      if (&model != &models.front() && *lrd != rate) {
        return MakeError(ErrorCode::kInvalidArgument,
                         "--quality " + text + ": is another lrd for each model; give --lrd");
      }
      rate = *lrd;
    }
  }
  return rates;
}

// `compares`: a curve is wanted, not a point.
Expected<std::vector<double>> Rates(const EvaluateFlags& flags,
                                    const std::vector<TestedModel>& models, bool compares) {
  const Detail detail = DetailOf(flags, models);
  if (!flags.lrd.empty()) return GivenRates(flags.lrd, models, detail);
  if (!flags.quality.empty()) return RatesOfQualities(flags.quality, models, detail);
  const auto fixed =
      static_cast<size_t>(std::count_if(models.begin(), models.end(), [](const TestedModel& model) {
        return model.info().has_fixed_rate();
      }));
  if (fixed > 0 && fixed < models.size()) {
    return MakeError(ErrorCode::kInvalidArgument,
                     "some of the models have one fixed rate, others have many: evaluate each kind "
                     "by itself with --json, and give one of these files to the other's --curves");
  }
  if (compares && fixed == 0) return SuggestedRates(models);
  return std::vector<double>{models.front().info().lrd_default};
}

// The rates, or for families their members.
Expected<std::vector<CurvePoint>> Points(const EvaluateFlags& flags,
                                         const std::vector<TestedModel>& models, bool compares) {
  const Expected<std::vector<double>> rates = Rates(flags, models, compares);
  if (!rates) return rates.error();
  std::vector<CurvePoint> points;
  for (const double lrd : *rates) {
    for (size_t member = 0; member < models.front().members.size(); ++member) {
      points.push_back({lrd, member});
    }
  }
  return points;
}

// The first of the models that cannot be encoded with --effort is an error.
Error CheckEfforts(const EvaluateFlags& flags, const std::vector<TestedModel>& models) {
  EncodeOptions options;
  options.effort = flags.effort;
  options.detail = DetailOf(flags, models);
  Error error;
  for (const TestedModel& model : models) {
    for (const LoadedModel& member : model.members) {
      if (error.ok()) error = CheckEffort(member.encoder, options);
    }
  }
  return error;
}

// ---- pictures and results ----------------------------------------------------------------------

Error CheckReadable(const std::string& path, const EvaluateFlags& flags,
                    const std::vector<TestedModel>& models) {
  MeasureOptions options;
  options.threads = flags.threads;
  options.verify = flags.verify;
  options.detail = DetailOf(flags, models);
  options.effort = flags.effort;
  options.limits = flags.limits;
  std::vector<MeasuringModels> pairs;
  for (const TestedModel& model : models) {
    for (const LoadedModel& member : model.members) {
      pairs.push_back({member.encoder, member.decoder});
    }
  }
  std::vector<std::string> warnings;
  const Expected<Picture> picture = ReadToMeasure(path, pairs, options, &warnings);
  return picture ? Error{} : At(path, picture.error());
}

// --freq, else the seed's 5 for a folder; every picture of the samples and of a single file.
int Freq(const EvaluateFlags& flags, const PictureList& pictures) {
  if (flags.freq > 0) return flags.freq;
  return pictures.is_folder && !flags.gt_path.empty() ? kSeedFreq : 1;
}

// "x-9" before "x-10".
bool IsBefore(const std::string& a, const std::string& b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (!is_digit(a[i]) || !is_digit(b[j])) {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i;
      ++j;
      continue;
    }
    const auto number = [&](const std::string& text, size_t* at) {
      while (*at < text.size() && text[*at] == '0') ++*at;
      const size_t begin = *at;
      while (*at < text.size() && is_digit(text[*at])) ++*at;
      return text.substr(begin, *at - begin);
    };
    const std::string first = number(a, &i), second = number(b, &j);
    if (first.size() != second.size()) return first.size() < second.size();
    if (first != second) return first < second;
  }
  return a.size() - i < b.size() - j;
}

}  // namespace

const std::vector<std::string>& ShippedTypes() {
  static const std::vector<std::string> kTypes = {"FP32", "FP16", "INT16", "INT8", "INT8-ENTROPY"};
  return kTypes;
}

Expected<std::string> TypeOf(const std::string& asked, const std::string& form) {
  if (asked.empty()) return Upper(form);
  if (asked.substr(0, asked.find('-')) == Upper(form)) return asked;
  return MakeError(ErrorCode::kInvalidArgument,
                   "this model is " + Upper(form) + ", not " + asked + " as asked for");
}

Expected<std::vector<std::string>> FilesOfFamily(const std::string& pattern) {
  glob_t found{};
  const int status = glob(pattern.c_str(), 0, nullptr, &found);
  std::vector<std::string> files(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  std::stable_sort(files.begin(), files.end(), IsBefore);
  if (status == 0 && files.size() > 1) return files;
  return MakeError(
      ErrorCode::kInvalidArgument,
      "--family " + pattern + ": " +
          (files.empty() ? "names no file" : "names one file, " + files[0]) +
          "; it has to be a pattern of several, in quotes, as 'mbt-mean-*.safetensors'");
}

std::vector<std::string> Labels(const std::vector<TypedFile>& files) {
  std::set<std::string> types, models;
  for (const TypedFile& file : files) {
    types.insert(file.type);
    models.insert(file.model);
  }
  const bool by_type = types.size() == files.size() && models.size() == 1;
  std::vector<std::string> labels;
  std::set<std::string> taken;
  for (const TypedFile& file : files) {
    const std::string name = by_type ? file.type : fs::path(file.path).stem().string();
    std::string label = name;
    for (int i = 2; !taken.insert(label).second; ++i) label = name + "_" + std::to_string(i);
    labels.push_back(label);
  }
  return labels;
}

std::vector<double> SpreadRates(double min, double max) {
  std::vector<double> rates = {min};
  for (int i = 1; i + 1 < kSpreadRates; ++i) {
    const double exact = min * std::pow(max / min, static_cast<double>(i) / (kSpreadRates - 1));
    std::array<char, 32> text{};
    char* const end = text.data() + text.size();
    const auto digits = std::to_chars(text.data(), end, exact, std::chars_format::scientific, 2);
    double rounded = exact;
    std::from_chars(text.data(), digits.ptr, rounded);
    if (rounded > rates.back() && rounded < max) rates.push_back(rounded);
  }
  if (max > rates.back()) rates.push_back(max);
  return rates;
}

Error CheckResultPaths(const EvaluateFlags& flags) {
  for (const auto& [flag, path] :
       {std::pair("--json", flags.json), std::pair("--html", flags.html)}) {
    if (path.empty() || flags.out.empty() || PlaceOf(path) != PlaceOf(flags.out)) continue;
    return MakeError(ErrorCode::kInvalidArgument,
                     std::string(flag) + " " + path + ": is the folder of --out");
  }
  Error error = flags.json.empty() ? Error{} : CheckOutputPath("--json", flags.json);
  if (!error.ok() || flags.html.empty()) return error;
  const auto invalid = [&](const char* why) {
    return MakeError(ErrorCode::kInvalidArgument, "--html " + flags.html + why);
  };
  if (IsStandardOutput(flags.html)) return invalid(": has to be a file");
  if (flags.json.empty()) return CheckOutputPath("--html", flags.html);
  if (PlaceOf(flags.html) == PlaceOf(flags.json)) return invalid(": is the file of --json");
  if (flags.resume && PlaceOf(flags.html) == PlaceOf(JournalPath(flags.json))) {
    return invalid(": is the journal of --resume");
  }
  return CheckOutputPath("--html", flags.html);
}

Error CheckKeepsInputs(const InputFiles& inputs, const EvaluateFlags& flags) {
  Error error = flags.json.empty() ? Error{} : inputs.Check(flags.json);
  if (error.ok() && !flags.html.empty()) error = inputs.Check(flags.html);
  return error;
}

Expected<Job> PrepareJob(const EvaluateFlags& flags) {
  Error error = CheckResultPaths(flags);
  if (error.ok()) error = UseTarget(flags.target);
  if (!error.ok()) return error;
  const Expected<std::string> source =
      flags.gt_path.empty() ? FindSamples() : Expected<std::string>(flags.gt_path);
  if (!source) return source.error();
  Expected<PictureList> pictures = ListPictures(*source);
  if (!pictures) return pictures.error();
  Expected<std::vector<TestedModel>> models = LoadModels(flags);
  if (!models) return models.error();
  error = CheckEfforts(flags, *models);
  if (!error.ok()) return error;
  if (!pictures->is_folder) {  // nothing is printed or written for a picture that cannot be read
    const Error readable = CheckReadable(*source, flags, *models);
    if (!readable.ok()) return readable;
  }
  std::vector<QualityCurve> curves;
  if (!flags.curves.empty()) {
    Expected<std::vector<QualityCurve>> read = ReadCurves(flags.curves);
    if (!read) return At("--curves", read.error());
    curves = std::move(*read);
  }
  Expected<std::vector<CurvePoint>> points =
      Points(flags, *models, models->size() > 1 || !curves.empty());
  if (!points) return points.error();
  const int freq = Freq(flags, *pictures);
  const Detail detail = DetailOf(flags, *models);
  return Job{std::move(*models),
             std::move(*points),
             !flags.families.empty(),
             detail,
             std::move(*pictures),
             *source,
             freq,
             std::move(curves)};
}

}  // namespace glint::tools
