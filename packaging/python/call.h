// A call of the library from Python: without the GIL, stopped by Ctrl-C, heard of by a callback.
// Used by packaging/python/*.cc.
// Thread rules: made, run and destroyed with the GIL.
#ifndef GLINT_PACKAGING_PYTHON_CALL_H_
#define GLINT_PACKAGING_PYTHON_CALL_H_

#include <chrono>
#include <exception>
#include <functional>
#include <thread>
#include <utility>

#include "packaging/python/binding.h"

namespace glint::python {

// The end of the interpreter, for threads that Python does not wait for. A thread that takes the
// GIL after it is ended by Python there and then, which C++ does not survive. So the interpreter's
// end stops calls and waits for them, and a thread that comes too late sleeps until the process is
// gone.
class Ending {
 public:
  // Whether the calls of a thread are to stop.
  static bool Stops(std::thread::id thread);
  // Around taking the GIL, for a call of `thread`.
  static void BeforeTaking(std::thread::id thread);
  static void AfterTaking();

  // Releases the GIL for as long as it lives.
  class Released {
   public:
    Released();
    Released(const Released&) = delete;
    Released& operator=(const Released&) = delete;
    ~Released();

   private:
    PyThreadState* state_;
  };
};

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
      const Ending::Released released;
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
  // The library may ask for progress in another.
  std::thread::id thread_ = std::this_thread::get_id();
  Clock::time_point looked_ = Clock::now();
};

}  // namespace glint::python

#endif  // GLINT_PACKAGING_PYTHON_CALL_H_
