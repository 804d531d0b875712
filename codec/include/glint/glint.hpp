// Glint's C++ interface (C++17): load a model, encode and decode pictures, inspect streams.
//
// Ownership: everything is a value or a handle that frees itself. Buffers that you pass in stay
// yours and are only used during the call.
// Errors: every function that can fail returns glint::Error, or Expected: a value or an Error.
// Nothing throws, prints, or aborts, and out of memory is kLimit, with one exception: functions
// that give neither, but a string or a list, throw std::bad_alloc when there is no memory for it.
//
// Thread rules: a Model is immutable and may be used by many threads at once; a call of Encode or
// Decode uses `threads` workers of its own, or your runner.
#ifndef GLINT_GLINT_HPP_
#define GLINT_GLINT_HPP_

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "glint/version.h"

#if defined(GLINT_STATIC) || !defined(__GNUC__)
#define GLINT_API
#else
#define GLINT_API __attribute__((visibility("default")))
#endif

namespace glint {

GLINT_API const char* Version();  // "1.0.0"

enum class ErrorCode {
  kOk = 0,
  kInvalidArgument,  // options or sizes of the caller
  kNotFound,         // a file does not exist or cannot be opened
  kIo,               // reading or writing failed midway
  kBadModel,         // a model file that breaks its rules
  kBadStream,        // a damaged or truncated stream
  kWrongModel,       // a sound stream that was made with another model
  kBadImage,         // a picture file that cannot be read
  kLimit,            // a limit on pixels or memory would be exceeded
  kUnsupported,      // sound, but not within what this build does
  kCancelled,        // a callback of yours asked to stop
  kUnreachable,      // a size or PSNR that no rate of the model gives
};

// Empty (kOk) or what went wrong, with the place and the offending value.
struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::kOk;
  std::string message;
  // kLimit on memory: the Limits::max_memory that would do; 0 where nobody knows, and otherwise.
  uint64_t memory_needed = 0;
  bool ok() const { return code == ErrorCode::kOk; }
};

// A value or an Error. Ask which before you take the value: without NDEBUG the program stops with a
// message where there is none, and with it the behaviour is undefined.
template <typename T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : value_(std::move(value)) {}
  Expected(Error error) : error_(std::move(error)) {}
  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return error_; }
  T& operator*() { return *Checked().value_; }
  const T& operator*() const { return *Checked().value_; }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }

 private:
  Expected& Checked() {
    assert(ok() && "glint::Expected: there is no value, error() says why");
    return *this;
  }
  const Expected& Checked() const { return const_cast<Expected*>(this)->Checked(); }

  std::optional<T> value_;
  Error error_;
};

// ---- pictures ----------------------------------------------------------------------------------

// Interleaved samples: 1 (gray) or 3 (RGB) colour channels, then alpha if there is one; 8 or 16
// bits each (native byte order). bit_depth is that of the source: gray of 1, 2 or 4 bits comes as
// 8-bit samples 0..2^depth-1, and encoding refuses larger ones (kInvalidArgument); more than 8 bits
// come in 16-bit samples.
struct PictureInfo {
  uint32_t width = 0;
  uint32_t height = 0;
  uint32_t channels = 3;  // colour channels, 1 or 3
  bool has_alpha = false;
  uint32_t bit_depth = 8;  // 1, 2, 4, 8, 16
  size_t SampleBytes() const { return bit_depth > 8 ? 2 : 1; }
  size_t SamplesPerPixel() const { return channels + (has_alpha ? 1u : 0u); }
  size_t RowBytes() const { return size_t{width} * SamplesPerPixel() * SampleBytes(); }
};

// What a picture file carries besides pixels; kept through coding, byte for byte (and packed in the
// stream where that is smaller).
struct Metadata {
  std::vector<uint8_t> icc;  // ICC profile, uncompressed
  std::vector<uint8_t> exif;
  // Other small PNG chunks (tEXt, zTXt, iTXt, gAMA, cHRM, sRGB, pHYs, ...): four-letter type and
  // content.
  std::vector<std::pair<std::string, std::vector<uint8_t>>> chunks;
};

