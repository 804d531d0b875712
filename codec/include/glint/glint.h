/* Glint's C interface (C11; also C++): load a model, encode and decode pictures, inspect streams.
 * A thin layer over glint.hpp with the same results, bit for bit.
 *
 *   glint_model* model = NULL;
 *   glint_picture* picture = NULL;
 *   glint_error error;
 *   if (glint_model_load("light-fp32.safetensors", &model, &error) != GLINT_OK ||
 *       glint_decode(model, stream, stream_size, NULL, &picture, &error) != GLINT_OK) {
 *     puts(error.message);
 *   }
 *   glint_picture_free(picture);
 *   glint_model_free(model);
 *
 * Errors. Every function that can fail returns a glint_status and does nothing else about a
 * failure: nothing is thrown, printed or aborted, and there is no global error. Where the last
 * parameter is a glint_error*, it gets the status and a text; NULL where you want none. A NULL
 * where an argument is needed, and only there, is GLINT_INVALID_ARGUMENT. After a failure handles
 * and buffers that the function would have given are NULL (sizes 0). Out of memory is GLINT_LIMIT.
 *
 * Ownership. What you pass in stays yours and is used during the call only. A handle that you get
 * through a pointer to a non-const pointer is yours: free it with the function of its type. What is
 * const belongs to the handle that you asked, and lives as long as that. All free functions take
 * NULL.
 *
 * Text. Strings are UTF-8 and end with NUL; paths are passed to the system as they are.
 *
 * Threads. Functions may be called at the same time from any threads. A glint_model is immutable
 * and may be used by many threads at once, so may every handle that you only read; free or change a
 * handle while no other thread uses it. Callbacks are called on the thread that made the call, but
 * for the runner's tasks. They must return: neither throw nor longjmp.
 *
 * Versions. Structs with a struct_size grow at their end in later versions, the others never
 * change. Give every function the size that you were compiled with: *_init does it. A smaller size
 * is an older caller: the options that it does not have get their defaults, and of results it gets
 * what it has room for. A larger size is a newer caller: options beyond those known here must be 0
 * (*_init sets them to 0), else GLINT_UNSUPPORTED; results beyond become 0. A size below
 * sizeof(size_t) or above 4096 is a struct that was never initialised: GLINT_INVALID_ARGUMENT. */
#ifndef GLINT_GLINT_H_
#define GLINT_GLINT_H_

#include <stddef.h>
#include <stdint.h>

#include "glint/version.h"

#if defined(GLINT_STATIC) || !defined(__GNUC__)
#define GLINT_API
#else
#define GLINT_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The library's version, "1.0.0". Never NULL, lives for ever. */
GLINT_API const char* glint_version(void);

/* ---- errors ---------------------------------------------------------------------------------- */

typedef enum glint_status {
  GLINT_OK = 0,
  GLINT_INVALID_ARGUMENT = 1, /* options or sizes of the caller */
  GLINT_NOT_FOUND = 2,        /* a file does not exist or cannot be opened */
  GLINT_IO = 3,               /* reading failed midway, or what was opened is no file */
  GLINT_BAD_MODEL = 4,        /* a model file that breaks its rules */
  GLINT_BAD_STREAM = 5,       /* a damaged or truncated stream */
  GLINT_WRONG_MODEL = 6,      /* a sound stream that was made with another model */
  GLINT_BAD_IMAGE = 7,        /* a picture file that cannot be read; of glint.hpp only */
  GLINT_LIMIT = 8,            /* a limit on pixels or memory would be exceeded */
  GLINT_UNSUPPORTED = 9,      /* sound, but not within what this build does */
  GLINT_CANCELLED = 10,       /* a callback of yours asked to stop */
  GLINT_UNREACHABLE = 11      /* a size or PSNR that no rate of the model gives */
} glint_status;

/* A few words for a status, such as "invalid argument"; "unknown status" for other numbers. Never
 * NULL, lives for ever. */
GLINT_API const char* glint_status_text(glint_status status);

/* Belongs to the caller, needs no initialisation. Written by every function that has one, also on
 * success: GLINT_OK and "". A text that is too long is cut between two characters. */
typedef struct glint_error {
  glint_status status;
  char message[508]; /* with the place and the offending value; ends with NUL */
} glint_error;

/* ---- pictures -------------------------------------------------------------------------------- */

/* Samples are interleaved, rows from top to bottom: 1 (gray) or 3 (RGB) colour channels, then alpha
 * if there is one; uint8_t each, above 8 bits uint16_t in the machine's byte order (any alignment
 * in buffers of yours). Values are 0 .. 2^bit_depth - 1. */
typedef struct glint_picture_info {
  size_t struct_size;
  uint32_t width;     /* pixels, 1 .. 2^31 - 1; default 0, which no picture has */
  uint32_t height;    /* pixels, 1 .. 2^31 - 1; default 0 */
  uint32_t channels;  /* colour channels, 1 or 3; default 3 */
  uint32_t has_alpha; /* 0: no, the default; else yes, 1 where Glint writes it */
  uint32_t bit_depth; /* 8, the default, or 16; gray also 1, 2, 4 (one sample a byte) */
  uint32_t reserved;  /* 0 */
} glint_picture_info;

/* Sets defaults: glint_picture_info_init(&i, sizeof(i)). */
GLINT_API glint_status glint_picture_info_init(glint_picture_info* info, size_t struct_size);

/* Bytes of one row without a gap; 0 for NULL, for channels other than 1 and 3, and for a struct
 * that was not initialised. */
GLINT_API size_t glint_row_bytes(const glint_picture_info* info);

/* What a picture carries besides pixels: ICC profile, EXIF, other small PNG chunks. Kept through
 * coding, byte for byte. */
typedef struct glint_metadata glint_metadata;

/* Empty metadata, for an encoder. Free with glint_metadata_free. Errors: GLINT_LIMIT. */
GLINT_API glint_status glint_metadata_create(glint_metadata** metadata, glint_error* error);
GLINT_API void glint_metadata_free(glint_metadata* metadata);

/* Copies `size` bytes in, in place of what was there; size 0 (data may be NULL) takes it away. The
 * ICC profile is uncompressed, at most 2^26 bytes (the encoder checks that); EXIF begins with its
 * byte order mark, "II" or "MM". Errors: GLINT_LIMIT. */
