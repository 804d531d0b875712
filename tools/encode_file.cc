#include "tools/encode_file.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "glint/image_io.hpp"
#include "tools/console.h"

namespace glint::tools {
namespace {

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

}  // namespace

Expected<CodingSummary> EncodeFile(const Model& model, const std::string& in,
                                   const std::string& out, const EncodeOptions& options) {
  const std::string name = InputName(in);
  const Expected<std::unique_ptr<PictureReader>> reader = PictureReader::Open(in, options.limits);
  if (!reader) return At(name, reader.error());
  CodingSummary summary;
  summary.picture = (*reader)->info();
  RowSource source(reader->get());
  const Expected<std::vector<uint8_t>> stream = EncodeRows(
      model, summary.picture, (*reader)->metadata(), source.Callback(), options, &summary.report);
  if (!source.error().ok()) return At(name, source.error());
  if (!stream) return At(name, stream.error());
  const Error written = WriteFile(out, stream->data(), stream->size());
  if (!written.ok()) return At(OutputName(out), written);
  summary.stream_bytes = stream->size();
  return summary;
}

}  // namespace glint::tools
