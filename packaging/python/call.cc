#include "packaging/python/call.h"

#include <atomic>

namespace glint::python {
namespace {

using std::chrono::milliseconds;

// Calls take a fraction of a second to hear that they shall stop; those without progress run on.
constexpr auto kLongestWait = std::chrono::seconds(10);
constexpr auto kLook = milliseconds(2);

int running = 0;                // with the GIL
std::thread::id ending_thread;  // set before is_ending is

std::atomic<bool> is_ending{false};
std::atomic<bool> is_over{false};
std::atomic<int> taking{0};

void Sleep() {
  const nb::gil_scoped_release released;
  std::this_thread::sleep_for(kLook);
}

// At the interpreter's end, in the thread that ends it.
void End() {
  ending_thread = std::this_thread::get_id();
  is_ending = true;
  const auto begin = std::chrono::steady_clock::now();
  while (running > 0 && std::chrono::steady_clock::now() - begin < kLongestWait) Sleep();
  is_over = true;
  while (taking > 0) Sleep();
}

// In a forked process, which has none of the threads that were in calls.
void Forget() {
  running = 0;
  taking = 0;
}

}  // namespace

bool Ending::Stops(std::thread::id thread) { return is_ending && thread != ending_thread; }

void Ending::BeforeTaking(std::thread::id thread) {
  ++taking;
  if (!is_over || !Stops(thread)) return;
  --taking;
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

void Ending::AfterTaking() { --taking; }

Ending::Released::Released() {
  if (Stops(std::this_thread::get_id())) {
    throw CodecError({ErrorCode::kCancelled, "the interpreter is ending"});
  }
  ++running;
  state_ = PyEval_SaveThread();
}

Ending::Released::~Released() {
  BeforeTaking(std::this_thread::get_id());
  PyEval_RestoreThread(state_);
  AfterTaking();
  --running;
}

// Python sees signals between its own instructions alone, of which a call has none.
bool Call::Goes(double done) {
  constexpr auto kPause = milliseconds(50);
  if (Ending::Stops(thread_)) return false;
  const Clock::time_point now = Clock::now();
  if (progress_.is_none() && now - looked_ < kPause) return true;
  looked_ = now;
  Ending::BeforeTaking(thread_);
  const nb::gil_scoped_acquire acquired;
  Ending::AfterTaking();
  try {
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    if (progress_.is_none()) return true;
    const nb::object answer = progress_(done);
    const int goes = answer.is_none() ? 1 : PyObject_IsTrue(answer.ptr());
    if (goes < 0) throw nb::python_error();
    return goes == 1;
  } catch (...) {
    raised_ = std::current_exception();
    return false;
  }
}

void AddCalls(nb::module_& m) {
  // A thread that Python does not wait for keeps what its call has; that is no fault to report.
  nb::set_leak_warnings(false);
  m.def("_end", End);
  m.def("_forget", Forget);
  nb::module_::import_("atexit").attr("register")(m.attr("_end"));
  const nb::object os = nb::module_::import_("os");
  if (nb::hasattr(os, "register_at_fork")) {
    os.attr("register_at_fork")(nb::arg("after_in_child") = m.attr("_forget"));
  }
}

}  // namespace glint::python