GLINT_API glint_status glint_metadata_set_icc(glint_metadata* metadata, const void* data,
                                              size_t size, glint_error* error);
GLINT_API glint_status glint_metadata_set_exif(glint_metadata* metadata, const void* data,
                                               size_t size, glint_error* error);

/* Appends a PNG chunk (tEXt, zTXt, iTXt, gAMA, cHRM, sRGB, pHYs, ...): `type` is a string of four
 * letters A-Z, a-z; `size` bytes of content are copied, 0 are possible (data may be NULL). Errors:
 * GLINT_INVALID_ARGUMENT for another type, GLINT_LIMIT. */
GLINT_API glint_status glint_metadata_add_chunk(glint_metadata* metadata, const char* type,
                                                const void* data, size_t size, glint_error* error);

/* Where the bytes lie; NULL and 0 when there are none. They live until the metadata are changed or
 * freed. */
GLINT_API glint_status glint_metadata_get_icc(const glint_metadata* metadata, const uint8_t** data,
                                              size_t* size);
GLINT_API glint_status glint_metadata_get_exif(const glint_metadata* metadata, const uint8_t** data,
                                               size_t* size);

/* The other chunks in their order: how many, and number `index` (0 .. count - 1), whose type is a
 * string of four letters. They live until the metadata are changed or freed. */
GLINT_API glint_status glint_metadata_get_chunk_count(const glint_metadata* metadata,
                                                      size_t* count);
GLINT_API glint_status glint_metadata_get_chunk(const glint_metadata* metadata, size_t index,
                                                const char** type, const uint8_t** data,
                                                size_t* size);

/* Kinds of metadata, as bits of a set. */
enum {
  GLINT_METADATA_ICC = 1,  /* what colours mean: the profile, gAMA, cHRM, sRGB, cICP, mDCV, cLLI */
  GLINT_METADATA_EXIF = 2, /* EXIF, and texts "Raw profile type exif" or "APP1" */
  GLINT_METADATA_XMP = 4,  /* iTXt "XML:com.adobe.xmp", and texts "Raw profile type xmp" */
  GLINT_METADATA_TEXT = 8, /* all other tEXt, zTXt and iTXt */
  GLINT_METADATA_OTHER = 16, /* chunks of other types: pHYs, tIME, oFFs, ... */
  GLINT_METADATA_ALL = 31
};

/* Keeps metadata of `kinds`, an "or" of GLINT_METADATA_*, and removes all others. Errors:
 * GLINT_LIMIT. */
GLINT_API glint_status glint_metadata_keep(glint_metadata* metadata, uint32_t kinds);
/* Bytes of the metadata whose kind is among `kinds`, not packed. */
GLINT_API glint_status glint_metadata_get_size(const glint_metadata* metadata, uint32_t kinds,
                                               uint64_t* bytes);

/* What colours mean where no ICC profile says it, in HDR above all: code points of ITU-T H.273, the
 * display that a picture was made on (SMPTE ST 2086) and how bright it is (CTA-861.3). They are
 * the PNG chunks cICP, mDCV and cLLI among the metadata. Samples here are always RGB or gray. */
typedef struct glint_colour {
  size_t struct_size;
  uint32_t has_cicp;   /* 1: the next three fields count; default 0 */
  uint32_t primaries;  /* 1: BT.709 and sRGB, 9: BT.2020, 12: Display P3, 2: not known; default 2 */
  uint32_t transfer;   /* 13: sRGB, 16: PQ, 18: HLG, 2: not known; default 2 */
  uint32_t full_range; /* 0: samples have the range of video; default 1 */
  uint32_t has_display; /* 1: the next fields of a display count; default 0 */
  uint32_t has_light;   /* 1: the last two fields count; default 0 */
  double red[2];        /* x and y of CIE 1931, 0 .. 1.3107, in steps of 0.00002 */
  double green[2];
  double blue[2];
  double white[2];
  double max_luminance; /* cd/m2, below 429496.7296, in steps of 0.0001; as the three below */
  double min_luminance;
  double max_content_light; /* 0: not known */
  double max_frame_average_light;
} glint_colour;

/* Sets defaults: glint_colour_init(&c, sizeof(c)). */
GLINT_API glint_status glint_colour_init(glint_colour* colour, size_t struct_size);
/* What is damaged is not there. Of several chunks of a type the first counts. */
GLINT_API glint_status glint_metadata_get_colour(const glint_metadata* metadata,
                                                 glint_colour* colour);
/* In place of what was there, each rounded to its nearest step. Errors: GLINT_INVALID_ARGUMENT
 * where a number is beyond what its chunk can hold, GLINT_LIMIT; then nothing changes. */
GLINT_API glint_status glint_metadata_set_colour(glint_metadata* metadata,
                                                 const glint_colour* colour, glint_error* error);

/* A decoded picture; immutable. */
typedef struct glint_picture glint_picture;

GLINT_API void glint_picture_free(glint_picture* picture);
GLINT_API glint_status glint_picture_get_info(const glint_picture* picture,
                                              glint_picture_info* info);
/* height * glint_row_bytes(info) bytes without gaps, aligned for uint16_t. */
GLINT_API glint_status glint_picture_get_samples(const glint_picture* picture, const void** samples,
                                                 size_t* size);
/* Never NULL; can be given to glint_encode. */
GLINT_API glint_status glint_picture_get_metadata(const glint_picture* picture,
                                                  const glint_metadata** metadata);

/* ---- models ---------------------------------------------------------------------------------- */

/* A loaded model: immutable, for any number of threads and calls at once. */
typedef struct glint_model glint_model;

/* Loads a model file (docs/MODEL_FORMAT.md), checks all of it and prepares it for the current SIMD
 * target. Files below 64 MiB are read, and may change afterwards; larger ones are mapped, see
 * glint_model_access. Errors: GLINT_NOT_FOUND, GLINT_IO, GLINT_BAD_MODEL, GLINT_UNSUPPORTED,
 * GLINT_LIMIT. */
GLINT_API glint_status glint_model_load(const char* path, glint_model** model, glint_error* error);

