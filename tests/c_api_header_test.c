/* glint.h in a file of C11 that includes nothing else: it compiles, and its functions link. */
#include "glint/glint.h"

int glint_test_c_header(void);

/* Called by c_api_test.cc. 0 when all is well, else the line of what is not. */
int glint_test_c_header(void) {
  glint_encode_options encode;
  glint_decode_options decode;
  glint_report report;
  glint_target_result result;
  double lrd = 0;
  glint_model* model = NULL;
  glint_error error;
  if (glint_version()[0] != '0' + GLINT_VERSION_MAJOR) return __LINE__;
  if (GLINT_VERSION_NUMBER < 1000000) return __LINE__;
  if (glint_encode_options_init(&encode, sizeof(encode)) != GLINT_OK) return __LINE__;
  if (glint_decode_options_init(&decode, sizeof(decode)) != GLINT_OK) return __LINE__;
  if (glint_report_init(&report, sizeof(report)) != GLINT_OK) return __LINE__;
  if (glint_target_result_init(&result, sizeof(result)) != GLINT_OK) return __LINE__;
  if (glint_lrd_of_quality(NULL, 50, &lrd, &error) != GLINT_INVALID_ARGUMENT) return __LINE__;
  if (encode.struct_size != sizeof(encode) || encode.threads != 1) return __LINE__;
  if (decode.struct_size != sizeof(decode) || decode.max_pixels != 1U << 30) return __LINE__;
  if (encode.detail != GLINT_DETAIL_AUTO || encode.max_error != -1) return __LINE__;
  if (encode.lossless != 0 || decode.detail != GLINT_DETAIL_DECODE) return __LINE__;
  if (encode.effort != 0 || report.effort_seconds != 0) return __LINE__;
  if (encode.progress != NULL || decode.runner.run != NULL) return __LINE__;
  if (glint_model_load(NULL, &model, &error) != GLINT_INVALID_ARGUMENT) return __LINE__;
  if (error.status != GLINT_INVALID_ARGUMENT || model != NULL) return __LINE__;
  glint_model_free(model);
  return 0;
}
