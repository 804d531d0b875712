// A picture file as rows for an encoder, which may read them once or several times.
// Used by tools/commands/encode_file.cc.
// Thread rules: one thread at a time.
#ifndef GLINT_TOOLS_COMMANDS_PICTURE_SOURCE_H_
#define GLINT_TOOLS_COMMANDS_PICTURE_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "tools/commands/row_queue.h"

namespace glint::tools {

class PictureSource {
 public:
  enum class Passes { kOne, kSeveral };
  // "-" is standard input. For several passes that, pipes and devices are kept whole; files are
  // opened again for each pass. Metadata of other kinds than `kinds`, an "or" of MetadataKind, are
  // left out. `threads` of the call that the rows are for: with more than one, files are read ahead
  // on a thread of their own.
  static Expected<std::unique_ptr<PictureSource>> Open(const std::string& path,
                                                       const Limits& limits, Passes passes,
                                                       uint32_t kinds, int threads);

  const PictureInfo& info() const { return info_; }
  // Complete after the last row; so is left_out(), which says what was left out (DroppedText).
  const Metadata& metadata() const { return own_metadata_ ? metadata_ : reader_->metadata(); }
  const std::string& left_out() const { return left_out_; }
  // The most memory that the source holds: the picture or its reader, and metadata; these twice
  // where they differ from the reader's.
  uint64_t held_bytes() const;
  // About the file, for people; complete after the last row.
  const std::vector<std::string>& warnings() const { return warnings_; }
  // Row 0 begins a pass.
  RowReader Callback() {
    return [this](uint32_t y, void* row) { return Read(y, row); };
  }
  const Error& error();  // why the callback stopped

 private:
  PictureSource(std::string path, const Limits& limits, Passes passes, uint32_t kinds, int threads)
      : path_(std::move(path)),
        limits_(limits),
        kinds_(kinds),
        own_metadata_(passes == Passes::kSeveral || kinds != kMetadataAll),
        threaded_(HasThreadForRows(threads, path_)) {}
  Error OpenReader();
  Error KeepMetadata(const Metadata& all, uint64_t held);
  bool Read(uint32_t y, void* row);
  bool BeginPass();
  bool ReadNow(uint32_t y, void* row);
  void EndQueue();

  std::string path_;
  Limits limits_;
  const uint32_t kinds_;
  // The encoder has a reference to metadata, each pass a reader of its own.
  const bool own_metadata_;
  const bool threaded_;
  PictureInfo info_;
  Metadata metadata_;  // where they are not the reader's
  std::string left_out_;
  std::unique_ptr<PictureReader> reader_;  // none where the picture is whole
  Picture whole_;
  bool fresh_ = true;  // no row of reader_ was read
  std::vector<std::string> warnings_;
  Error error_;
  // Rows that are read ahead in a pass over a file; while it is there, what ReadNow sets is its
  // thread's.
  std::unique_ptr<RowQueue> queue_;
};

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_PICTURE_SOURCE_H_