// Kinds of metadata, as bits of a set.
enum MetadataKind : uint32_t {
  kMetadataIcc = 1,     // what colours mean: Metadata::icc, gAMA, cHRM, sRGB, cICP, mDCV, cLLI
  kMetadataExif = 2,    // Metadata::exif, and texts "Raw profile type exif" or "APP1"
  kMetadataXmp = 4,     // iTXt "XML:com.adobe.xmp", and texts "Raw profile type xmp"
  kMetadataText = 8,    // all other tEXt, zTXt and iTXt
  kMetadataOther = 16,  // chunks of other types: pHYs, tIME, oFFs, ...
  kMetadataAll = 31
};
// The metadata whose kind is among `kinds`, an "or" of MetadataKind, in the same order.
GLINT_API Metadata MetadataOfKinds(const Metadata& metadata, uint32_t kinds);
// Bytes of these metadata, not packed.
GLINT_API uint64_t MetadataSize(const Metadata& metadata, uint32_t kinds = kMetadataAll);

// Code points of ITU-T H.273, as the PNG chunk cICP has them. Samples here are always RGB or gray.
struct Cicp {
  uint8_t primaries = 2;   // 1: BT.709 and sRGB, 9: BT.2020, 12: Display P3, 2: not known
  uint8_t transfer = 2;    // 13: sRGB, 16: PQ (SMPTE ST 2084), 18: HLG, 2: not known
  bool full_range = true;  // false: samples have the range of video
};
struct Chromaticity {  // x and y of CIE 1931
  double x = 0, y = 0;
};
// The display that a picture was made on, SMPTE ST 2086, as the chunk mDCV has it.
struct MasteringDisplay {
  Chromaticity red, green, blue, white;         // 0 .. 1.3107, in steps of 0.00002
  double max_luminance = 0, min_luminance = 0;  // cd/m2, below 429496.7296, in steps of 0.0001
};
// How bright a picture is, CTA-861.3, as the chunk cLLI has it: cd/m2 as above; 0: not known.
struct ContentLight {
  double max_content = 0, max_frame_average = 0;
};
// What colours mean where no ICC profile says it, in HDR above all.
struct ColourDescription {
  std::optional<Cicp> cicp;
  std::optional<MasteringDisplay> display;
  std::optional<ContentLight> light;
};
// From Metadata::chunks; what is damaged is not there. Of several chunks of a type the first
// counts.
GLINT_API ColourDescription ColourOf(const Metadata& metadata);
// In place of what was there, each rounded to its nearest step. kInvalidArgument where a number is
// beyond what its chunk can hold; then nothing changes.
GLINT_API Error SetColour(const ColourDescription& colour, Metadata* metadata);

struct Picture {
  PictureInfo info;
  Metadata metadata;
  std::vector<uint8_t> samples;  // height * RowBytes()
};

// Rows from top to bottom, `row` holds RowBytes(). Return false to stop (kCancelled).
using RowReader = std::function<bool(uint32_t y, void* row)>;
using RowWriter = std::function<bool(uint32_t y, const void* row)>;

// ---- options -----------------------------------------------------------------------------------

struct Limits {
  uint64_t max_pixels = uint64_t{1} << 30;  // width * height
  uint64_t max_memory = uint64_t{4} << 30;  // bytes that one call may allocate, and held_memory
  // Bytes of max_memory that are taken already by what the caller holds meanwhile: the picture that
  // is encoded, or PictureReader::memory() of the reader that its rows come from.
  uint64_t held_memory = 0;
};

// Parallel work: run task(arg, i, worker) for every i in [0, count), worker < workers, return when
// all are done. `run` == nullptr: a pool of `threads` threads made for the call.
struct ParallelRunner {
  void (*run)(void* opaque, size_t count, void (*task)(void* arg, size_t index, size_t worker),
              void* arg) = nullptr;
  void* opaque = nullptr;
  size_t workers = 1;
};

