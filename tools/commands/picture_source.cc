#include "tools/commands/picture_source.h"

#include <cstring>
#include <utility>

#include "tools/commands/metadata_flags.h"
#include "tools/common/console.h"
#include "tools/common/messages.h"

namespace glint::tools {
namespace {

bool Same(const PictureInfo& a, const PictureInfo& b) {
  return a.width == b.width && a.height == b.height && a.channels == b.channels &&
         a.has_alpha == b.has_alpha && a.bit_depth == b.bit_depth;
}

}  // namespace

Expected<std::unique_ptr<PictureSource>> PictureSource::Open(const std::string& path,
                                                             const Limits& limits, Passes passes,
                                                             uint32_t kinds, int threads) {
  std::unique_ptr<PictureSource> source(new PictureSource(path, limits, passes, kinds, threads));
  if (passes == Passes::kSeveral && !IsStoredFile(path)) {
    Expected<Picture> whole = ReadPicture(path, limits, &source->warnings_);
    if (!whole) {
      Error error = whole.error();
      error.memory_needed = 0;  // enough to read it, not to encode it
      return error;
    }
    source->info_ = whole->info;
    const Error kept = source->KeepMetadata(whole->metadata, whole->samples.size());
    if (!kept.ok()) return kept;
    whole->metadata = {};
    source->whole_ = std::move(*whole);
    return source;
  }
  Error error = source->OpenReader();
  if (!error.ok()) return error;
  source->info_ = source->reader_->info();
  return source;
}

uint64_t PictureSource::held_bytes() const {
  const uint64_t queue = reader_ && threaded_ ? RowQueue::MemoryOf(info_.RowBytes()) : 0;
  return MetadataSize(metadata_) + (reader_ ? reader_->memory() : whole_.samples.size()) + queue;
}

Error PictureSource::OpenReader() {
  reader_.reset();  // closes the file that is open
  Expected<std::unique_ptr<PictureReader>> reader = PictureReader::Open(path_, limits_);
  if (!reader) {
    Error error = reader.error();
    error.memory_needed = 0;  // enough to open it
    return error;
  }
  reader_ = std::move(*reader);
  return KeepMetadata(reader_->metadata(), reader_->memory());
}

// `held`: what else is there meanwhile.
Error PictureSource::KeepMetadata(const Metadata& all, uint64_t held) {
  left_out_ = DroppedText(all, kinds_);
  for (std::string& text : WarningsOfLeaving(all, kinds_)) warnings_.push_back(std::move(text));
  if (!own_metadata_) return {};
  metadata_ = {};
  const Error fits = CheckRoom(held + MetadataSize(all, kinds_), limits_);
  if (!fits.ok()) return fits;
  metadata_ = MetadataOfKinds(all, kinds_);
  return {};
}

bool PictureSource::Read(uint32_t y, void* row) {
  if (!reader_) {
    const size_t row_bytes = info_.RowBytes();
    std::memcpy(row, whole_.samples.data() + size_t{y} * row_bytes, row_bytes);
    return true;
  }
  if (y == 0 && !BeginPass()) return false;
  if (!queue_) return ReadNow(y, row);
  const bool there = queue_->Pop(row);
  if (!there || y + 1 == info_.height) EndQueue();
  return there;
}

bool PictureSource::BeginPass() {
  queue_.reset();
  if (!fresh_) {
    error_ = OpenReader();
    if (error_.ok() && !Same(reader_->info(), info_)) {
      error_ = MakeError(ErrorCode::kIo, "the picture has changed while it was read");
    }
    if (!error_.ok()) return false;
  }
  fresh_ = false;
  if (!threaded_) return true;
  queue_ = RowQueue::Start(info_.RowBytes(), [this](RowQueue* queue, uint8_t* row) {
    for (uint32_t y = 0; y < info_.height && ReadNow(y, row); ++y) {
      if (!queue->Push(row)) return;
    }
    queue->End();
  });
  return true;
}

// The rest of the file is read together with the last row: texts behind the pixels belong to the
// metadata, and a damaged end is found before anything is written.
bool PictureSource::ReadNow(uint32_t y, void* row) {
  error_ = reader_->ReadRow(row);
  if (error_.ok() && y + 1 == info_.height) {
    error_ = reader_->Finish();
    warnings_ = reader_->warnings();
    if (error_.ok()) error_ = KeepMetadata(reader_->metadata(), reader_->memory());
  }
  return error_.ok();
}

void PictureSource::EndQueue() {
  if (!queue_) return;
  if (!queue_->Join()) error_ = MakeError(ErrorCode::kLimit, "out of memory");
  queue_.reset();
}

const Error& PictureSource::error() {
  if (queue_) queue_->Stop();
  EndQueue();
  return error_;
}

}  // namespace glint::tools
