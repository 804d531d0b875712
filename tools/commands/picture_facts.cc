#include "tools/commands/picture_facts.h"

#include <memory>

#include "glint/image_io.hpp"

namespace glint::tools {

Expected<PictureFacts> ReadPictureFacts(const std::vector<uint8_t>& file, const std::string& name,
                                        const Limits& limits) {
  Limits rest = limits;
  rest.held_memory += file.size();
  const auto reader = PictureReader::FromMemory(file.data(), file.size(), name, rest);
  if (!reader) return reader.error();
  PictureFacts facts;
  facts.format = (*reader)->format();
  facts.info = (*reader)->info();
  facts.bytes = file.size();
  Error error = (*reader)->SkipRows();
  if (error.ok()) error = (*reader)->Finish();
  if (!error.ok()) return error;
  facts.metadata = (*reader)->TakeMetadata();
  facts.warnings = (*reader)->warnings();
  return facts;
}

}  // namespace glint::tools
