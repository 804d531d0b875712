// What a picture file is, for `glint info`: all of it is read, so that what is wrong with it shows,
// as far as PictureReader::SkipRows finds it.
// Used by tools/commands/info_command.cc, and by what prints it.
// Thread rules: free functions.
#ifndef GLINT_TOOLS_COMMANDS_PICTURE_FACTS_H_
#define GLINT_TOOLS_COMMANDS_PICTURE_FACTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "glint/glint.hpp"

namespace glint::tools {

struct PictureFacts {
  std::string format;  // "PNG, interlaced"
  PictureInfo info;
  Metadata metadata;
  std::vector<std::string> warnings;
  uint64_t bytes = 0;  // of the file
};

Expected<PictureFacts> ReadPictureFacts(const std::vector<uint8_t>& file, const std::string& name,
                                        const Limits& limits);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_PICTURE_FACTS_H_
