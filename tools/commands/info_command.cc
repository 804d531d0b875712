#include "tools/commands/info_command.h"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "glint/image_io.hpp"
#include "tools/commands/coding_flags.h"
#include "tools/commands/info_json.h"
#include "tools/commands/info_text.h"
#include "tools/commands/picture_facts.h"
#include "tools/common/console.h"
#include "tools/common/detail_text.h"
#include "tools/common/models.h"
#include "tools/program/flag_checks.h"
#include "tools/program/flag_texts.h"

namespace glint::tools {
namespace {

struct InfoFlags {
  std::string in, target;
  Limits limits;
  bool json = false;
  bool explain = false;
};

void PrintStream(const InfoFlags& flags, const StreamInfo& stream) {
  const std::string text = flags.json ? JsonText(StreamJson(stream)) : StreamText(stream);
  std::fputs(text.c_str(), stdout);
}

void PrintModel(const InfoFlags& flags, const Model& model) {
  if (flags.json) {
    Json json = ModelJson(model.info());
    if (flags.explain) json["plan"] = model.Explain();
    std::fputs(JsonText(json).c_str(), stdout);
    return;
  }
  std::fputs(ModelText(model.info()).c_str(), stdout);
  if (flags.explain) std::printf("\n%s", model.Explain().c_str());
}

Error PrintPicture(const InfoFlags& flags, const std::vector<uint8_t>& file,
                   const FileFormat& format, const std::string& name) {
  std::string text = flags.json ? JsonText(OtherFileJson(format)) : OtherFileText(format);
  if (format.readable) {
    const Expected<PictureFacts> facts = ReadPictureFacts(file, name, flags.limits);
    if (!facts) return At(name, facts.error());
    text = flags.json ? JsonText(PictureFileJson(*facts)) : PictureFileText(*facts);
  }
  std::fputs(text.c_str(), stdout);
  return {};
}

// Before the whole of it is read.
Error CheckKnown(const void* start, size_t size, const std::string& name) {
  // The first thing in a model is the size of its header, then comes the header: JSON.
  constexpr size_t kModelHeader = 8;
  const bool may_be_model =
      size > kModelHeader && static_cast<const uint8_t*>(start)[kModelHeader] == '{';
  if (may_be_model || IsStream(start, size) || !IdentifyFormat(start, size).name.empty()) return {};
  return MakeError(ErrorCode::kUnsupported,
                   name + ": no Glint stream, no model, and no picture of a known kind");
}

Error Info(const InfoFlags& flags) {
  const Error target = UseTarget(flags.target);
  if (!target.ok()) return target;
  const std::string name = InputName(flags.in);
  const bool may_be_name =
      !flags.in.empty() && flags.in != "-" && flags.in.find('.') == std::string::npos;
  const Expected<std::string> path = may_be_name ? FindModel(flags.in) : flags.in;
  if (!path) return path.error();
  const Expected<std::vector<uint8_t>> file =
      ReadFile(*path, flags.limits.max_memory,
               [&](const void* start, size_t size) { return CheckKnown(start, size, name); });
  if (!file) return At(name, file.error());
  if (IsStream(file->data(), file->size())) {
    Limits rest = flags.limits;
    rest.held_memory += file->size();
    const Expected<StreamInfo> stream =
        Inspect(file->data(), file->size(), rest, /*damaged_details=*/true);
    if (!stream) return At(name, stream.error());
    if (flags.explain) {
      return MakeError(ErrorCode::kInvalidArgument, name + ": --explain is for models");
    }
    PrintStream(flags, *stream);
    if (stream->damaged_rows.empty()) return {};
    return MakeError(ErrorCode::kBadStream,
                     name + ": " + DamageText(stream->damaged_rows) +
                         "; glint decode --skip-damaged-detail leaves them out");
  }
  const FileFormat format = IdentifyFormat(file->data(), file->size());
  if (!format.name.empty()) {
    if (!flags.explain) return PrintPicture(flags, *file, format, name);
    return MakeError(ErrorCode::kInvalidArgument, name + ": --explain is for models");
  }
  const Expected<Model> model = Model::FromMemory(file->data(), file->size(), name);
  if (!model) {
    const std::string reason = At(name, model.error()).message.substr(name.size() + 1);
    return MakeError(model.error().code, name + ": not a Glint stream, and no model:" + reason);
  }
  PrintModel(flags, *model);
  return {};
}

}  // namespace

Command AddInfoCommand(CLI::App* app) {
  const auto flags = std::make_shared<InfoFlags>();
  CLI::App* info = app->add_subcommand("info", "Says what a stream, model or picture is");
  info->add_option("FILE", flags->in,
                   "Stream, model or picture, or the name of a model that came with "
                   "Glint; -: standard input")
      ->check(NotEmpty())
      ->required();
  info->add_flag("--json", flags->json, "As JSON")->group("What is shown");
  info->add_flag("--explain", flags->explain, "Of a model: also how its layers are run")
      ->group("What is shown");
  AddTargetFlag(info, &flags->target);
  AddLimitFlags(info, &flags->limits);
  SetHelp(info, {{"[FLAGS] FILE"},
                 "Of a picture, all of it is read. A single - is standard input.",
                 {"glint info photo.glint", "glint info photo.jpg",
                  "glint info --explain weights/light-fp32.safetensors"},
                 {}});
  return {info, [flags] { return ExitCodeFor(kGlint, Info(*flags)); }};
}

}  // namespace glint::tools