/* The same from `size` bytes of memory, which are copied. `name` stands in messages; NULL for
 * "memory". Errors: GLINT_BAD_MODEL, GLINT_UNSUPPORTED, GLINT_LIMIT. */
GLINT_API glint_status glint_model_from_memory(const void* data, size_t size, const char* name,
                                               glint_model** model, glint_error* error);

/* Does task(arg, index, worker) once for every index in [0, count), in any order and on any
 * threads, and returns when all are done. Tasks that run at the same time have different worker
 * numbers in [0, workers). */
typedef void (*glint_run_fn)(void* opaque, size_t count,
                             void (*task)(void* arg, size_t index, size_t worker), void* arg);

/* A thread pool of yours. run NULL: one of Glint's own, with `threads` threads, for the call. */
typedef struct glint_runner {
  glint_run_fn run;
  void* opaque;
  size_t workers; /* at least 1 where there is a run */
} glint_runner;

/* Threads that stay between calls, for programs that code many pictures: making them takes longer
 * than a small picture has time for. */
typedef struct glint_session glint_session;

/* `threads`: 0 .. 1024; 0: as many as the machine has. Free with glint_session_free, after the last
 * call that has its runner. Errors: GLINT_INVALID_ARGUMENT, GLINT_LIMIT. */
GLINT_API glint_status glint_session_create(int32_t threads, glint_session** session,
                                            glint_error* error);
GLINT_API void glint_session_free(glint_session* session);
/* Sets the runner of options, as long as the session lives. Several calls may have it at once: the
 * threads help one of them at a time, and the others work alone. */
GLINT_API glint_status glint_session_get_runner(const glint_session* session, glint_runner* runner);

/* `done` is 0 .. 1 and never falls. Nonzero to go on, 0 to stop (GLINT_CANCELLED). */
typedef int (*glint_progress_fn)(void* opaque, double done);

/* A line about a call when it ends, for a log: what it made, or why not; without a line break. For
 * people: words and order change between versions. Lives during the callback, which is called on
 * the caller's thread. */
typedef void (*glint_log_fn)(void* opaque, const char* line);

/* How a model gets at its file. One that was read may change or go as soon as the model is loaded.
 * One that is mapped must not change while the model lives: what is written to it is seen by the
 * model, and where it is cut off the process ends with SIGBUS. */
typedef enum glint_model_access {
  GLINT_ACCESS_MAP_LARGE = 0, /* read; mapped from 64 MiB on */
  GLINT_ACCESS_READ = 1,      /* always read */
  GLINT_ACCESS_MAP = 2        /* always mapped, where the system can */
} glint_model_access;

typedef struct glint_load_options {
  size_t struct_size;
  int32_t threads; /* 1 .. 1024; 0: as many as the machine has. Default 1. They are gone when the
                    * model is loaded */
  uint32_t access; /* a glint_model_access, of files; default GLINT_ACCESS_MAP_LARGE */
  glint_runner runner; /* default none */
  /* Bytes that the model may take, loading included: the file where it is read, its weights as
   * kernels want them, and those of what an effort follows, when it is first asked for. Beyond:
   * GLINT_LIMIT. Default 2^30. */
  uint64_t max_memory;
  /* Default NULL: none. Called with every few MiB and every layer, by one thread at a time; with
   * `threads` or a runner not always by the caller's. */
  glint_progress_fn progress;
  void* progress_opaque;
  glint_log_fn log; /* default NULL: none */
  void* log_opaque;
} glint_load_options;

/* Sets defaults: glint_load_options_init(&o, sizeof(o)). */
GLINT_API glint_status glint_load_options_init(glint_load_options* options, size_t struct_size);

/* The two above with options; NULL: the defaults. Errors, beside those above:
 * GLINT_INVALID_ARGUMENT where options are wrong, GLINT_CANCELLED. */
GLINT_API glint_status glint_model_load_with(const char* path, const glint_load_options* options,
                                             glint_model** model, glint_error* error);
GLINT_API glint_status glint_model_from_memory_with(const void* data, size_t size, const char* name,
                                                    const glint_load_options* options,
                                                    glint_model** model, glint_error* error);
GLINT_API void glint_model_free(glint_model* model);

/* Strings belong to the model. */
typedef struct glint_model_info {
  size_t struct_size;
  const char* name;         /* "light" */
  const char* form;         /* "fp32" */
  const char* architecture; /* "light" */
  const char* provenance;   /* where it comes from, JSON */
  const char* id;           /* 16 hexadecimal digits; streams name their model by it */
  uint64_t file_bytes;
  uint64_t parameters; /* numbers in all weights */
  double load_seconds;
  double lrd_min; /* the rates that it takes, ... (all five 0: the model has one fixed rate) */
  double lrd_max;
  double lrd_default;       /* ... the one when nothing is chosen, ... */
  double lrd_suggested_min; /* ... and the range that it was trained for */
  double lrd_suggested_max;
  /* What lrd may be with details (glint_encode_options.detail other than GLINT_DETAIL_OFF), and
   * what it is when nothing is chosen; also of a model of one fixed rate, whose details have one
   * all the same. */
  double detail_lrd_min;
  double detail_lrd_max;
  double detail_lrd_default;
  /* Of 2, 4 and 8, the sum of those values of glint_decode_options.shrink that save time: the model
   * has graphs for them. */
  uint32_t shrinks;
  uint32_t reserved; /* 0 */
} glint_model_info;

/* Zeros `struct_size` bytes and sets the first field: glint_model_info_init(&i, sizeof(i)). */
GLINT_API glint_status glint_model_info_init(glint_model_info* info, size_t struct_size);
GLINT_API glint_status glint_model_get_info(const glint_model* model, glint_model_info* info);

/* The plan of every graph as text for people; free with glint_free. Errors: GLINT_LIMIT. */
GLINT_API glint_status glint_model_explain(const glint_model* model, char** text,
                                           glint_error* error);

/* ---- options and report ---------------------------------------------------------------------- */

/* Where time went, layer by layer, after a call that succeeded: `stage` is "g_a", "h_s", ...,
 * `name` the fused nodes, `macs` the multiply-adds done, `seconds` wall clock. Strings live during
 * the callback. */
