#include <glint/glint.h>
#include <stdio.h>

glint_picture* DecodeStream(const char* model_file, const void* stream, size_t size) {
  glint_model* model = NULL;
  glint_picture* picture = NULL;
  glint_error error;
  if (glint_model_load(model_file, &model, &error) != GLINT_OK ||
      glint_decode(model, stream, size, NULL, &picture, &error) != GLINT_OK) {
    fprintf(stderr, "%s\n", error.message);
  }
  glint_model_free(model);
  return picture; /* glint_picture_get_samples(), at last glint_picture_free() */
}
