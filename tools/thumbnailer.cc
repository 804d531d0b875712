// glint-thumbnailer: a small PNG of a stream, for file managers (packaging/desktop).
// Thread rules: one main thread; the library makes workers.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "CLI/CLI.hpp"
#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "tools/commands/decode_file.h"
#include "tools/common/console.h"
#include "tools/common/models.h"
#include "tools/common/orientation.h"
#include "tools/common/output.h"
#include "tools/common/shrinker.h"
#include "tools/program/flag_checks.h"
#include "tools/program/flag_texts.h"
#include "tools/program/program.h"

namespace glint::tools {
namespace {

// Nobody asked for the file, it only lies in a folder that is looked at; and several are decoded at
// a time.
constexpr uint64_t kMaxPixels = 64u << 20;
constexpr uint64_t kMaxMemory = 256u << 20;
constexpr int kThreads = 4;
constexpr uint32_t kMaxSide = 4096;

struct ThumbnailFlags {
  uint32_t side = 256;
  std::string in, out;
};

// The most by which the model makes the picture smaller, and it is still no smaller than wanted.
int ShrinkFor(const PictureInfo& info, uint32_t side, const Model& model) {
  int shrink = 1;
  for (const uint32_t possible : model.info().shrinks) {
    if (std::max(info.width, info.height) / possible >= side) shrink = static_cast<int>(possible);
  }
  return shrink;
}

Expected<Picture> Thumbnail(const std::string& path, uint32_t side) {
  DecodeOptions options;
  options.threads = kThreads;
  options.limits.max_pixels = kMaxPixels;
  options.limits.max_memory = kMaxMemory;
  // Not without details: where the picture is drawn, the model was not shown it.
  options.detail = DetailOutput::kSkipDamaged;
  const Expected<StreamFile> stream = ReadStream(path, options.limits, options.detail);
  if (!stream) return stream.error();
  ModelFinder models("", options.threads);
  const Expected<Model> model = models.Find(stream->info.model_id);
  if (!model) return At(stream->name, model.error());
  options.shrink = ShrinkFor(stream->info.source, side, *model);
  options.limits.held_memory = stream->bytes.size();
  std::optional<Shrinker> shrinker;
  uint32_t orientation = kUpright;
  const Error decoded = DecodeRows(
      *model, stream->bytes.data(), stream->bytes.size(),
      [&](const PictureInfo& info, const Metadata& metadata) {
        shrinker.emplace(info, stream->info.source, side);
        orientation = OrientationOf(metadata.exif);
        return true;
      },
      [&shrinker](uint32_t, const void* row) {
        shrinker->Add(row);
        return true;
      },
      options);
  if (!decoded.ok()) return At(stream->name, decoded);
  return Turned(shrinker->Take(), orientation);
}

Error WriteRows(const std::string& path, const Picture& picture) {
  Expected<std::unique_ptr<PictureWriter>> writer =
      PictureWriter::Create(path, picture.info, {}, "png");
  if (!writer) return writer.error();
  for (size_t y = 0; y < picture.info.height; ++y) {
    const Error error = (*writer)->WriteRow(&picture.samples[y * picture.info.RowBytes()]);
    if (!error.ok()) return error;
  }
  return (*writer)->Finish();
}

// File managers name a file of theirs, which need not end in .png and may be all that can be
// written to in its folder. So it is opened here, and written as it comes.
Error WriteThumbnail(const std::string& path, const Picture& picture) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return MakeError(ErrorCode::kIo, path + ": " + std::strerror(errno));
  const Error written = At(path, WriteRows("/dev/fd/" + std::to_string(file), picture));
  if (close(file) == 0 || !written.ok()) return written;
  return MakeError(ErrorCode::kIo, path + ": " + std::strerror(errno));
}

Error Run(const ThumbnailFlags& flags) {
  InputFiles inputs;
  inputs.Add(flags.in);
  const Error apart = inputs.Check(flags.out);
  if (!apart.ok()) return apart;
  const Expected<Picture> picture = Thumbnail(flags.in, flags.side);
  if (!picture) return picture.error();
  return WriteThumbnail(flags.out, *picture);
}

void AddFlags(CLI::App* app, const std::string& tool, ThumbnailFlags* flags) {
  app->add_option("STREAM", flags->in, "What to read")->check(NotEmpty())->required();
  app->add_option("PICTURE", flags->out, "What to write")->check(NotEmpty())->required();
  app->add_option("-s,--size", flags->side, "The most rows and columns (default 256)")
      ->check(WholeNumber())
      ->check(CLI::Range(1u, kMaxSide))
      ->group(kPictureGroup);
  SetHelp(app,
          {{"[FLAGS] STREAM PICTURE"},
           "PICTURE is a PNG whatever its name, of 8 bits, turned as EXIF says, without metadata. "
           "Smaller pictures keep their size. File managers call this program for the .glint files "
           "of a folder.",
           {tool + " --size 128 photo.glint small.png"},
           {{"Limits",
             "Pictures of more than 64M pixels, and those that need more than 256 MiB of "
             "memory beside the model, have no thumbnail."},
            {"Exit code", "0; 2, with one message, when there is no thumbnail."},
            {"Environment",
             "GLINT_MODEL is a model file, or a folder of such. GLINT_TARGET is a SIMD target."}}});
}

int Main(int argc, char** argv) {
  const std::string tool = ProgramName(argv[0]);
  CLI::App app("Makes a small picture of a .glint stream", tool);
  app.set_version_flag("--version", tool + " (Glint) " + Version());
  ThumbnailFlags flags;
  AddFlags(&app, tool, &flags);
  return RunTool(app, argc, argv, [&] {
    const Error target = UseTarget("");
    const Error error = target.ok() ? Run(flags) : target;
    return error.ok() ? kExitOk : ExitCodeFor(tool, error);
  });
}

}  // namespace
}  // namespace glint::tools

int main(int argc, char** argv) { return glint::tools::Main(argc, argv); }