typedef void (*glint_layer_fn)(void* opaque, const char* stage, const char* name,
                               const char* kernel, double macs, double seconds);

/* What a call did. Seconds are of wall clock. */
typedef struct glint_report {
  size_t struct_size;
  double analysis_seconds;  /* g_a */
  double hyper_seconds;     /* h_a, h_s */
  double context_seconds;   /* contexts and parameter networks */
  double entropy_seconds;   /* rANS */
  double synthesis_seconds; /* g_s */
  double total_seconds;     /* the whole call */
  double estimated_bits;    /* encoding: of all symbols under the model's tables */
  uint64_t symbols;
  uint64_t planned_bytes; /* working memory, and when encoding what came out */
  uint32_t latent_crc;    /* CRC-32 over the CRCs of all segments' latents */
  uint32_t reserved;
  /* encoding: values of y and z that are beyond what 16 bits of fixed point hold; they are coded as
   * the nearest value that is not */
  uint64_t saturated_latents;
  double detail_seconds; /* the detail layer */
  uint64_t detail_bytes; /* of its chunks' payloads */
  /* encoding: blocks of 64 x 64 pixels, the last of a row or column smaller; those that are coded
   * as transformed differences and as pixels; and those that look drawn and that the model saw as a
   * plain colour */
  uint64_t detail_blocks;
  uint64_t detail_transform_blocks;
  uint64_t detail_pixel_blocks;
  uint64_t detail_plain_blocks;
  /* encoding: mean squared error of colour samples (in levels) without details and with them, on
   * this machine */
  double detail_base_error;
  double detail_error;
  uint64_t detail_damaged_sections; /* decoding: of 1024 rows, left out */
  double effort_seconds; /* encoding: the search for better symbols (glint_encode_options.effort) */
} glint_report;

/* Zeros `struct_size` bytes and sets the first field: glint_report_init(&r, sizeof(r)). */
GLINT_API glint_status glint_report_init(glint_report* report, size_t struct_size);

/* The detail layer: what the model's picture lacks, coded after it in blocks of 64 x 64 pixels,
 * each as its difference transformed, as its pixels, or not at all. */
enum {
  GLINT_DETAIL_AUTO = 0, /* each block as squared error and bits weigh it: perhaps none */
  GLINT_DETAIL_OFF = 1,  /* none, and nothing is spent on looking for them */
  GLINT_DETAIL_ON = 2    /* every block has details */
};

typedef struct glint_encode_options {
  size_t struct_size;
  double lrd;                 /* rate, detail_lrd_min .. detail_lrd_max of the model, or with
                               * GLINT_DETAIL_OFF lrd_min .. lrd_max; more is more bits; 0: its default.
                               * One number for model and details: up to lrd_suggested_max of the model
                               * both follow it; above, the model stays there and details grow. A model
                               * of one fixed rate stays as it is at any lrd, and takes none but 0
                               * without details */
  int32_t threads;            /* 1 .. 1024; 0: as many as the machine has. Default 1 */
  int32_t band_rows;          /* picture rows per band; 0: chosen; more than 65536 count as so many.
                               * Results do not depend on it */
  uint64_t max_pixels;        /* width * height at most. Default 2^30 */
  uint64_t max_memory;        /* bytes that the call may allocate. Default 2^32 */
  glint_runner runner;        /* default none */
  glint_progress_fn progress; /* default NULL: none */
  void* progress_opaque;
  glint_layer_fn layer; /* default NULL: nothing is measured per layer */
  void* layer_opaque;
  glint_report* report; /* default NULL; written when the call ends, also by an error */
  /* Default 0: what nobody sees is not kept. Pixels with an alpha of 0 get colours that continue
   * what is visible around them, or black where errors have a limit (all others stay exactly what
   * they are), and an alpha channel that
   * is opaque everywhere is left out: the stream decodes to a picture without alpha. The encoder
   * then reads up to 48 rows ahead. 1: alpha and the colours under it are coded as they are. */
  uint32_t exact;
  uint32_t detail; /* GLINT_DETAIL_*, default GLINT_DETAIL_AUTO */
  /* 0 .. 127: no sample of 8 bits or fewer is further off than this, with 0 none at all, whatever
   * the model and the machine (colours under an alpha of 0 only with `exact`); lrd must be 0, and
   * detail not GLINT_DETAIL_OFF. Default -1: errors have no limit. */
  int32_t max_error;
  /* Default 0. 1: max_error 0 and `exact`, so everything comes back. Pictures of 16 bits are
   * GLINT_INVALID_ARGUMENT. */
  uint32_t lossless;
  /* 0 .. 9: how long the encoder looks for better symbols, after it has seen what would be decoded;
   * default 0: not at all. Decoders know nothing of it. More effort is less squared error for the
   * same bits, and what 9 takes is one to two hundred times as long as encoding without. The
   * picture and its latents are then in memory as a whole, 9 bytes a pixel with light, and the
   * gradient's rows, up to 40 kB a column. Without effect where errors have a limit.
   * GLINT_UNSUPPORTED where the model's g_s has no gradient here, or the file does not say for what
   * lambda it was trained. */
  int32_t effort;
  uint32_t reserved; /* 0 */
  glint_log_fn log;  /* default NULL: none */
  void* log_opaque;
} glint_encode_options;

/* What becomes of a stream's alpha channel. Without effect where there is none. */
enum {
  GLINT_ALPHA_KEEP = 0,
  GLINT_ALPHA_DROP = 1, /* left out; colours stay, also where they were hidden */
  GLINT_ALPHA_BLEND = 2 /* blended over the background */
};

/* What becomes of a stream's details. Without effect where there are none. */
enum {
  GLINT_DETAIL_DECODE = 0,      /* all of them; damage is an error */
  GLINT_DETAIL_SKIP = 1,        /* left out: a preview, made sooner */
  GLINT_DETAIL_SKIP_DAMAGED = 2 /* those of damaged sections are left out; the report counts them */
};

/* A row of y, the latents that the synthesis reads, as it was decoded: `columns` times `channels`
 * numbers, whose value is an integer / 2^fraction_bits. The same on every machine. */
