#include <glint/glint.h>

/* Encodes a frame of video: planes of Y, U and V, the latter of half the columns and rows. */
glint_status EncodeFrame(const glint_model* model, void* planes[3], ptrdiff_t strides[3],
                         uint32_t width, uint32_t height, uint8_t** stream, size_t* size) {
  glint_pixels frame;
  glint_pixels_init(&frame, sizeof(frame));
  frame.format = GLINT_PIXELS_YUV420;
  frame.matrix = GLINT_YUV_BT709;
  frame.range = GLINT_YUV_LIMITED;
  frame.width = width;
  frame.height = height;
  for (int i = 0; i < 3; ++i) {
    frame.planes[i] = planes[i];
    frame.strides[i] = strides[i];
  }
  return glint_encode_pixels(model, &frame, NULL, NULL, stream, size, NULL);
}
