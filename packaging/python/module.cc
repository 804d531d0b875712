// The Python module `_glint`: the library's public interface for glint/*.py, which users see.
#include <new>

#include "packaging/python/binding.h"

namespace glint::python {
namespace {

nb::object Checked(PyObject* made) {
  if (made == nullptr) throw nb::python_error();
  return nb::steal(made);
}

// Without a function of Python's, in which a signal could raise something else. Messages quote
// files and their names, so not all are UTF-8.
void Raise(const Error& error) {
  try {
    if (PyErr_CheckSignals() != 0) return;
    const nb::object kind =
        nb::module_::import_("glint._errors").attr("CLASSES")[static_cast<int>(error.code)];
    const nb::object message = Checked(PyUnicode_DecodeUTF8(
        error.message.data(), static_cast<Py_ssize_t>(error.message.size()), "backslashreplace"));
    const nb::object made =
        Checked(PyObject_CallFunctionObjArgs(kind.ptr(), message.ptr(), nullptr));
    if (error.code == ErrorCode::kLimit) made.attr("memory_needed") = error.memory_needed;
    PyErr_SetObject(kind.ptr(), made.ptr());
  } catch (nb::python_error& e) {
    e.restore();
  }
}

void Translate(const std::exception_ptr& thrown, void* /*payload*/) {
  try {
    std::rethrow_exception(thrown);
  } catch (const CodecError& e) {
    Raise(e.error());
  } catch (const std::bad_alloc&) {
    Raise({ErrorCode::kLimit, "out of memory"});
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
  AddCalls(m);
  AddOptions(m);
  AddPictures(m);
  AddModels(m);
  AddStreamInfo(m);
  AddCoding(m);
  AddLatents(m);
  AddMeasuring(m);
}
