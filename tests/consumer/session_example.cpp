#include <glint/glint.hpp>

// Encodes one picture after the other, all on the same threads.
template <class Pictures, class Store>
glint::Error EncodeAll(const glint::Model& model, const Pictures& pictures, Store store) {
  auto session = glint::Session::Make();  // as many threads as the machine has
  if (!session) return session.error();
  glint::EncodeOptions options;
  options.runner = session->runner();
  for (const glint::Picture& picture : pictures) {
    auto stream = glint::Encode(model, picture, options);
    if (!stream) return stream.error();
    store(*stream);
  }
  return {};
}
