#include "tests/failing_allocations.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>

namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int64_t kTried = 7;  // each seventh: calls take ten times as long
#else
constexpr int64_t kTried = 1;
#endif

std::atomic<int64_t> made{0}, fails_from{kNever}, fails_until{kNever};
std::atomic<bool> counting{false}, failed{false};

bool Fails() {
  if (!counting.load(std::memory_order_relaxed)) return false;
  const int64_t number = made.fetch_add(1) + 1;
  if (number < fails_from.load() || number > fails_until.load()) return false;
  failed.store(true);
  return true;
}

}  // namespace

namespace glint::testing {

FailingAllocation::FailingAllocation(int64_t n, Failing failing) {
  made = 0;
  failed = false;
  fails_from = n;
  fails_until = failing == Failing::kOne ? n : kNever;
  counting = true;
}

FailingAllocation::~FailingAllocation() { counting = false; }

bool AnAllocationFailed() { return failed.load(); }
int64_t AllocationsMade() { return made.load(); }

void FailEach(const std::function<Error()>& call, int64_t step) {
  for (const auto failing :
       {FailingAllocation::Failing::kOne, FailingAllocation::Failing::kAllFromThere}) {
    for (int64_t n = 1;; n += step * kTried) {
      Error error;
      {
        const FailingAllocation fails(n, failing);
        error = call();
      }
      if (!AnAllocationFailed()) {
        REQUIRE_MESSAGE(error.ok(), error.message);
        break;
      }
      if (error.ok() || error.code == ErrorCode::kLimit) continue;
      CAPTURE(n);
      CAPTURE(static_cast<int>(error.code));
      CHECK_MESSAGE(false, error.message);
    }
  }
}

void FailSome(const std::function<Error()>& call, int64_t count) {
  int64_t all = 0;
  {
    const FailingAllocation none(kNever);
    const Error error = call();
    REQUIRE_MESSAGE(error.ok(), error.message);
    all = AllocationsMade();
  }
  FailEach(call, std::max<int64_t>(1, all / count));
}

}  // namespace glint::testing

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)

// Sanitizers replace malloc themselves: this stands above it.
namespace glint::testing {
const bool kMallocFails = false;
}

namespace {

void* NewOrNull(size_t size, size_t alignment) noexcept {
  if (Fails()) return nullptr;
  size = size == 0 ? 1 : size;
  if (alignment <= alignof(std::max_align_t)) return std::malloc(size);
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void* New(size_t size, size_t alignment = 1) {
  void* p = NewOrNull(size, alignment);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

}  // namespace

void* operator new(size_t size) { return New(size); }
void* operator new[](size_t size) { return New(size); }
void* operator new(size_t size, std::align_val_t a) { return New(size, static_cast<size_t>(a)); }
void* operator new[](size_t size, std::align_val_t a) { return New(size, static_cast<size_t>(a)); }
void* operator new(size_t size, std::align_val_t a, const std::nothrow_t&) noexcept {
  return NewOrNull(size, static_cast<size_t>(a));
}
void* operator new(size_t size, const std::nothrow_t&) noexcept { return NewOrNull(size, 1); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return NewOrNull(size, 1); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }
void operator delete[](void* p, size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, size_t, std::align_val_t) noexcept { std::free(p); }

#else

// glibc's allocator under its second names: the program's own functions come before the library's,
// for C libraries too.
namespace glint::testing {
const bool kMallocFails = true;
}

extern "C" {

// NOLINTBEGIN(clang-diagnostic-reserved-identifier)
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* p, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
// NOLINTEND(clang-diagnostic-reserved-identifier)

namespace {

void* NoMemory() {
  errno = ENOMEM;
  return nullptr;
}

}  // namespace

void* malloc(size_t size) noexcept { return Fails() ? NoMemory() : __libc_malloc(size); }
void* calloc(size_t count, size_t size) noexcept {
  return Fails() ? NoMemory() : __libc_calloc(count, size);
}
void* realloc(void* p, size_t size) noexcept {
  return Fails() ? NoMemory() : __libc_realloc(p, size);
}
void* memalign(size_t alignment, size_t size) noexcept {
  return Fails() ? NoMemory() : __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) noexcept { return memalign(alignment, size); }
int posix_memalign(void** p, size_t alignment, size_t size) noexcept {
  void* const made_here = memalign(alignment, size);
  if (made_here == nullptr) return ENOMEM;
  *p = made_here;
  return 0;
}

}  // extern "C"

#endif
