// StreamDecoder: a stream decoded while its bytes come.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/api/memory_plan.h"
#include "codec/api/stream_decoding.h"
#include "codec/call_log.h"
#include "codec/detail/layout.h"
#include "codec/memory_limit.h"
#include "codec/public_error.h"
#include "codec/stage_clock.h"
#include "codec/stream/container.h"
#include "engine/float_env.h"

namespace glint {

struct StreamDecoder::Impl {
  Impl(const Model& model, PictureSink sink, const DecodeOptions& options)
      : model_(model),
        sink_(std::move(sink)),
        options_(options),
        parser_(FreeLimits(options.limits), options.detail != DetailOutput::kDecode) {}

  // Runs body(), unless an earlier one failed, or was left by what a callback threw.
  template <typename Body>
  Error Call(Body&& body) {
    return PublicCall([&]() -> Error {
      if (is_running_) return {ErrorCode::kCancelled, "a callback threw an exception"};
      if (!failure_.ok()) return failure_;
      const ScopedFloatEnv float_env;
      const StageClock clock(&report_.times.total);
      is_running_ = true;
      failure_ = PublicCall(std::forward<Body>(body));
      is_running_ = false;
      if (!failure_.ok()) LogEnd();
      return failure_;
    });
  }

  Status Push(ByteSpan bytes) {
    GLINT_TRY(HoldPending(bytes.size()));
    pending_.insert(pending_.end(), bytes.begin(), bytes.end());
    size_t taken = 0;
    GLINT_TRY(TakeParts(&taken));
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(taken));
    taken_bytes_ += bytes.size();
    return Status::Ok();
  }

  Status Finish() const {
    if (is_complete_) return Status::Ok();
    const Status status = parser_.CutShort(pending_);
    if (!decoding_) return status;
    return Status::Error(
        status.code(), status.message() + "; " + std::to_string(decoding_->rows_given()) + " of " +
                           std::to_string(decoding_->given().height) + " rows came before");
  }

  // Once, and not by Call, whose time is not counted before it ends.
  void LogSuccess() {
    if (!std::exchange(is_logged_, true)) LogEnd();
  }

  void LogEnd() const {
    const PictureInfo given = decoding_ ? decoding_->given() : PictureInfo();
    Log(options_.log, {"decoded", given, taken_bytes_, report_, failure_});
  }

  uint32_t rows_given() const {
    return decoding_ ? static_cast<uint32_t>(decoding_->rows_given()) : 0;
  }
  bool is_complete() const { return is_complete_; }
  const Report& report() const { return report_; }

 private:
  // Decodes with every part what that suffices for, so that little waits.
  Status TakeParts(size_t* taken) {
    for (;;) {
      const ByteSpan rest = ByteSpan(pending_).subspan(*taken);
      GLINT_TRY(Advance(rest));
      if (parser_.at_end()) return rest.empty() ? Status::Ok() : StreamParser::Surplus(rest.size());
      GLINT_ASSIGN(const size_t size, parser_.NextSize(rest));
      if (size == 0) return Status::Ok();
      GLINT_TRY(TakePart(rest.first(size)));
      *taken += size;
    }
  }

  // Those that are read later are copied; nobody looks at the others again.
  Status TakePart(ByteSpan part) {
    switch (static_cast<char>(part[0])) {
      case chunk::kSegment:
        return KeepPart(part, &segments_);
      case chunk::kDetail:
        return KeepPart(part, &details_);
      case chunk::kAlpha:
        return KeepPart(part, &alpha_);
      default:
        return parser_.Take(part);
    }
  }

  Status KeepPart(ByteSpan part, std::vector<Bytes>* kept) {
    GLINT_TRY(CheckHeld(part.size()));
    kept_bytes_ += part.size();
    kept->emplace_back(part.begin(), part.end());
    return parser_.Take(kept->back());
  }

  void Drop(Bytes* part) {
    kept_bytes_ -= part->size();
    Bytes().swap(*part);
  }

  // `rest`: the bytes that follow what the parser has.
  Status Advance(ByteSpan rest) {
    const ParsedStream& stream = parser_.stream();
    if (!decoding_) {
      if (stream.chunks.empty()) return Status::Ok();
      decoding_.emplace(model_.impl(), stream, options_, sink_, &report_);
      GLINT_TRY(decoding_->CheckHeader());
    }
    const int64_t wanted = decoding_->geometry().segments();
    const auto there = static_cast<int64_t>(stream.segments.size());
    if (there > wanted || (parser_.at_end() && there < wanted)) {
      return WrongSegments(stream.segments.size(), wanted);
    }
    if (!has_begun_) {
      if (!CanBegin(rest)) return Status::Ok();
      GLINT_TRY(Begin());
    }
    if (!decodes_details_ && !decoding_->LeavesDetailsOut() && !stream.details.empty()) {
      return Status::Error(StatusCode::kUnsupported,
                           "its details come later than the rows that need them, so it can only be "
                           "decoded as a whole");
    }
    while (rows_wait_ || next_ < there) {
      if (!rows_wait_) {
        GLINT_TRY(decoding_->DecodeLatents(next_));
        Drop(&segments_[static_cast<size_t>(next_)]);
        rows_wait_ = true;
      }
      GLINT_ASSIGN(const bool all, decoding_->GiveRows(next_));
      DropDetails();
      if (!all) return Status::Ok();
      rows_wait_ = false;
      ++next_;
    }
    if (!parser_.at_end() || is_complete_) return Status::Ok();
    GLINT_TRY(decoding_->Finish());
    is_complete_ = true;
    return Status::Ok();
  }

