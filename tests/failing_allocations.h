// Makes the Nth allocation of the process fail.
// Used by tests only.
// Thread rules: one at a time; allocations of all threads count.
#ifndef GLINT_TESTS_FAILING_ALLOCATIONS_H_
#define GLINT_TESTS_FAILING_ALLOCATIONS_H_

#include <cstdint>
#include <functional>

#include "glint/glint.hpp"

namespace glint::testing {

// Whether malloc and its like fail as well, which C libraries use. Sanitizers have their own: there
// only operator new fails.
extern const bool kMallocFails;

// While it lives, allocation number `n` from now on fails (1: the first), or that and all later.
class FailingAllocation {
 public:
  enum class Failing { kOne, kAllFromThere };
  explicit FailingAllocation(int64_t n, Failing failing = Failing::kOne);
  ~FailingAllocation();
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;
};

// Whether the last FailingAllocation that is gone made one fail.
bool AnAllocationFailed();
// And how many there were while it lived.
int64_t AllocationsMade();

// Calls with the first allocation failing, the second, ... `step` apart, until none is reached;
// then the same with all that follow failing too; with sanitizers each seventh of these. Each time
// the call must be right or kLimit, and afterwards right.
void FailEach(const std::function<Error()>& call, int64_t step = 1);
// With about so many of all allocations of a call.
void FailSome(const std::function<Error()>& call, int64_t count);

}  // namespace glint::testing

#endif  // GLINT_TESTS_FAILING_ALLOCATIONS_H_
