// One stream's way from segments to rows of its picture, or of a crop of it, or of either at a
// fraction of its size: segments to latents, latents to pixels in bands, details, alpha. Called by
// codec/api/decoder for whole streams, and by codec/api/stream_decoder as they come. Thread rules:
// one caller; uses its runner's workers.
#ifndef GLINT_CODEC_API_STREAM_DECODING_H_
#define GLINT_CODEC_API_STREAM_DECODING_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "codec/api/call_context.h"
#include "codec/api/detail_reader.h"
#include "codec/api/synthesis.h"
#include "codec/latents/latent_coder.h"
#include "codec/latents/latent_geometry.h"
#include "codec/latents/row_window.h"
#include "codec/model/model_impl.h"
#include "codec/samples/box_average.h"
#include "codec/samples/flatten.h"
#include "codec/stream/alpha.h"
#include "codec/stream/container.h"
#include "codec/stream/rans.h"
#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint {

// Where a picture goes.
struct PictureSink {
  std::function<bool(const PictureInfo&, const Metadata&)> start;
  RowWriter write;
};

// Symbols out of rANS.
class DecoderPort final : public SymbolPort {
 public:
  explicit DecoderPort(const Model::Impl& model)
      : fraction_bits_(model.document.fraction_bits), rans_(&model.tables) {}

  Status CodeLine(Coded coded, const SymbolLine& line, const int16_t* mean,
                  const LineTables& tables, int16_t* decoded) override;
  RansDecoder& rans() { return rans_; }
  static Status Damaged();

 private:
  const int fraction_bits_;
  RansDecoder rans_;
  std::vector<int16_t> symbols_;
};

class StreamDecoding {
 public:
  // All must outlive this. Of `stream` there is the header, and the rest when it is needed.
  StreamDecoding(const Model::Impl& model, const ParsedStream& stream, const DecodeOptions& options,
                 const PictureSink& sink, Report* report);

  // That the stream is one of this model, and has the crop; the header is all that is looked at.
  Status CheckHeader() const;
  const LatentGeometry& geometry() const { return geometry_; }
  // That details are not looked at, whether the stream has any or not, as far as it is known.
  bool LeavesDetailsOut() const;
  // What comes out.
  const PictureInfo& given() const { return given_; }
  // Bytes that Begin would hold.
  Result<uint64_t> Plan();

  // Takes memory and calls sink.start. The stream has its metadata and alpha, and a section of
  // details at least if it has any. `more_bytes`: what else the call takes.
  Status Begin(uint64_t more_bytes);
  // Segments in order, each once, and after each its rows. Nothing is done once a crop has all of
  // its rows.
  Status DecodeLatents(int64_t segment);
  // The rows that segments up to this one suffice for, as far as the stream's sections of details
  // go: false where others wait for more sections.
  Result<bool> GiveRows(int64_t segment);
  // The rows that are left, after the last segment; all sections are there.
  Status Finish();
  int64_t rows_given() const { return rows_given_; }

 private:
  Status Prepare(double t);
  Status PlanMemory(uint64_t more_bytes);
  uint64_t AlphaBytes() const;
  void AllocateAverages();
  Status Start();
  Status DecodeSegment(int64_t segment);
  Status Blame(const Status& status) const;
  Status GiveLatents(int64_t segment);
  uint32_t shrink() const { return static_cast<uint32_t>(options_.shrink); }
  bool ModelShrinks() const;
  // The whole picture is made, and becomes smaller by means of its pixels.
  bool averages() const { return options_.shrink > 1 && !shrinks_by_model_; }
  PictureInfo MadeInfo() const { return averages() ? whole_ : output_; }
  Crop CropOfMade() const;
  BoxAverage::Options ColourAverage() const;
  BoxAverage::Options AlphaAverage() const;
  uint64_t AverageBytes() const;
  Status AddDetails(int64_t row, const uint8_t* levels);
  const uint16_t* DeepLevels(int64_t row, const uint8_t* levels);
  Status TakeRow(int64_t row, const uint8_t* levels, const uint16_t* deep);
  Status WriteRow(int64_t row, const uint8_t* levels, const uint16_t* deep);
  Status ReadAlpha(int64_t row);
  Status AddToAverages(int64_t row, const uint8_t* levels, const uint16_t* deep);
  void TakeAlphaAverage();
  int64_t RowEnd() const;
  bool AllGiven() const { return rows_given_ == static_cast<int64_t>(given_.height); }
  bool CropIsDone() const { return options_.crop && AllGiven(); }

  const Model::Impl& model_;
  const ParsedStream& stream_;
  const DecodeOptions& options_;
  const PictureInfo whole_;    // as large as it was encoded
  const PictureInfo output_;   // the same where it is shrunk
  const Crop crop_;            // of output_
  const PictureInfo cropped_;  // the same of the crop
  const PictureInfo given_;
  PictureSink sink_;
  Report& report_;
  CallContext context_;
  const LatentGeometry geometry_;
  PixelWriter pixels_;
  DecoderPort port_;
  std::unique_ptr<LatentCoder> coder_;
  std::optional<Synthesis> synthesis_;
  Synthesis::Sink rows_;
  bool has_details_ = false;
  bool shrinks_by_model_ = false;
  size_t steps_ = 0;  // of coding that are decoded
  Crop made_;         // the part of MadeInfo() that synthesis_ gives
  Crop made_crop_;    // crop_ there
  // From when there is memory for them.
  std::unique_ptr<DetailReader> details_;
  RowWindow<uint16_t> deep_rows_;  // of synthesis_, until they have their details
  std::vector<uint16_t> deep_row_;
  std::optional<BoxAverage> colour_average_, alpha_average_;
  std::vector<uint8_t> average_levels_;  // of a row
  std::vector<uint16_t> average_deep_;   // likewise
  std::vector<uint16_t> alpha_weights_;  // of a row that is averaged
  std::unique_ptr<AlphaReader> alpha_;
  std::vector<uint8_t> alpha_row_;
  int64_t alpha_rows_ = 0;  // of whole_
  std::optional<Flattener> flattener_;
  int64_t rows_given_ = 0;
};

// kInvalidArgument where a callback is missing, or options are none of their kind.
Status CheckCall(const PictureSink& sink, const DecodeOptions& options);
// Limits without what the caller holds.
Limits FreeLimits(const Limits& limits);
// A stream's header wants other segments than it has.
Status WrongSegments(size_t has, int64_t wants);

}  // namespace glint

#endif  // GLINT_CODEC_API_STREAM_DECODING_H_