// Threads that stay between calls, for programs that code many pictures: making them takes longer
// than a small picture has time for. Memory and plans need no keeping (docs/PERFORMANCE.md).
class GLINT_API Session {
 public:
  // 0: as many threads as the machine has. kInvalidArgument below 0 and beyond 1024.
  static Expected<Session> Make(int threads = 0);
  Session(Session&& other) noexcept;
  Session& operator=(Session&& other) noexcept;
  ~Session();

  // For CallOptions::runner and LoadOptions::runner, as long as the Session lives. Several calls
  // may have it at once: the threads help one of them at a time, and the others work alone.
  ParallelRunner runner() const;

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// How a model gets at its file. One that was read may change or go as soon as Load returns. One
// that is mapped must not change while a copy of the Model lives: what is written to it is seen by
// the model, and where it is cut off the process ends with SIGBUS.
enum class ModelAccess {
  kMapLarge,  // read; mapped from 64 MiB on
  kRead,      // always read
  kMap,       // always mapped, where the system can
};

// A line about a call when it ends, for a log: what it made, or why not; without a line break.
// "encoded 768 x 512: 31234 bytes, ...". For people: words and order change between versions.
// Called on the caller's thread; must not throw.
using LogFunction = std::function<void(const std::string& line)>;

struct LoadOptions {
  int threads = 1;  // 0: as many as the machine has; they are gone when the model is loaded
  ParallelRunner runner;
  ModelAccess access = ModelAccess::kMapLarge;  // of Load
  // Bytes that the model may take, loading included: the file where it is read, its weights as
  // kernels want them, and those of what EncodeOptions::effort follows, when it is first asked for.
  // kLimit beyond.
  uint64_t max_memory = uint64_t{1} << 30;
  // Like that of CallOptions; heard of with every few MiB, and every layer. With threads it may be
  // one of them that calls, never two at once.
  std::function<bool(double done)> progress;
  LogFunction log;
};

struct StageTimes {      // seconds of wall clock
  double analysis = 0;   // g_a
  double hyper = 0;      // h_a, h_s
  double context = 0;    // contexts and parameter networks
  double entropy = 0;    // rANS
  double synthesis = 0;  // g_s
  double detail = 0;     // the detail layer
  double effort = 0;     // the search for better symbols (EncodeOptions::effort)
  double total = 0;      // the whole call
};

struct LayerProfile {
  std::string stage;  // "g_a", "h_s", ...
  std::string name;   // fused nodes
  std::string kernel;
  double macs = 0;  // multiply-adds done
  double seconds = 0;
};

struct CallOptions {
  int threads = 1;  // 0: as many as the machine has
  // Picture rows per band, 0: chosen; more than 65536 count as so many. Results do not depend on
  // it.
  int band_rows = 0;
  ParallelRunner runner;
  Limits limits;
  bool profile = false;                       // fill Report::layers
  std::function<bool(double done)> progress;  // 0..1; return false to stop
  LogFunction log;
};

// The detail layer: what the model's picture lacks, coded after it in blocks of 64 x 64 pixels,
// each as its difference transformed, as its pixels, or not at all.
enum class Detail {
  kAuto,  // each block as squared error and bits weigh it, which may be: no details at all
  kOff,   // none, and nothing is spent on looking for them
  kOn,    // every block has details
};

struct EncodeOptions : CallOptions {
  // Rate parameter, larger is more bits; 0: the default. One number for model and details: up to
  // the greatest rate that the model is meant for (ModelInfo::lrd_suggested_max) both follow it;
  // above, the model stays there and details grow. A model of one fixed rate stays as it is at any
  // lrd. ModelInfo has the numbers that are possible.
  double lrd = 0;
  Detail detail = Detail::kAuto;
  // 0 to 9: how long the encoder looks for better symbols, after it has seen what would be decoded;
  // 0: not at all. Decoders know nothing of it. More effort is less squared error for the same
  // bits, and what 9 takes is one to two hundred times as long as encoding without. The picture and
  // its latents are then in memory as a whole, 9 bytes a pixel with light, and the gradient's rows,
  // up to 40 kB a column. Without effect where errors have a limit. kUnsupported where the
  // model's g_s has no gradient here, or the file does not say for what lambda it was trained.
  int effort = 0;
  // 0 to 127: no sample of 8 bits or fewer is further off than this, with 0 none at all, whatever
  // the model and the machine (colours under an alpha of 0 only with `exact`); lrd must be 0, and
  // detail not kOff. -1: errors have no limit.
  int max_error = -1;
  // max_error 0 and `exact`, so everything comes back. Pictures of 16 bits are refused.
  bool lossless = false;
  bool map_bits = false;  // fill Report::bits
  // false: what nobody sees is not kept. Pixels with an alpha of 0 get colours that continue what
  // is visible around them, or black where errors have a limit (all others stay exactly what they
  // are), and an alpha channel that is
  // opaque everywhere is left out: the stream decodes to a picture without alpha. The encoder then
  // reads up to 48 rows ahead. true: alpha and the colours under it are coded as they are.
  bool exact = false;
};

// What becomes of a stream's alpha channel. Without effect where there is none.
enum class AlphaOutput {
  kKeep,
  kDrop,   // left out; colours stay, also where they were hidden
  kBlend,  // blended over DecodeOptions::background
};

struct Rgb8 {
  uint8_t red = 255, green = 255, blue = 255;
};

// What becomes of a stream's details. Without effect where there are none.
enum class DetailOutput {
  kDecode,       // all of them; damage is an error
  kSkip,         // left out: a preview, made sooner
  kSkipDamaged,  // those of damaged sections are left out (Report::detail names them)
};

// A row of y, the latents that the synthesis reads, as it was decoded: `columns` times `channels`
// numbers, whose value is an integer / 2^fraction_bits. The same on every machine.
struct LatentRow {
  uint32_t y = 0, rows = 0, columns = 0, channels = 0;  // `rows`: of all y
  int fraction_bits = 0;
  const int16_t* values = nullptr;  // there until the call returns
};

// A part of a picture: pixels [x, x + width) of rows [y, y + height).
struct Crop {
  uint32_t x = 0, y = 0, width = 0, height = 0;
};

struct DecodeOptions : CallOptions {
  // Gets every row of the latents, from top to bottom, each before the pixels that need it. Return
  // false to stop (kCancelled).
  std::function<bool(const LatentRow& row)> latents;
  DetailOutput detail = DetailOutput::kDecode;
  // With kDrop and kBlend pictures come without alpha and with 8 bits at most. Blending is done on
  // the samples as they are, whatever the profile says (browsers do the same): colour * alpha +
  // background * (1 - alpha), rounded to 8 bits. Gray over a background of colour comes as RGB.
  AlphaOutput alpha = AlphaOutput::kKeep;
  Rgb8 background;  // white
  // true: pictures that had 16 bits come with 16, which are the model's picture before it is
  // rounded to 8. Where details change a sample of 8 bits, the sample is theirs. Of integer models
  // the same on every machine. Without effect on pictures of fewer bits, and with kDrop and kBlend.
  bool deep = false;
  // Only this part is made, and is the picture that comes. What lies below it is not decoded, and
  // beside and above it only latents, and with details all of the 1024 rows that each section has.
  // The pixels are those of the whole; of models in FP32 and FP16 a few may differ by a level.
  std::optional<Crop> crop;
  // 1, 2, 4 or 8: the picture with so many times fewer columns and rows, rounded up, as if each of
  // its pixels were the mean of a square of the whole picture's, colours weighted by their alpha;
  // `crop` is then of this picture. Where the model has a graph for it (ModelInfo::shrinks), the
  // picture is near those means (docs/QUANTISATION.md says how near), no more of the whole is made
  // than y, and of integer models it is the same on every machine. Where the graph reads the first
  // channels of y alone, the rest of each segment is not decoded and the CRC of its latents cannot
  // be checked: what another encoder wrote wrong may then go unseen. The means themselves are made,
  // which takes as long as the whole, where there is no such graph; of pictures with alpha, unless
  // that is dropped; and of a stream with details without which the picture might lack something,
  // as text and drawings would, and as everything would where errors have a limit (it has no chunk
  // 'b', docs/BITSTREAM.md), unless `detail` is kSkip.
  int shrink = 1;
};

// Rows of a picture, `end` not among them.
struct RowRange {
  uint32_t begin = 0, end = 0;
};

// What the detail layer did.
struct DetailReport {
  uint64_t bytes = 0;  // of its chunks' payloads
  // Encoding: blocks of 64 x 64 pixels, the last of a row or column smaller; those that are coded
  // as transformed differences and as pixels; and those that look drawn and that the model saw as a
  // plain colour.
  uint64_t blocks = 0, transform_blocks = 0, pixel_blocks = 0, plain_blocks = 0;
  // Encoding: mean squared error of colour samples (in levels) without details and with them, on
  // this machine.
  double base_error = 0, error = 0;
  std::vector<RowRange> damaged_rows;  // decoding: of each damaged section, which was left out
};

// Where the bits of a picture went: the estimated bits of all symbols by where their latents lie,
// and those of details by where these lie. What a stream has besides (header, metadata, alpha,
// frames) is nowhere.
struct BitsMap {
  uint32_t cell = 0;               // pixels of a cell's side, one latent's; the last may have fewer
  uint32_t rows = 0, columns = 0;  // of cells, the first at the picture's upper left corner
  std::vector<float> bits;         // rows x columns
};

// What a call did.
struct Report {
  StageTimes times;
  double estimated_bits = 0;  // encode: of all symbols under the model's tables
  uint64_t symbols = 0;
  // encode: values of y and z that are beyond what 16 bits of fixed point hold. They are coded as
  // the nearest value that is not; a trained model has none, or nearly none.
  uint64_t saturated_latents = 0;
  // CRC-32 over the CRCs of all segments' latents; 0 where `shrink` leaves some undecoded.
  uint32_t latent_crc = 0;
  uint64_t planned_bytes = 0;  // working memory, and when encoding what came out
  DetailReport detail;
  BitsMap bits;  // encode, with map_bits
  std::vector<LayerProfile> layers;
};

// ---- models ------------------------------------------------------------------------------------

struct ModelInfo {
  std::string name, form, architecture, provenance;
  std::string id;  // 16 hexadecimal digits
  uint64_t file_bytes = 0;
  double load_seconds = 0;
  // All 0: the model has one fixed rate.
  double lrd_min = 0, lrd_max = 0, lrd_default = 0, lrd_suggested_min = 0, lrd_suggested_max = 0;
  // What lrd may be with details (EncodeOptions::detail other than kOff), also of a model of one
  // fixed rate, whose details have one all the same.
  double detail_lrd_min = 0, detail_lrd_max = 0, detail_lrd_default = 0;
  bool has_fixed_rate() const { return lrd_max == 0; }
  uint64_t parameters = 0;
  // The values of DecodeOptions::shrink that save time: the model has graphs for them.
  std::vector<uint32_t> shrinks;
};

class GLINT_API Model {
 public:
  static Expected<Model> Load(const std::string& path, const LoadOptions& options = {});
  static Expected<Model> FromMemory(const void* data, size_t size,
                                    const std::string& name = "memory",
                                    const LoadOptions& options = {});
  // The id that a model of this file has, from the bytes of the file alone: whether it is a model
  // at all is not looked at. Several times faster than Load.
  static Expected<std::string> IdOfFile(const std::string& path);
  const ModelInfo& info() const;
  std::string Explain() const;  // the plan of every graph, for people