typedef struct glint_latent_row {
  uint32_t y;
  uint32_t rows; /* of all y */
  uint32_t columns;
  uint32_t channels;
  int32_t fraction_bits;
  uint32_t reserved;
  const int16_t* values; /* there until the callback returns */
} glint_latent_row;

/* Nonzero to go on, 0 to stop (GLINT_CANCELLED). */
typedef int (*glint_latents_fn)(void* opaque, const glint_latent_row* row);

typedef struct glint_decode_options {
  size_t struct_size;
  int32_t threads; /* as in glint_encode_options, all of them */
  int32_t band_rows;
  uint64_t max_pixels;
  uint64_t max_memory;
  glint_runner runner;
  glint_progress_fn progress;
  void* progress_opaque;
  glint_layer_fn layer;
  void* layer_opaque;
  glint_report* report;
  /* GLINT_ALPHA_*, default GLINT_ALPHA_KEEP. With the others pictures come without alpha and with 8
   * bits at most. Blending is done on the samples as they are, whatever the profile says (browsers
   * do the same): colour * alpha + background * (1 - alpha), rounded to 8 bits. Gray over a
   * background of colour comes as RGB. */
  uint32_t alpha;
  uint32_t background; /* 0xRRGGBB, default 0xFFFFFF */
  uint32_t detail;   /* GLINT_DETAIL_DECODE, _SKIP or _SKIP_DAMAGED, default GLINT_DETAIL_DECODE */
  uint32_t reserved; /* 0 */
  /* Gets every row of the latents, from top to bottom, each before the pixels that need it. Default
   * NULL: none. */
  glint_latents_fn latents;
  void* latents_opaque;
  /* Only this part of the picture is made, and is the picture that comes: pixels [x, x + width) of
   * rows [y, y + height), within it. Default 0 x 0: all. What lies below it is not decoded, and
   * beside and above it only latents, and with details all of the 1024 rows that each section has.
   * The pixels are those of the whole; of models in FP32 and FP16 a few may differ by a level. */
  uint32_t crop_x;
  uint32_t crop_y;
  uint32_t crop_width;
  uint32_t crop_height;
  /* 1: pictures that had 16 bits come with 16, which are the model's picture before it is rounded
   * to 8. Where details change a sample of 8 bits, the sample is theirs. Of integer models the same
   * on every machine. Without effect on pictures of fewer bits, and where alpha is left out or
   * blended. Default 0. glint_decode_pixels does so by itself where the buffer has more than 8
   * bits. */
  uint32_t deep;
  /* 1, 2, 4 or 8 (0 is 1, the default): the picture with so many times fewer columns and rows,
   * rounded up, as if each of its pixels were the mean of a square of the whole picture's, colours
   * weighted by their alpha; the crop is then of this picture. Where the model has a graph for it
   * (glint_model_info.shrinks), the picture is near those means (docs/QUANTISATION.md says how
   * near), no more of the whole is made than y, and of integer models it is the same on every
   * machine. Where the graph reads the first channels of y alone, the rest of each segment is not
   * decoded and the CRC of its latents cannot be checked: what another encoder wrote wrong may then
   * go unseen. The means themselves are made, which takes as long as the whole, where there is no
   * such graph; of pictures with alpha, unless that is dropped; and of a stream with details
   * without which the picture might lack something, as text and drawings would, and as everything
   * would where errors have a limit (it has no chunk 'b', docs/BITSTREAM.md), unless `detail` is
   * GLINT_DETAIL_SKIP. */
  uint32_t shrink;
  glint_log_fn log; /* default NULL: none */
  void* log_opaque;
} glint_decode_options;

/* Sets every option to its default: glint_encode_options_init(&o, sizeof(o)). */
GLINT_API glint_status glint_encode_options_init(glint_encode_options* options, size_t struct_size);
GLINT_API glint_status glint_decode_options_init(glint_decode_options* options, size_t struct_size);

/* ---- encoding -------------------------------------------------------------------------------- */

/* Frees streams and texts that a function gave through uint8_t** or char**. */
GLINT_API void glint_free(void* buffer);

/* Encodes a picture that lies whole in memory.
 *   samples      rows as glint_picture_info says, `row_stride` bytes from one to the next; 0: no
 *                gaps. The last row needs glint_row_bytes(info) bytes only.
 *   metadata     NULL: none.
 *   options      NULL: defaults.
 *   stream       gets `*stream_size` bytes; free with glint_free.
 * Errors: GLINT_INVALID_ARGUMENT (sizes, stride, options, metadata), GLINT_LIMIT, GLINT_UNSUPPORTED
 * (options of a newer version; a model that takes no effort), GLINT_CANCELLED. */
GLINT_API glint_status glint_encode(const glint_model* model, const glint_picture_info* info,
                                    const void* samples, size_t row_stride,
                                    const glint_metadata* metadata,
                                    const glint_encode_options* options, uint8_t** stream,
                                    size_t* stream_size, glint_error* error);

/* Writes row `y` (from 0 on, each once, in order) to `row`: glint_row_bytes(info) bytes, aligned
 * for uint16_t. Nonzero to go on, 0 to stop (GLINT_CANCELLED). */
typedef int (*glint_read_row_fn)(void* opaque, uint32_t y, void* row);

/* As glint_encode, with rows by callback: the picture is never whole in memory. `metadata` is
 * looked at after the last row: a callback may complete it until then. */
GLINT_API glint_status glint_encode_rows(const glint_model* model, const glint_picture_info* info,
                                         glint_read_row_fn read, void* opaque,
                                         const glint_metadata* metadata,
                                         const glint_encode_options* options, uint8_t** stream,
                                         size_t* stream_size, glint_error* error);

/* ---- choosing the rate ----------------------------------------------------------------------- */

/* The lrd (glint_encode_options) of a quality from 0, the lowest rate of the model with its
 * details, to 100, the highest. For the models that come with Glint equal steps of quality are
 * equal steps of the mean PSNR of the Kodak pictures, to within 15 %. For others steps of log lrd
 * are equal up to the default, and equal above it, of a size that PSNR grows about as much with
 * either. Errors: GLINT_INVALID_ARGUMENT for a quality outside of 0 .. 100 or no number. */
GLINT_API glint_status glint_lrd_of_quality(const glint_model* model, double quality, double* lrd,
                                            glint_error* error);
