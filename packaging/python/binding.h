// What the files of the Python module `_glint` share: its parts, and errors as exceptions.
// Used by packaging/python/*.cc.
// Thread rules: everything here needs the GIL, unless it says otherwise.
#ifndef GLINT_PACKAGING_PYTHON_BINDING_H_
#define GLINT_PACKAGING_PYTHON_BINDING_H_

#include <nanobind/nanobind.h>

#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "glint/glint.hpp"

namespace glint::python {

namespace nb = nanobind;

// An Error on its way to Python, where it becomes the exception of its code (glint/_errors.py).
class CodecError : public std::exception {
 public:
  explicit CodecError(Error error) : error_(std::move(error)) {}
  const Error& error() const { return error_; }
  const char* what() const noexcept override { return error_.message.c_str(); }

 private:
  Error error_;
};

[[noreturn]] inline void Refuse(std::string message) {
  throw CodecError({ErrorCode::kInvalidArgument, std::move(message)});
}

inline void Check(const Error& error) {
  if (!error.ok()) throw CodecError(error);
}
template <typename T>
T Value(Expected<T> expected) {
  Check(expected.error());
  return std::move(*expected);
}

// A file's name in the system's own encoding (os.fsencode).
inline std::string PathOf(const nb::bytes& name) {
  std::string path(name.c_str(), name.size());
  if (path.find('\0') != std::string::npos) Refuse("a file name with a NUL in it");
  return path;
}

// A picture as Python has it. Nobody writes to its samples, so calls read them without the GIL; its
// metadata may change at any time, so calls copy them with the GIL. picture.metadata stays empty.
struct HeldPicture {
  Picture picture;
  Metadata metadata;
};

inline nb::bytes BytesOf(const std::vector<uint8_t>& bytes) {
  return nb::bytes(bytes.data(), bytes.size());
}

void AddErrors();
void AddCalls(nb::module_& m);
void AddOptions(nb::module_& m);
void AddPictures(nb::module_& m);
void AddModels(nb::module_& m);
void AddCoding(nb::module_& m);
void AddStreamInfo(nb::module_& m);
void AddLatents(nb::module_& m);
void AddMeasuring(nb::module_& m);

}  // namespace glint::python

#endif  // GLINT_PACKAGING_PYTHON_BINDING_H_