  // Whether all is there that the first row depends on. The first section of details lies behind
  // the segment of its last row; where something else is there, the picture has none.
  bool CanBegin(ByteSpan rest) const {
    const ParsedStream& stream = parser_.stream();
    if (parser_.at_end()) return true;
    if (stream.segments.empty()) return false;
    if (stream.header.source.has_alpha && stream.alpha.empty()) return false;
    if (decoding_->LeavesDetailsOut() || !stream.details.empty()) return true;
    const auto height = static_cast<int64_t>(stream.header.source.height);
    const int64_t last = std::min<int64_t>(detail::kSectionRows, height) - 1;
    const auto needed = static_cast<size_t>(decoding_->geometry().SegmentOf(last)) + 1;
    if (stream.segments.size() != needed) return stream.segments.size() > needed;
    return !rest.empty() && (rest[0] == chunk::kSegment || rest[0] == chunk::kEnd);
  }

  Status Begin() {
    const uint64_t held = HeldBytes();
    GLINT_TRY(decoding_->Begin(MetadataBytes(parser_.stream().metadata) + held));
    working_bytes_ = report_.planned_bytes - held;
    has_begun_ = true;
    decodes_details_ = !parser_.stream().details.empty();
    return Status::Ok();
  }

  // Sections whose rows have all come.
  void DropDetails() {
    const int64_t rows = decoding_->rows_given() * options_.shrink;  // of the whole picture
    const auto done = static_cast<size_t>(rows / detail::kSectionRows);
    for (; dropped_details_ < std::min(done, details_.size()); ++dropped_details_) {
      Drop(&details_[dropped_details_]);
    }
  }

  // ---- memory

  uint64_t HeldBytes() const { return kept_bytes_ + pending_.capacity(); }

  Status CheckHeld(uint64_t more) const {
    const uint64_t bytes = working_bytes_ + HeldBytes() + more;
    return ToStatus(CheckMemory("this stream", bytes, options_.limits));
  }

  // Room for `more` pending bytes. Both copies are there while it grows.
  Status HoldPending(size_t more) {
    const size_t size = pending_.size() + more;
    if (size <= pending_.capacity()) return Status::Ok();
    const size_t capacity = std::max(size, 2 * pending_.capacity());
    GLINT_TRY(CheckHeld(capacity));
    pending_.reserve(capacity);
    return Status::Ok();
  }

  const Model model_;
  const PictureSink sink_;
  const DecodeOptions options_;
  Report report_;
  Error failure_;
  bool is_running_ = false;
  StreamParser parser_;
  Bytes pending_;  // what is not a whole part yet
  // Parts that the parser's stream points into; empty ones are done with.
  std::vector<Bytes> segments_, details_, alpha_;
  uint64_t kept_bytes_ = 0;     // of these
  uint64_t working_bytes_ = 0;  // of the decoding
  uint64_t taken_bytes_ = 0;    // of the stream
  size_t dropped_details_ = 0;
  std::optional<StreamDecoding> decoding_;  // from the header on
  bool has_begun_ = false;
  bool decodes_details_ = false;
  int64_t next_ = 0;        // segment
  bool rows_wait_ = false;  // its latents are there, and not all of its rows
  bool is_complete_ = false;
  bool is_logged_ = false;
};

StreamDecoder::StreamDecoder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StreamDecoder::StreamDecoder(StreamDecoder&& other) noexcept = default;
StreamDecoder& StreamDecoder::operator=(StreamDecoder&& other) noexcept = default;
StreamDecoder::~StreamDecoder() = default;

Expected<StreamDecoder> StreamDecoder::Make(
    const Model& model, std::function<bool(const PictureInfo&, const Metadata&)> start,
    RowWriter write, const DecodeOptions& options) {
  return PublicCall([&]() -> Expected<StreamDecoder> {
    PictureSink sink = {std::move(start), std::move(write)};
    if (const Status wrong = CheckCall(sink, options); !wrong.ok()) return ToError(wrong);
    return StreamDecoder(std::make_unique<Impl>(model, std::move(sink), options));
  });
}

Error StreamDecoder::Push(const void* data, size_t size) {
  return impl_->Call([&] { return impl_->Push({static_cast<const uint8_t*>(data), size}); });
}

Error StreamDecoder::Finish() {
  Error error = impl_->Call([&] { return impl_->Finish(); });
  if (error.ok()) impl_->LogSuccess();
  return error;
}

uint32_t StreamDecoder::rows_given() const { return impl_->rows_given(); }
bool StreamDecoder::is_complete() const { return impl_->is_complete(); }
const Report& StreamDecoder::report() const { return impl_->report(); }

}  // namespace glint