/* The same for an encoding with these options; NULL: defaults. Of them only what they say of
 * details counts. Without details 0 and 100 are the model's own lowest and highest rate, for models
 * that do not come with Glint all steps of log lrd are equal, and a model of one fixed rate is
 * GLINT_UNSUPPORTED. */
GLINT_API glint_status glint_lrd_of_quality_with(const glint_model* model, double quality,
                                                 const glint_encode_options* options, double* lrd,
                                                 glint_error* error);

enum {
  GLINT_TARGET_BYTES = 1,          /* the whole stream has so many at most */
  GLINT_TARGET_BITS_PER_PIXEL = 2, /* the same, in bits for each pixel of the picture */
  GLINT_TARGET_PSNR = 3            /* dB at least, over RGB in 8 bits */
};

typedef struct glint_target {
  uint32_t kind; /* GLINT_TARGET_... */
  uint32_t reserved;
  double value; /* positive and finite */
} glint_target;

typedef struct glint_target_result {
  size_t struct_size;
  double lrd;  /* glint_encode with this lrd gives the same bytes; five significant digits at most
                  unless it is the lowest or highest that is possible */
  double psnr; /* dB; infinity when nothing is lost; 0 when the target is no PSNR */
  uint32_t probes; /* how many times the picture was encoded, 1 .. 8 */
  uint32_t reserved;
} glint_target_result;

/* Zeros `struct_size` bytes and sets the first field: glint_target_result_init(&r, sizeof(r)). */
GLINT_API glint_status glint_target_result_init(glint_target_result* result, size_t struct_size);

/* As glint_encode, at several rates, 8 at most; gives the best stream that is not beyond the
 * target: the largest that is not larger, or the smallest whose PSNR is not less. The search ends
 * when a stream is within 1 % or 16 bytes of a size, or within 0.05 dB of a PSNR; where size or
 * PSNR jump as the rate moves, it may end further off. Rates are those of model and details
 * together, or of the model alone where options say that there are no details. A size that not even
 * the highest rate fills gives that rate; a PSNR below that of the lowest rate gives the lowest
 * rate. PSNR is of this machine's decoder; another may differ in the third digit after the point.
 *   options      lrd must be 0, and errors must have no limit. `effort` is that of each encoding.
 *                `max_memory` holds for each encoding and decoding and what is kept beside it.
 *                `progress` runs over the whole search, and ends early when fewer probes are
 *                needed. `layer` and `report` are told of the encoding whose stream came out.
 *   result       NULL: not wanted.
 * Errors: as glint_encode; GLINT_UNREACHABLE when even the lowest rate is larger, or no rate that
 * was tried reaches the PSNR: the message says what can be reached, with its lrd;
 * GLINT_INVALID_ARGUMENT for a kind, a value or options not as above; GLINT_UNSUPPORTED for a model
 * of one fixed rate without details. */
GLINT_API glint_status glint_encode_to_target(const glint_model* model,
                                              const glint_picture_info* info, const void* samples,
                                              size_t row_stride, const glint_metadata* metadata,
                                              const glint_target* target,
                                              const glint_encode_options* options, uint8_t** stream,
                                              size_t* stream_size, glint_target_result* result,
                                              glint_error* error);

/* The same, with rows by callback, all of them for each probe, and once more where PSNR is
 * measured: `y` begins at 0 again, and the rows must be the same each time. `metadata` is looked at
 * after the last row of each pass. */
GLINT_API glint_status glint_encode_rows_to_target(
    const glint_model* model, const glint_picture_info* info, glint_read_row_fn read, void* opaque,
    const glint_metadata* metadata, const glint_target* target, const glint_encode_options* options,
    uint8_t** stream, size_t* stream_size, glint_target_result* result, glint_error* error);

/* ---- decoding -------------------------------------------------------------------------------- */

/* Decodes a whole stream to a picture; free it with glint_picture_free. Colour comes in 8 bits at
 * most; beside an alpha of 16 bits all samples are 16-bit. options NULL: defaults. Errors:
 * GLINT_BAD_STREAM, GLINT_WRONG_MODEL, GLINT_LIMIT, GLINT_UNSUPPORTED, GLINT_INVALID_ARGUMENT,
 * GLINT_CANCELLED. */
GLINT_API glint_status glint_decode(const glint_model* model, const void* stream,
                                    size_t stream_size, const glint_decode_options* options,
                                    glint_picture** picture, glint_error* error);

/* As glint_decode, into your buffer of `samples_size` bytes, rows `row_stride` bytes apart (0: no
 * gaps; what lies between rows is left alone). glint_stream_get_output tells beforehand what comes,
 * unless options change it. `info`, where not NULL, gets what came. A stride below
 * glint_row_bytes or a buffer below (height - 1) * row_stride + glint_row_bytes is
 * GLINT_INVALID_ARGUMENT, and nothing is written to samples; after other errors their content is
 * undefined. */
GLINT_API glint_status glint_decode_into(const glint_model* model, const void* stream,
                                         size_t stream_size, const glint_decode_options* options,
                                         void* samples, size_t samples_size, size_t row_stride,
                                         glint_picture_info* info, glint_error* error);

/* Called once before the first row. `info` and `metadata` live during the callback. Nonzero to go
 * on, 0 to stop (GLINT_CANCELLED). */
typedef int (*glint_start_fn)(void* opaque, const glint_picture_info* info,
                              const glint_metadata* metadata);
/* Takes row `y` (from 0 on, each once, in order): glint_row_bytes(info) bytes, aligned for
 * uint16_t, which live during the callback. Nonzero to go on, 0 to stop (GLINT_CANCELLED). */
typedef int (*glint_write_row_fn)(void* opaque, uint32_t y, const void* row);

/* As glint_decode, with rows by callback: the picture is never whole in memory. `start` may be
 * NULL. Rows come before the end of the stream is decoded: after an error throw them away. */
GLINT_API glint_status glint_decode_rows(const glint_model* model, const void* stream,
                                         size_t stream_size, const glint_decode_options* options,
                                         glint_start_fn start, glint_write_row_fn write,
                                         void* opaque, glint_error* error);

