#include "tools/quantising/picture_set.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "glint/image_io.hpp"
#include "glint/pictures.hpp"
#include "tools/common/console.h"
#include "tools/common/messages.h"
#include "tools/common/pictures.h"
#include "tools/common/text.h"

namespace glint::tools {
namespace {

uint64_t Pixels(const PictureInfo& info) { return uint64_t{info.width} * info.height; }

Error CheckUse(const PictureInfo& info, PictureUse use) {
  if (use == PictureUse::kAny || std::min(info.width, info.height) >= kLeastSideForMsSsim) {
    return {};
  }
  const std::string least = std::to_string(kLeastSideForMsSsim);
  return MakeError(ErrorCode::kInvalidArgument,
                   std::to_string(info.width) + "x" + std::to_string(info.height) +
                       " pixels are too few for MS-SSIM, which takes " + least + "x" + least +
                       " and more");
}

Expected<Picture> ReadUsable(const std::string& path, const Limits& limits, PictureUse use,
                             std::vector<std::string>* warnings) {
  Expected<Picture> picture = ReadPicture(path, limits, warnings);
  if (!picture) return At(path, picture.error());
  const Error usable = CheckUse(picture->info, use);
  if (!usable.ok()) return At(path, usable);
  return picture;
}

}  // namespace

// Reading holds a picture twice: in the set, and as its samples come from the file. Later a picture
// is coded, and decoded beside itself.
Error CheckPictureSets(const std::vector<std::string>& paths, const Model& model,
                       const Limits& limits) {
  uint64_t all = 0, most = 0;
  EncodeOptions call;
  call.detail = Detail::kOff;  // as everything is coded that learns from them
  for (const std::string& path : paths) {
    const Expected<PictureList> list = ListPictures(path);
    if (!list) return list.error();
    for (const PictureFile& file : list->files) {
      const auto reader = PictureReader::Open(file.path, limits);
      if (!reader) continue;  // found again when it is read
      const PictureInfo& info = (*reader)->info();
      all += 3 * Pixels(info);
      most = std::max(most, (*reader)->memory() + uint64_t{info.RowBytes()} * info.height);
      const Expected<MemoryPlan> plan = PlanMemory(model, info, call);
      if (!plan) continue;
      most = std::max(most,
                      3 * Pixels(info) + std::max(plan->encoding, plan->stream + plan->decoding));
    }
  }
  return CheckRoom(all + most, limits);
}

Expected<PictureSet> ReadPictureSet(const std::string& tool, const std::string& path,
                                    const Limits& limits, PictureUse use) {
  const Expected<PictureList> list = ListPictures(path);
  if (!list) return list.error();
  PictureSet set;
  for (const PictureFile& file : list->files) {
    Limits rest = limits;
    rest.held_memory += set.bytes;
    std::vector<std::string> warnings;
    const Expected<Picture> picture = ReadUsable(file.path, rest, use, &warnings);
    if (!picture) {
      if (!list->is_folder) return picture.error();
      Complain(tool, MessageOf(picture.error()) + " (left out)");
      continue;
    }
    Warn(tool, file.path, warnings);
    set.pictures.push_back(ToRgb8(*picture));
    set.paths.push_back(file.path);
    set.bytes += set.pictures.back().samples.size();
  }
  if (!set.pictures.empty()) return set;
  return MakeError(ErrorCode::kBadImage,
                   path + (use == PictureUse::kAny ? ": no picture could be read"
                                                   : ": no picture could be read and used"));
}

std::string TooLittleToLearn(const PictureSet& set) {
  constexpr size_t kPictures = 8;
  constexpr double kMegapixels = 1;
  const double megapixels = static_cast<double>(set.bytes) / 3e6;
  if (set.pictures.size() >= kPictures && megapixels >= kMegapixels) return "";
  return Count(set.pictures.size(), "picture") + " of " + Fixed(megapixels, 2) +
         " megapixels in all: too little to trust; 8 pictures and 1 megapixel are the least";
}

}  // namespace glint::tools
