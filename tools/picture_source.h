// A picture file as rows for an encoder, which may read them once or several times.
// Used by tools/encode_file.cc.
// Thread rules: one thread at a time.
#ifndef GLINT_TOOLS_PICTURE_SOURCE_H_
#define GLINT_TOOLS_PICTURE_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "glint/glint.hpp"
#include "glint/image_io.hpp"

namespace glint::tools {

class PictureSource {
 public:
  enum class Passes { kOne, kSeveral };
  // "-" is standard input, which is kept whole where several passes are wanted; files are opened
  // again for each.
  static Expected<std::unique_ptr<PictureSource>> Open(const std::string& path,
                                                       const Limits& limits, Passes passes);

  const PictureInfo& info() const { return info_; }
  // Complete after the last row.
  const Metadata& metadata() const {
    return passes_ == Passes::kOne ? reader_->metadata() : metadata_;
  }
  // What the source holds at most: the picture, or its reader; and metadata, once more where there
  // are several passes, each with a reader of its own.
  uint64_t held_bytes() const;
  // About the file, for people; complete after the last row.
  const std::vector<std::string>& warnings() const { return warnings_; }
  // Row 0 begins a pass.
  RowReader Callback() {
    return [this](uint32_t y, void* row) { return Read(y, row); };
  }
  const Error& error() const { return error_; }  // why the callback stopped

 private:
  PictureSource(std::string path, const Limits& limits, Passes passes)
      : path_(std::move(path)), limits_(limits), passes_(passes) {}
  Error OpenReader();
  bool Read(uint32_t y, void* row);

  std::string path_;
  Limits limits_;
  Passes passes_;
  PictureInfo info_;
  Metadata metadata_;                      // several passes only: the encoder has a reference to it
  std::unique_ptr<PictureReader> reader_;  // none where the picture is whole
  Picture whole_;
  bool fresh_ = true;  // no row of reader_ was read
  std::vector<std::string> warnings_;
  Error error_;
};

}  // namespace glint::tools

#endif  // GLINT_TOOLS_PICTURE_SOURCE_H_