/* The latents that a picture of this size has: glint_decode_options.latents gives them,
 * glint_synthesise_rows takes them. */
typedef struct glint_latent_shape {
  uint32_t rows;
  uint32_t columns;
  uint32_t channels;
  int32_t fraction_bits;
} glint_latent_shape;

/* Of `info` width and height count; the rest must be a picture's without alpha. Errors:
 * GLINT_INVALID_ARGUMENT, GLINT_LIMIT. */
GLINT_API glint_status glint_model_get_latent_shape(const glint_model* model,
                                                    const glint_picture_info* info,
                                                    glint_latent_shape* shape, glint_error* error);

/* Writes row `y` of the latents (from 0 on, each once, in order) to `values`: columns x channels
 * numbers, each an integer / 2^fraction_bits. Nonzero to go on, 0 to stop (GLINT_CANCELLED). */
typedef int (*glint_read_latents_fn)(void* opaque, uint32_t y, int16_t* values);

/* The second half of decoding, for latents that come from elsewhere: changed ones, mixtures, those
 * that another program coded. `info` says what comes out: gray or RGB without alpha, of 8 bits at
 * most or of 16, as glint_decode_options.deep has them. `lrd`: the rate that the latents are of, 0:
 * the model's default. A stream's own latents give its picture without details. Of the options
 * (NULL: defaults) threads, runner, band_rows, limits, progress, layer and report count. Errors:
 * GLINT_INVALID_ARGUMENT, GLINT_LIMIT, GLINT_CANCELLED, GLINT_UNSUPPORTED. */
GLINT_API glint_status glint_synthesise_rows(const glint_model* model,
                                             const glint_picture_info* info, double lrd,
                                             glint_read_latents_fn read, glint_write_row_fn write,
                                             void* opaque, const glint_decode_options* options,
                                             glint_error* error);

/* A stream that is decoded while its bytes come, as from a network. Each row comes as soon as the
 * bytes suffice for it; the first ones when those are there that tell whether the picture has
 * details. Rows that came before a stream turned out to be damaged or cut short are as they should
 * be. One thread at a time. */
typedef struct glint_stream_decoder glint_stream_decoder;

/* `start` and `write` are called during glint_stream_decoder_push, with `opaque`; `start` may be
 * NULL. Metadata that lie behind the first segment of the stream come too late for it (Glint writes
 * none there). Options are copied, their report is written by glint_stream_decoder_finish; bytes
 * that wait count against max_memory. The model may be freed before the decoder. Free it with
 * glint_stream_decoder_free. Errors: GLINT_INVALID_ARGUMENT, GLINT_UNSUPPORTED, GLINT_LIMIT. */
GLINT_API glint_status glint_stream_decoder_create(const glint_model* model,
                                                   const glint_decode_options* options,
                                                   glint_start_fn start, glint_write_row_fn write,
                                                   void* opaque, glint_stream_decoder** decoder,
                                                   glint_error* error);
GLINT_API void glint_stream_decoder_free(glint_stream_decoder* decoder);

/* The next bytes, of any number. After an error, which is one of glint_decode, every call gives the
 * same one. GLINT_UNSUPPORTED, besides: a stream whose details come later than the rows that need
 * them (Glint writes none); glint_decode takes it. */
GLINT_API glint_status glint_stream_decoder_push(glint_stream_decoder* decoder, const void* data,
                                                 size_t size, glint_error* error);
/* No more bytes come. GLINT_BAD_STREAM where the stream is not at its end; the message says how
 * many rows came. */
GLINT_API glint_status glint_stream_decoder_finish(glint_stream_decoder* decoder,
                                                   glint_error* error);

/* ---- pixels in buffers of yours -------------------------------------------------------------- */

/* Interleaved formats have samples in this order, of 8 or 16 bits; X is not read, and written as
 * the greatest value. YUV has planes of Y, U (Cb) and V (Cr), of 8, 10, 12 or 16 bits; those of U
 * and V of YUV420 have half the columns and rows, rounded up. */
enum {
  GLINT_PIXELS_GRAY = 0,
  GLINT_PIXELS_RGB = 1,
  GLINT_PIXELS_BGR = 2,
  GLINT_PIXELS_RGBA = 3,
  GLINT_PIXELS_BGRA = 4,
  GLINT_PIXELS_RGBX = 5,
  GLINT_PIXELS_BGRX = 6,
  GLINT_PIXELS_YUV444 = 7,
  GLINT_PIXELS_YUV420 = 8
};

/* Y = Kr R + (1 - Kr - Kb) G + Kb B, U = (B - Y) / (2 - 2 Kb), V = (R - Y) / (2 - 2 Kr). */
enum {
  GLINT_YUV_BT601 = 0, /* Kr 0.299, Kb 0.114 */
  GLINT_YUV_BT709 = 1  /* Kr 0.2126, Kb 0.0722 */
};

/* Which numbers of n bits Y takes from black to white, and U and V around 2^(n-1). */
enum {
  GLINT_YUV_FULL = 0,   /* 0 to 2^n - 1, and as many for U and V */
  GLINT_YUV_LIMITED = 1 /* 16 to 235 times 2^(n-8), and 16 to 240 times that for U and V */
};

/* Samples of more than 8 bits are uint16_t in the machine's byte order, in their low bits, at any
 * address. What lies between rows is neither read nor written. */
typedef struct glint_pixels {
  size_t struct_size;
  uint32_t format;    /* GLINT_PIXELS_*, default GLINT_PIXELS_RGB */
  uint32_t bit_depth; /* default 8 */
  uint32_t matrix;    /* GLINT_YUV_BT*, default GLINT_YUV_BT601; of YUV, and where colour becomes
                       * gray */
  uint32_t range;     /* GLINT_YUV_FULL or _LIMITED, default GLINT_YUV_FULL; of YUV */
  uint32_t width;     /* pixels */
  uint32_t height;
  void* planes[3];      /* the top row of each plane; interleaved formats use the first. An encoder
                         * only reads there */
  ptrdiff_t strides[3]; /* bytes from each row to the one below it: negative where rows lie the
                         * other way round; 0: no gaps */
} glint_pixels;