  struct Impl;
  const Impl& impl() const { return *impl_; }
  explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const Impl> impl_;
};

// ---- memory ------------------------------------------------------------------------------------

// The memory that calls for a picture will need, known before anything is allocated: what
// EncodeRows and DecodeRows count against Limits::max_memory, without held_memory.
struct MemoryPlan {
  uint64_t encoding = 0;  // of a picture without metadata, its stream included
  uint64_t decoding = 0;  // without the stream; Decode holds the whole picture besides
  uint64_t stream = 0;    // the part of `encoding` for the stream; streams are smaller as a rule
};
// `info`: as it would be encoded. Of the options only threads, runner, band_rows, limits.max_pixels
// and what they say of details and effort count; the second: with both as EncodeOptions has them.
GLINT_API Expected<MemoryPlan> PlanMemory(const Model& model, const PictureInfo& info,
                                          const EncodeOptions& options);
GLINT_API Expected<MemoryPlan> PlanMemory(const Model& model, const PictureInfo& info,
                                          const CallOptions& options = {});

// ---- streams -----------------------------------------------------------------------------------

GLINT_API Expected<std::vector<uint8_t>> Encode(const Model& model, const Picture& picture,
                                                const EncodeOptions& options = {},
                                                Report* report = nullptr);
// Rows by callback: the picture is never whole in memory. Interleaved as in Picture::samples.
// `metadata` is looked at after the last row, so a reader may complete it until then; what comes so
// late counts against the limit on memory when it comes.
GLINT_API Expected<std::vector<uint8_t>> EncodeRows(const Model& model, const PictureInfo& info,
                                                    const Metadata& metadata, const RowReader& read,
                                                    const EncodeOptions& options = {},
                                                    Report* report = nullptr);

GLINT_API Expected<Picture> Decode(const Model& model, const void* stream, size_t size,
                                   const DecodeOptions& options = {}, Report* report = nullptr);
// `start` is called once with the picture's description before the first row; return false to stop.
// What comes out has 8-bit colour at most (Inspect says in which form, unless options.alpha, deep,
// crop or shrink change it).
GLINT_API Error DecodeRows(const Model& model, const void* stream, size_t size,
                           const std::function<bool(const PictureInfo&, const Metadata&)>& start,
                           const RowWriter& write, const DecodeOptions& options = {},
                           Report* report = nullptr);

// The latents that a picture of this size has: DecodeOptions::latents gives them, SynthesiseRows
// takes them. Of `info` width and height count; the rest must be a picture's without alpha.
struct LatentShape {
  uint32_t rows = 0, columns = 0, channels = 0;
  int fraction_bits = 0;
};
GLINT_API Expected<LatentShape> ShapeOfLatents(const Model& model, const PictureInfo& info,
                                               const Limits& limits = {});
// Puts row `y` of the latents into `values`: columns x channels numbers, each an integer /
// 2^fraction_bits. Rows from top to bottom, each once. Return false to stop (kCancelled).
using LatentReader = std::function<bool(uint32_t y, int16_t* values)>;
// The second half of decoding, for latents that come from elsewhere: changed ones, mixtures, those
// that another program coded. `info` says what comes out: gray or RGB without alpha, of 8 bits at
// most or of 16, as DecodeOptions::deep has them. `lrd`: the rate that the latents are of, 0: the
// model's default (ModelInfo). A stream's own latents give its picture without details.
GLINT_API Error SynthesiseRows(const Model& model, const PictureInfo& info, double lrd,
                               const LatentReader& read, const RowWriter& write,
                               const CallOptions& options = {}, Report* report = nullptr);

// Decodes a stream whose bytes come piece by piece, as from a network. Each row comes as soon as
// the bytes suffice for it; the first ones when those are there that tell whether the picture has
// details. Rows that came before a stream turned out to be damaged or cut short are as they should
// be.
class GLINT_API StreamDecoder {
 public:
  // `start` and `write`: as in DecodeRows; they are called during Push. Metadata that lie behind
  // the first segment of the stream come too late for `start` (Glint writes none there). Bytes that
  // wait count against options.limits.
  static Expected<StreamDecoder> Make(
      const Model& model, std::function<bool(const PictureInfo&, const Metadata&)> start,
      RowWriter write, const DecodeOptions& options = {});
  StreamDecoder(StreamDecoder&& other) noexcept;
  StreamDecoder& operator=(StreamDecoder&& other) noexcept;
  ~StreamDecoder();

