// glint: encodes pictures to .glint streams, decodes them, and says what a stream or model is.
// A command-line tool over the public interface; pictures pass through row by row.
// Thread rules: one main thread; the library makes the workers that --threads asks for.
#include "glint/glint.hpp"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "glint/image_io.hpp"
#include "tools/console.h"
#include "tools/info_text.h"
#include "tools/json_output.h"
#include "tools/machine.h"
#include "tools/models.h"
#include "tools/text.h"

namespace glint::tools {
namespace {

constexpr const char* kTool = "glint";
constexpr uint64_t kLargePicture = uint64_t{4} << 20;  // pixels from which progress is worth a line

struct Flags {
  std::string in, out, model, target, format = "png";
  double lrd = 0;
  bool lrd_given = false;
  int threads = 0;
  int band = 0;
  Limits limits;
  bool json = false;
  bool explain = false;
  bool verbose = false;
};

// ---- shared by encode and decode ---------------------------------------------------------------

void SetCallOptions(const Flags& flags, const std::string& what, uint64_t pixels,
                    StatusLine* status, CallOptions* options) {
  options->threads = flags.threads;
  options->band_rows = flags.band;
  options->limits = flags.limits;
  const bool show = pixels >= kLargePicture;
  options->progress = [what, show, status](double done) {
    if (show) status->ShowProgress(what, done);
    return !Interrupted();
  };
}

uint64_t Pixels(const PictureInfo& picture) { return uint64_t{picture.width} * picture.height; }

void Summarise(const Flags& flags, const PictureInfo& picture, size_t stream_bytes,
               const Report& report) {
  if (!flags.verbose) return;
  const double bits = 8 * static_cast<double>(stream_bytes);
  std::fprintf(stderr, "%s: %s, %s bytes, %s bpp, %s s, %s at the most\n", kTool,
               PictureText(picture).c_str(), Grouped(stream_bytes).c_str(),
               Fixed(bits / static_cast<double>(Pixels(picture)), 3).c_str(),
               Fixed(report.times.total, 3).c_str(), ByteSize(PeakRssMib() * 1024 * 1024).c_str());
}

// ---- encode ------------------------------------------------------------------------------------

// Hands rows to the encoder and remembers why it stopped.
class RowSource {
 public:
  explicit RowSource(PictureReader* reader) : reader_(reader) {}
  RowReader Callback() {
    return [this](uint32_t y, void* row) { return Read(y, row); };
  }
  const Error& error() const { return error_; }

 private:
  // The rest of the file is read together with the last row: texts behind the pixels belong to the
  // metadata, and a damaged end is found before anything is written.
  bool Read(uint32_t y, void* row) {
    error_ = reader_->ReadRow(row);
    if (error_.ok() && y + 1 == reader_->info().height) error_ = reader_->Finish();
    return error_.ok();
  }

  PictureReader* reader_;
  Error error_;
};

Error Encode(const Flags& flags) {
  const Error target = UseTarget(flags.target);
  if (!target.ok()) return target;
  const Expected<std::string> path = FindModel(flags.model, kCodingModel);
  if (!path) return path.error();
  const Expected<Model> model = LoadModel(*path);
  if (!model) return model.error();
  EncodeOptions options;
  if (flags.lrd_given) {
    const Error valid = CheckLrd(model->info(), flags.lrd);
    if (!valid.ok()) return valid;
    options.lrd = flags.lrd;
  }
  const std::string in_name = InputName(flags.in);
  Expected<std::unique_ptr<PictureReader>> reader = PictureReader::Open(flags.in, flags.limits);
  if (!reader) return At(in_name, reader.error());
  const PictureInfo& picture = (*reader)->info();

  StatusLine status;
  SetCallOptions(flags, "encoding", Pixels(picture), &status, &options);
  RowSource source(reader->get());
  Report report;
  const Expected<std::vector<uint8_t>> stream =
      EncodeRows(*model, picture, (*reader)->metadata(), source.Callback(), options, &report);
  status.Clear();
  if (!source.error().ok()) return At(in_name, source.error());
  if (!stream) return At(in_name, stream.error());
  const Error written = WriteFile(flags.out, stream->data(), stream->size());
  if (!written.ok()) return At(OutputName(flags.out), written);
  Summarise(flags, picture, stream->size(), report);
  return {};
}

// ---- decode ------------------------------------------------------------------------------------

// Takes rows from the decoder into a picture file, which appears only when all of them were right.
class RowSink {
 public:
  RowSink(std::string path, std::string format)
      : path_(std::move(path)), format_(std::move(format)) {}