/* Sets defaults: glint_pixels_init(&p, sizeof(p)). */
GLINT_API glint_status glint_pixels_init(glint_pixels* pixels, size_t struct_size);

/* As glint_encode. YUV becomes RGB row by row, of 16 bits where it has more than 8, rounded to the
 * nearest level and limited to what there is; the same on every machine. U and V of YUV420 lie in
 * the middle of four pixels, as in JPEG and MPEG-1, and are interpolated linearly. */
GLINT_API glint_status glint_encode_pixels(const glint_model* model, const glint_pixels* pixels,
                                           const glint_metadata* metadata,
                                           const glint_encode_options* options, uint8_t** stream,
                                           size_t* stream_size, glint_error* error);

/* As glint_decode, into buffers whose size must be that of the stream
 * (glint_stream_get_output), of its crop or of what it is shrunk to; else
 * GLINT_INVALID_ARGUMENT, and nothing is written. After other errors the content is undefined. A
 * format without alpha has the picture blended over options->background, unless options->alpha is
 * GLINT_ALPHA_DROP; one with alpha has an opaque one where the stream has none. Gray is repeated in
 * R, G and B; colour becomes gray as its Y in full range. Depths are scaled to the nearest level. U
 * and V of YUV420 are those of the mean of four pixels; beyond an odd edge the last column or row
 * counts twice. */
GLINT_API glint_status glint_decode_pixels(const glint_model* model, const void* stream,
                                           size_t stream_size, const glint_decode_options* options,
                                           const glint_pixels* pixels, glint_error* error);

/* ---- inspecting ------------------------------------------------------------------------------ */

/* Does a file begin like a Glint stream? 1 or 0; 0 for NULL. 7 bytes are enough. */
GLINT_API int glint_is_stream(const void* data, size_t size);

/* What a stream says about itself; immutable. */
typedef struct glint_stream_info glint_stream_info;

/* Reads headers and metadata and checks every CRC, without a model. Of the options (NULL: defaults)
 * only the limits count, and `detail`: unless it is GLINT_DETAIL_DECODE, a wrong CRC of details is
 * no error, and glint_stream_properties counts them. Free with glint_stream_info_free. Errors:
 * GLINT_BAD_STREAM, GLINT_LIMIT, GLINT_UNSUPPORTED, GLINT_INVALID_ARGUMENT. */
GLINT_API glint_status glint_inspect(const void* stream, size_t stream_size,
                                     const glint_decode_options* options, glint_stream_info** info,
                                     glint_error* error);
GLINT_API void glint_stream_info_free(glint_stream_info* info);

/* Strings belong to the glint_stream_info. */
typedef struct glint_stream_properties {
  size_t struct_size;
  const char* model_id; /* 16 hexadecimal digits */
  double lrd;           /* of the model's part; 0: of a model of one fixed rate */
  uint64_t bytes;       /* of the stream */
  uint64_t chunk_count; /* of the container */
  uint32_t is_gray;     /* 1: RGB whose three channels are the same; coded as gray, given as RGB */
  uint32_t has_detail;  /* 1: it has details */
  uint64_t detail_damaged_sections; /* of 1024 rows, whose CRC is wrong: see glint_inspect */
} glint_stream_properties;

/* Zeros `struct_size` bytes and sets the first field. */
GLINT_API glint_status glint_stream_properties_init(glint_stream_properties* properties,
                                                    size_t struct_size);
GLINT_API glint_status glint_stream_get_properties(const glint_stream_info* info,
                                                   glint_stream_properties* properties);

/* The picture as it was encoded (without an alpha that was left out). */
GLINT_API glint_status glint_stream_get_source(const glint_stream_info* info,
                                               glint_picture_info* source);
/* The picture as glint_decode gives it without options, with its alpha. */
GLINT_API glint_status glint_stream_get_output(const glint_stream_info* info,
                                               glint_picture_info* output);

/* A chunk of the container, docs/BITSTREAM.md. */
typedef struct glint_stream_chunk {
  uint64_t offset; /* bytes from the stream's begin */
  uint64_t bytes;  /* of the whole chunk */
  uint32_t type;   /* a letter */
  uint32_t reserved;
} glint_stream_chunk;

/* Number `index`, 0 .. chunk_count - 1, in the stream's order. */
GLINT_API glint_status glint_stream_get_chunk(const glint_stream_info* info, size_t index,
                                              glint_stream_chunk* chunk);
/* Never NULL. */
GLINT_API glint_status glint_stream_get_metadata(const glint_stream_info* info,
                                                 const glint_metadata** metadata);

/* ---- memory of yours ------------------------------------------------------------------------- */

/* Where the library's large memory comes from: weights, rows, latents, pictures inside of calls,
 * which is all that grows with models and pictures but streams, metadata and the samples of a
 * glint_picture. Both functions may be called by any thread, several at once. */
typedef struct glint_allocator {
  /* `alignment`: a power of two. NULL where there is none: the call gives GLINT_LIMIT. */
  void* (*allocate)(void* opaque, size_t size, size_t alignment);
  void (*release)(void* opaque, void* memory);
  void* opaque;
} glint_allocator;

/* Process-wide; call while no other thread is in a call. Memory goes back to the functions that it
 * came from, which must live as long. NULL: as it was in the beginning. Errors:
 * GLINT_INVALID_ARGUMENT for one function without the other, GLINT_LIMIT. */
GLINT_API glint_status glint_set_allocator(const glint_allocator* allocator, glint_error* error);

/* ---- SIMD targets ---------------------------------------------------------------------------- */

/* Names of the targets that this machine runs, best first, with one space between two; free with
 * glint_free. Errors: GLINT_LIMIT. */
GLINT_API glint_status glint_supported_targets(char** names, glint_error* error);
/* The one in use; free with glint_free. Errors: GLINT_LIMIT. */
GLINT_API glint_status glint_current_target(char** name, glint_error* error);
/* Chooses one for the whole process, "": the best. Call it before models are loaded and while no
 * other thread is in a call. Errors: GLINT_INVALID_ARGUMENT for a target that is not supported;
 * the choice stays what it was. */
GLINT_API glint_status glint_set_target(const char* name, glint_error* error);

#ifdef __cplusplus
}
#endif

#endif /* GLINT_GLINT_H_ */
