#include <glint/glint.hpp>

// Shows a stream while its bytes come: receive() gives some, and 0 at the end.
template <class Receive, class Start, class Row>
glint::Error ShowWhileItComes(const glint::Model& model, Receive receive, Start start, Row row) {
  auto decoder = glint::StreamDecoder::Make(model, start, row);
  if (!decoder) return decoder.error();
  char bytes[4096];
  for (size_t count = receive(bytes, sizeof(bytes)); count > 0;
       count = receive(bytes, sizeof(bytes))) {
    if (auto error = decoder->Push(bytes, count); !error.ok()) return error;
  }
  return decoder->Finish();  // says how many rows came where the stream is cut short
}
