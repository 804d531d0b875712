/* A C11 product in small: loads a model, encodes a picture, looks at the stream, decodes it.
 * Usage: consumer_c MODEL. Ends with 0 when everything is as promised. */
#include <glint/glint.h>
#include <stdio.h>
#include <string.h>

/* The examples of README.md. */
#include "decode_example.c"
#include "yuv_example.c"

enum { kWidth = 61, kHeight = 37, kSamples = kWidth * kHeight * 3 };

static int Fail(const char* where, const char* why) {
  fprintf(stderr, "consumer_c: %s: %s\n", where, why);
  return 1;
}

/* One row of the picture, as glint_encode_rows asks for it. */
static int GradientRow(void* opaque, uint32_t y, void* row) {
  uint8_t* samples = row;
  (void)opaque;
  for (uint32_t x = 0; x < kWidth; ++x) {
    *samples++ = (uint8_t)(40 + 2 * x);
    *samples++ = (uint8_t)(60 + 3 * y);
    *samples++ = (uint8_t)(200 - x - y);
  }
  return 1;
}

static glint_picture_info PictureInfo(void) {
  glint_picture_info info;
  glint_picture_info_init(&info, sizeof(info));
  info.width = kWidth;
  info.height = kHeight;
  return info;
}

static double MeanSquaredError(const uint8_t* a, const uint8_t* b) {
  double sum = 0;
  for (size_t i = 0; i < kSamples; ++i) {
    const double difference = (double)a[i] - (double)b[i];
    sum += difference * difference;
  }
  return sum / kSamples;
}

static int CheckEncoding(const glint_model* model, const uint8_t* picture, const uint8_t* stream,
                         size_t stream_size) {
  const glint_picture_info info = PictureInfo();
  uint8_t* again = NULL;
  size_t again_size = 0;
  glint_error error;
  if (glint_encode(model, &info, picture, 0, NULL, NULL, &again, &again_size, &error) != GLINT_OK) {
    return Fail("glint_encode", error.message);
  }
  const int same = again_size == stream_size && memcmp(again, stream, stream_size) == 0;
  glint_free(again);
  return same ? 0 : Fail("glint_encode", "another stream than by rows");
}

static int CheckInspection(const glint_model* model, const uint8_t* stream, size_t stream_size) {
  glint_model_info model_info;
  glint_stream_properties properties;
  glint_picture_info source = PictureInfo();
  glint_stream_info* info = NULL;
  glint_error error;
  if (glint_inspect(stream, stream_size, NULL, &info, &error) != GLINT_OK) {
    return Fail("glint_inspect", error.message);
  }
  glint_model_info_init(&model_info, sizeof(model_info));
  glint_stream_properties_init(&properties, sizeof(properties));
  const int right = glint_model_get_info(model, &model_info) == GLINT_OK &&
                    glint_stream_get_properties(info, &properties) == GLINT_OK &&
                    glint_stream_get_source(info, &source) == GLINT_OK && source.width == kWidth &&
                    source.height == kHeight && strcmp(properties.model_id, model_info.id) == 0;
  glint_stream_info_free(info);
  return right ? 0 : Fail("glint_inspect", "another size or model");
}

static int CheckDecoding(const char* model_file, const glint_model* model, const uint8_t* picture,
                         const uint8_t* stream, size_t stream_size) {
  static uint8_t decoded[kSamples];
  const void* samples = NULL;
  size_t size = 0;
  glint_error error;
  if (glint_decode_into(model, stream, stream_size, NULL, decoded, sizeof(decoded), 0, NULL,
                        &error) != GLINT_OK) {
    return Fail("glint_decode_into", error.message);
  }
  /* 25 dB. */
  if (!(MeanSquaredError(picture, decoded) < 205)) return Fail("decoding", "not the same picture");

  glint_picture* whole = DecodeStream(model_file, stream, stream_size);
  if (glint_picture_get_samples(whole, &samples, &size) != GLINT_OK || size != kSamples ||
      memcmp(samples, decoded, size) != 0) {
    glint_picture_free(whole);
    return Fail("glint_decode", "another picture than into a buffer");
  }
  glint_picture_free(whole);
  printf("%zu bytes\n", stream_size);
  return 0;
}

/* What is wrong must come back as a status and a message. */
static int CheckErrors(const glint_model* model, const uint8_t* stream, size_t stream_size) {
  glint_picture* none = NULL;
  glint_model* no_model = NULL;
  glint_error error;
  if (glint_decode(model, stream, stream_size - 1, NULL, &none, &error) != GLINT_BAD_STREAM ||
      none != NULL || error.message[0] == '\0') {
    return Fail("glint_decode", "took a truncated stream");
  }
  if (glint_model_load("no-such-file.safetensors", &no_model, &error) != GLINT_NOT_FOUND ||
      no_model != NULL || error.message[0] == '\0') {
    return Fail("glint_model_load", "took a file that does not exist");
  }
  return 0;
}

/* A gray frame comes back gray. */
static int CheckFrame(const glint_model* model) {
  static uint8_t luma[64 * 48], chroma[2][32 * 24];
  void* planes[3] = {luma, chroma[0], chroma[1]};
  ptrdiff_t strides[3] = {64, 32, 32};
  uint8_t* stream = NULL;
  size_t size = 0;
  glint_picture* picture = NULL;
  const void* samples = NULL;
  memset(luma, 126, sizeof(luma)); /* of 16 to 235 */
  memset(chroma, 128, sizeof(chroma));
  if (EncodeFrame(model, planes, strides, 64, 48, &stream, &size) != GLINT_OK ||
      glint_decode(model, stream, size, NULL, &picture, NULL) != GLINT_OK ||
      glint_picture_get_samples(picture, &samples, &size) != GLINT_OK) {
    return Fail("EncodeFrame", "no picture came back");
  }
  int right = size == 64 * 48 * 3;
  for (size_t i = 0; right && i < size; ++i) {
    const int level = ((const uint8_t*)samples)[i];
    right = level > 118 && level < 138;
  }
  glint_free(stream);
  glint_picture_free(picture);
  return right ? 0 : Fail("EncodeFrame", "another picture came back");
}

static int CheckModel(const char* model_file, const glint_model* model) {
  static uint8_t picture[kSamples];
  const glint_picture_info info = PictureInfo();
  uint8_t* stream = NULL;
  size_t stream_size = 0;
  glint_error error;
  for (uint32_t y = 0; y < kHeight; ++y) GradientRow(NULL, y, picture + y * kWidth * 3);
  if (glint_encode_rows(model, &info, GradientRow, NULL, NULL, NULL, &stream, &stream_size,
                        &error) != GLINT_OK) {
    return Fail("glint_encode_rows", error.message);
  }
  const int failed = CheckEncoding(model, picture, stream, stream_size) ||
                     CheckInspection(model, stream, stream_size) ||
                     CheckDecoding(model_file, model, picture, stream, stream_size) ||
                     CheckErrors(model, stream, stream_size) || CheckFrame(model);
  glint_free(stream);
  return failed;
}

int main(int argc, char** argv) {
  glint_model* model = NULL;
  char* target = NULL;
  glint_error error;
  if (argc != 2) return Fail("usage", "consumer_c MODEL");
  if (glint_current_target(&target, &error) != GLINT_OK) return Fail("target", error.message);
  printf("Glint %s on %s\n", glint_version(), target);
  glint_free(target);
  if (glint_model_load(argv[1], &model, &error) != GLINT_OK) {
    return Fail("glint_model_load", error.message);
  }
  const int failed = CheckModel(argv[1], model);
  glint_model_free(model);
  return failed;
}
