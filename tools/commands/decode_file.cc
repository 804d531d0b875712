#include "tools/commands/decode_file.h"

#include <filesystem>
#include <memory>
#include <utility>

#include "glint/image_io.hpp"
#include "tools/commands/metadata_flags.h"
#include "tools/commands/row_queue.h"
#include "tools/common/console.h"
#include "tools/common/detail_text.h"
#include "tools/common/models.h"
#include "tools/common/signals.h"
#include "tools/common/text.h"

namespace glint::tools {
namespace {

// Takes rows from the decoder into a picture file, which appears only when all of them were right.
// With `threaded` the file is packed on a thread of its own.
class RowSink {
 public:
  RowSink(std::string path, std::string format, Existing existing, bool threaded)
      : path_(std::move(path)),
        format_(std::move(format)),
        existing_(existing),
        threaded_(threaded) {}

  bool Start(const PictureInfo& info, const Metadata& metadata) {
    Expected<std::unique_ptr<PictureWriter>> writer =
        PictureWriter::Create(path_, info, metadata, format_, existing_);
    if (!writer) {
      error_ = At(OutputName(path_), writer.error());
      return false;
    }
    writer_ = std::move(*writer);
    if (threaded_) {
      queue_ = RowQueue::Start(info.RowBytes(), [this](RowQueue* queue, uint8_t* row) {
        while (queue->Pop(row)) {
          if (!WriteNow(row)) queue->Stop();
        }
      });
    }
    return true;
  }
  bool Write(const void* row) { return queue_ ? queue_->Push(row) : WriteNow(row); }
  Error Finish() {
    if (queue_) queue_->End();
    EndQueue();
    return error_.ok() ? At(OutputName(path_), writer_->Finish()) : error_;
  }
  // Why a row could not be written, if that is why the decoder was stopped.
  const Error& error() {
    if (queue_) queue_->Stop();
    EndQueue();
    return error_;
  }

 private:
  bool WriteNow(const void* row) {
    error_ = At(OutputName(path_), writer_->WriteRow(row));
    return error_.ok();
  }

  void EndQueue() {
    if (!queue_) return;
    if (!queue_->Join())
      error_ = MakeError(ErrorCode::kLimit, OutputName(path_) + ": out of memory");
    queue_.reset();
  }

  const std::string path_, format_;
  const Existing existing_;
  const bool threaded_;
  std::unique_ptr<PictureWriter> writer_;
  Error error_;                      // the queue's until it has ended
  std::unique_ptr<RowQueue> queue_;  // nullptr: rows are written as they come
};

// PGM, PPM and PAM have no place for any.
bool HoldsMetadata(const std::string& out, const std::string& format) {
  const std::string ending = Lower(std::filesystem::path(out).extension().string());
  for (const char* other : {".ppm", ".pgm", ".pam"}) {
    if (ending == other) return false;
  }
  return ending == ".png" || format == "png";
}

// Names the model that the stream wants beside the one that was given.
Error CheckModel(const StreamFile& stream, const Model& model) {
  const ModelInfo& given = model.info();
  if (stream.info.model_id == given.id) return {};
  return MakeError(ErrorCode::kWrongModel,
                   stream.name + ": the stream was made with model " + stream.info.model_id +
                       ", the model given is " + given.id + " (" + given.name + ", " +
                       Upper(given.form) + "); name the right one with --model (" + kOlderModels +
                       ")");
}

}  // namespace

Expected<StreamFile> ReadStream(const std::string& path, const Limits& limits,
                                DetailOutput detail) {
  StreamFile stream;
  stream.name = InputName(path);
  // What is no stream is not read to its end to say so.
  Expected<std::vector<uint8_t>> bytes =
      ReadFile(path, limits.max_memory, [](const void* start, size_t size) {
        return IsStream(start, size) ? Error{} : Inspect(start, size).error();
      });
  if (!bytes) return At(stream.name, bytes.error());
  stream.bytes = std::move(*bytes);
  Limits rest = limits;
  rest.held_memory += stream.bytes.size();
  Expected<StreamInfo> info = Inspect(stream.bytes.data(), stream.bytes.size(), rest,
                                      /*damaged_details=*/true);
  if (!info) return At(stream.name, info.error());
  if (detail == DetailOutput::kDecode && !info->damaged_rows.empty()) {
    return MakeError(ErrorCode::kBadStream, stream.name + ": " + DamageText(info->damaged_rows) +
                                                "; --skip-damaged-detail leaves them out");
  }
  stream.info = std::move(*info);
  stream.info.metadata = {};  // the decoder has its own
  return stream;
}

Expected<CodingSummary> DecodeFile(const Model& model, const StreamFile& stream,
                                   const std::string& out, const std::string& format,
                                   const DecodeOptions& options, uint32_t metadata,
                                   Existing existing) {
  const Error right_model = CheckModel(stream, model);
  if (!right_model.ok()) return right_model;
  CodingSummary summary;
  summary.stream_bytes = stream.bytes.size();
  summary.pixels = uint64_t{stream.info.source.width} * stream.info.source.height;
  DecodeOptions call = options;
  const bool skips = options.detail == DetailOutput::kSkip && stream.info.detail;
  call.limits.held_memory += stream.bytes.size();
  const UnfinishedFile unfinished(out);
  if (!unfinished.allowed()) return MakeError(ErrorCode::kCancelled, "interrupted");
  const bool threaded = HasThreadForRows(call.threads, out);
  if (threaded) {
    const size_t widened = options.deep ? sizeof(uint16_t) : 1;
    call.limits.held_memory += RowQueue::MemoryOf(stream.info.output.RowBytes() * widened);
  }
  RowSink sink(out, format, existing, threaded);
  const bool holds_metadata = HoldsMetadata(out, format);
  const uint32_t kept = holds_metadata ? metadata : 0;
  const Error decoded = DecodeRows(
      model, stream.bytes.data(), stream.bytes.size(),
      [&](const PictureInfo& picture, const Metadata& all) {
        summary.picture = picture;
        const std::string dropped = DroppedText(all, kept);
        summary.left_out = dropped;
        if (skips) summary.left_out += (dropped.empty() ? "" : ", ") + std::string("details");
        summary.warnings = WarningsOfLeaving(all, kept);
        if (!holds_metadata && (metadata & kMetadataIcc) != 0 && !all.icc.empty()) {
          summary.warnings.push_back(
              "its colour profile is left out: only .png has a place for it");
        }
        if (dropped.empty()) return sink.Start(picture, all);
        return sink.Start(picture, MetadataOfKinds(all, kept));
      },
      [&sink](uint32_t, const void* row) { return sink.Write(row); }, call, &summary.report);
  if (!decoded.ok()) {
    if (!sink.error().ok()) return sink.error();
    return At(stream.name, decoded);
  }
  const Error finished = sink.Finish();
  if (!finished.ok()) return finished;
  const std::vector<RowRange>& damaged = summary.report.detail.damaged_rows;
  if (!damaged.empty()) summary.warnings.push_back(DamageText(damaged) + " and left out");
  return summary;
}

}  // namespace glint::tools