  bool Start(const PictureInfo& info, const Metadata& metadata) {
    Expected<std::unique_ptr<PictureWriter>> writer =
        PictureWriter::Create(path_, info, metadata, format_);
    if (writer) {
      writer_ = std::move(*writer);
    } else {
      error_ = At(OutputName(path_), writer.error());
    }
    return error_.ok();
  }
  bool Write(const void* row) {
    error_ = At(OutputName(path_), writer_->WriteRow(row));
    return error_.ok();
  }
  Error Finish() { return At(OutputName(path_), writer_->Finish()); }
  const Error& error() const { return error_; }

 private:
  std::string path_, format_;
  std::unique_ptr<PictureWriter> writer_;
  Error error_;
};

// Names the model that the stream wants beside the one that was given.
Error CheckModel(const std::string& in_name, const StreamInfo& stream, const Model& model) {
  const ModelInfo& given = model.info();
  if (stream.model_id == given.id) return {};
  return MakeError(ErrorCode::kWrongModel,
                   in_name + ": the stream was made with model " + stream.model_id +
                       ", the model given is " + given.id + " (" + given.name + ", " +
                       Upper(given.form) + "); name the right one with --model");
}

Error Decode(const Flags& flags) {
  const std::string in_name = InputName(flags.in);
  const Expected<std::vector<uint8_t>> stream = ReadFile(flags.in, flags.limits.max_memory);
  if (!stream) return At(in_name, stream.error());
  const Expected<StreamInfo> info = Inspect(stream->data(), stream->size(), flags.limits);
  if (!info) return At(in_name, info.error());
  const Error target = UseTarget(flags.target);
  if (!target.ok()) return target;
  const Expected<Model> model = LoadModelOf(info->model_id, flags.model);
  if (!model) return model.error();
  const Error right_model = CheckModel(in_name, *info, *model);
  if (!right_model.ok()) return right_model;

  StatusLine status;
  DecodeOptions options;
  SetCallOptions(flags, "decoding", Pixels(info->output), &status, &options);
  RowSink sink(flags.out, flags.format);
  Report report;
  const Error decoded = DecodeRows(
      *model, stream->data(), stream->size(),
      [&sink](const PictureInfo& picture, const Metadata& metadata) {
        return sink.Start(picture, metadata);
      },
      [&sink](uint32_t, const void* row) { return sink.Write(row); }, options, &report);
  status.Clear();
  if (!sink.error().ok()) return sink.error();
  if (!decoded.ok()) return At(in_name, decoded);
  const Error finished = sink.Finish();
  if (!finished.ok()) return finished;
  Summarise(flags, info->output, stream->size(), report);
  return {};
}

// ---- info --------------------------------------------------------------------------------------

void PrintStream(const Flags& flags, const StreamInfo& stream) {
  const std::string text = flags.json ? JsonText(StreamJson(stream)) : StreamText(stream);
  std::fputs(text.c_str(), stdout);
}

void PrintModel(const Flags& flags, const Model& model) {
  if (flags.json) {
    Json json = ModelJson(model.info());
    if (flags.explain) json["plan"] = model.Explain();
    std::fputs(JsonText(json).c_str(), stdout);
    return;
  }
  std::fputs(ModelText(model.info()).c_str(), stdout);
  if (flags.explain) std::printf("\n%s", model.Explain().c_str());
}

Error Info(const Flags& flags) {
  const Error target = UseTarget(flags.target);
  if (!target.ok()) return target;
  const std::string name = InputName(flags.in);
  const Expected<std::vector<uint8_t>> file = ReadFile(flags.in, flags.limits.max_memory);
  if (!file) return At(name, file.error());
  if (IsStream(file->data(), file->size())) {
    const Expected<StreamInfo> stream = Inspect(file->data(), file->size(), flags.limits);
    if (!stream) return At(name, stream.error());
    if (flags.explain) {
      return MakeError(ErrorCode::kInvalidArgument, name + ": --explain is for models");
    }
    PrintStream(flags, *stream);
    return {};
  }
  const Expected<Model> model = Model::FromMemory(file->data(), file->size(), name);
  if (!model) {
    const std::string reason = At(name, model.error()).message.substr(name.size() + 1);
    return MakeError(model.error().code, name + ": not a Glint stream, and no model:" + reason);
  }
  PrintModel(flags, *model);
  return {};
}

// ---- flags -------------------------------------------------------------------------------------

void AddLimits(CLI::App* app, Flags* flags) {
  AddByteSizeOption(app, "--max-pixels", &flags->limits.max_pixels,
                    "Refuse pictures with more pixels (K, M, G: powers of 1024; default 1G)");
  AddByteSizeOption(app, "--max-memory", &flags->limits.max_memory,
                    "Refuse work that needs more memory, in bytes (default 4G)");
}

void AddTarget(CLI::App* app, Flags* flags) {
  app->add_option("--target", flags->target,
                  "SIMD target, such as AVX2 (default: $GLINT_TARGET, else the best here)");
}

void AddCoding(CLI::App* app, Flags* flags) {
  app->add_option("--model", flags->model,
                  "Model file (default: $GLINT_MODEL, else, of those that came with Glint, "
                  "light-int8, and to decode the one that the stream names)");
  app->add_option("--threads", flags->threads, "Threads; 0: all that the machine has (default)")
      ->check(CLI::Range(0, 1024));
  app->add_option("--band", flags->band,
                  "Picture rows worked on at a time; 0: chosen (default). Never changes the result")
      ->check(CLI::Range(0, 1 << 20));
  app->add_flag("-v,--verbose", flags->verbose, "Say on standard error what was done");
  AddTarget(app, flags);
  AddLimits(app, flags);
}

CLI::App* AddEncode(CLI::App* app, Flags* flags) {
  CLI::App* encode = app->add_subcommand("encode", "Picture (PNG, PPM, PGM, PAM) to .glint stream");
  encode->add_option("IN", flags->in, "Picture; -: standard input")->required();
  encode->add_option("OUT", flags->out, "Stream; -: standard output")->required();
  encode->add_option_function<double>(
      "--lrd",
      [flags](double lrd) {
        flags->lrd = lrd;
        flags->lrd_given = true;
      },
      "Rate, larger is more bits (`glint info MODEL` has the range; default: the model's)");
  AddCoding(encode, flags);
  encode->footer(
      "Examples:\n"
      "  glint encode photo.png photo.glint\n"
      "  glint encode --lrd 0.0008 photo.png photo.glint\n"
      "  djpeg photo.jpg | glint encode - photo.glint");
  return encode;
}

CLI::App* AddDecode(CLI::App* app, Flags* flags) {
  CLI::App* decode = app->add_subcommand("decode", ".glint stream to picture");
  decode->add_option("IN", flags->in, "Stream; -: standard input")->required();
  decode->add_option("OUT", flags->out, "Picture (.png, .ppm, .pgm, .pam); -: standard output")
      ->required();
  decode->add_option("--format", flags->format, "What goes to standard output (default png)")
      ->check(CLI::IsMember({"png", "ppm", "pgm", "pam"}));
  AddCoding(decode, flags);
  decode->footer(
      "Examples:\n"
      "  glint decode photo.glint photo.png\n"
      "  glint decode photo.glint - --format ppm | cjpeg > photo.jpg");
  return decode;
}

CLI::App* AddInfo(CLI::App* app, Flags* flags) {
  CLI::App* info = app->add_subcommand("info", "What a stream or a model file is");
  info->add_option("FILE", flags->in, "Stream or model; -: standard input")->required();
  info->add_flag("--json", flags->json, "As JSON");
  info->add_flag("--explain", flags->explain, "Of a model: also how its layers are run");
  AddTarget(info, flags);
  AddLimits(info, flags);
  info->footer(
      "Examples:\n"
      "  glint info photo.glint\n"
      "  glint info --explain weights/light-fp32.safetensors");
  return info;
}

int Main(int argc, char** argv) {
  CLI::App app("Glint, a learned image codec", kTool);
  Flags flags;
  app.set_version_flag("--version", std::string("glint ") + Version());
  app.require_subcommand(1);
  app.footer(
      "`glint COMMAND --help` has the flags of a command. Exit code: 0, or 2 with one message "
      "when\n"
      "a flag, file, model or stream is bad; output files appear only when they are complete.\n"
      "Environment: GLINT_MODEL (model file or folder), GLINT_TARGET (SIMD target).");
  const CLI::App* encode = AddEncode(&app, &flags);
  const CLI::App* decode = AddDecode(&app, &flags);
  AddInfo(&app, &flags);
  return RunTool(kTool, app, argc, argv, [&] {
    CatchInterrupts();
    return ExitCodeFor(kTool, encode->parsed()   ? Encode(flags)
                              : decode->parsed() ? Decode(flags)
                                                 : Info(flags));
  });
}

}  // namespace
}  // namespace glint::tools

int main(int argc, char** argv) { return glint::tools::Main(argc, argv); }
