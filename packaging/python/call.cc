#include "packaging/python/call.h"

namespace glint::python {

// Python sees signals between its own instructions alone, of which a call has none.
bool Call::Goes(double done) {
  constexpr auto kPause = std::chrono::milliseconds(50);
  const Clock::time_point now = Clock::now();
  if (progress_.is_none() && now - looked_ < kPause) return true;
  looked_ = now;
  const nb::gil_scoped_acquire acquired;
  try {
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    return progress_.is_none() || !progress_(done).is(nb::handle(Py_False));
  } catch (...) {
    raised_ = std::current_exception();
    return false;
  }
}

}  // namespace glint::python