  // The next bytes, of any number. After an error, which is one of DecodeRows, every call gives the
  // same one. kUnsupported, besides: a stream whose details come later than the rows that need
  // them (Glint writes none); DecodeRows takes it.
  Error Push(const void* data, size_t size);
  // No more bytes come. kBadStream where the stream is not at its end; the message says how many
  // rows came.
  Error Finish();

  uint32_t rows_given() const;
  bool is_complete() const;  // all rows have come, and the stream is at its end
  const Report& report() const;

 private:
  struct Impl;
  explicit StreamDecoder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct StreamInfo {
  PictureInfo source;    // as it was encoded (without an alpha that was left out)
  PictureInfo output;    // as Decode gives it, with its alpha
  std::string model_id;  // 16 hexadecimal digits
  double lrd = 0;        // of the model's part; 0: of a model of one fixed rate
  bool detail = false;   // it has details
  // Rows of its sections of details whose CRC is wrong; none unless Inspect was to accept them.
  std::vector<RowRange> damaged_rows;
  bool gray = false;  // RGB whose three channels are the same; coded as gray, given as RGB
  uint64_t bytes = 0;
  struct Chunk {
    char type;
    uint64_t offset, bytes;
  };
  std::vector<Chunk> chunks;
  Metadata metadata;
};
// Reads headers and checks every CRC without a model; `damaged_details`: but not those of details.
GLINT_API Expected<StreamInfo> Inspect(const void* stream, size_t size, const Limits& limits = {},
                                       bool damaged_details = false);
// Does a file begin like a Glint stream?
GLINT_API bool IsStream(const void* data, size_t size);

// ---- memory of yours ---------------------------------------------------------------------------

// Where the library's large memory comes from: weights, rows, latents, pictures inside of calls,
// which is all that grows with models and pictures but streams, metadata and the samples of a
// Picture. These come from operator new, which a program may replace. Both functions may be called
// by any thread, several at once.
struct Allocator {
  // `alignment`: a power of two. nullptr where there is none: the call gives kLimit.
  void* (*allocate)(void* opaque, size_t size, size_t alignment) = nullptr;
  void (*release)(void* opaque, void* memory) = nullptr;
  void* opaque = nullptr;
};
// Process-wide; call while no other thread is in a call. Memory goes back to the Allocator that it
// came from, which must live as long. Without functions: as it was in the beginning.
// kInvalidArgument for one function without the other.
GLINT_API Error SetAllocator(const Allocator& allocator);

// ---- targets -----------------------------------------------------------------------------------

GLINT_API std::vector<std::string> SupportedTargets();  // SIMD targets, best first
GLINT_API std::string CurrentTarget();
// Process-wide; call before models are loaded. "": best. A name that is not supported changes
// nothing.
GLINT_API Error SetTarget(const std::string& name);
// Multiply-adds a second that one thread can do at most with the products of a kernel that is
// called so (LayerProfile::kernel), on the current target. LayerProfile::macs / seconds, by the
// number of threads, is a part of that. Measured for some 50 ms whenever it is called: ask when the
// machine is quiet.
GLINT_API double MeasurePeak(const std::string& kernel);

}  // namespace glint

#endif  // GLINT_GLINT_HPP_
