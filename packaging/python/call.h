// A call of the library from Python: without the GIL, stopped by Ctrl-C, heard of by a callback.
// Used by packaging/python/*.cc.
// Thread rules: made, run and destroyed with the GIL.
#ifndef GLINT_PACKAGING_PYTHON_CALL_H_
#define GLINT_PACKAGING_PYTHON_CALL_H_

#include <chrono>
#include <exception>
#include <functional>
#include <utility>

#include "packaging/python/binding.h"

namespace glint::python {

class Call {
 public:
  Call() : Call(nb::none()) {}
  // `progress`: None, or what is called with the share that is done, and may return False to stop.
  explicit Call(nb::object progress) : progress_(std::move(progress)) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // For CallOptions::progress and LoadOptions::progress, as long as this lives.
  std::function<bool(double)> progress() {
    return [this](double done) { return Goes(done); };
  }

  // What `function` returns, which runs without the GIL; what Python raised meanwhile comes first.
  template <typename Function>
  auto Run(Function function) {
    auto result = [&function] {
      const nb::gil_scoped_release released;
      return function();
    }();
    if (raised_) std::rethrow_exception(std::exchange(raised_, nullptr));
    return result;
  }

 private:
  using Clock = std::chrono::steady_clock;

  bool Goes(double done);

  nb::object progress_;
  std::exception_ptr raised_;
  Clock::time_point looked_ = Clock::now();
};

}  // namespace glint::python

#endif  // GLINT_PACKAGING_PYTHON_CALL_H_
