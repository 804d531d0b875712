// The Python module `_glint`: the library's public interface for glint/*.py, which users see.
#include <nanobind/stl/string.h>

#include "packaging/python/binding.h"

namespace glint::python {
namespace {

void Translate(const std::exception_ptr& thrown, void* /*payload*/) {
  try {
    std::rethrow_exception(thrown);
  } catch (const CodecError& e) {
    const Error& error = e.error();
    const nb::object made =
        nb::module_::import_("glint._errors")
            .attr("of_code")(static_cast<int>(error.code), error.message, error.memory_needed);
    PyErr_SetObject(made.type().ptr(), made.ptr());
  }
}

}  // namespace

void AddErrors() { nb::register_exception_translator(Translate); }

}  // namespace glint::python

NB_MODULE(_glint, m) {
  using namespace glint::python;  // NOLINT(google-build-using-namespace): in this function alone
  m.doc() = "The compiled part of the package glint.";
  m.attr("version") = glint::Version();
  AddErrors();
  AddOptions(m);
  AddPictures(m);
  AddModels(m);
  AddStreamInfo(m);
  AddCoding(m);
  AddLatents(m);
  AddMeasuring(m);
}
