// The threads that one public call works with: those of the caller's runner, or a pool of the
// call's own. Internal to codec/. Thread rules: one caller.
#ifndef GLINT_CODEC_WORKERS_H_
#define GLINT_CODEC_WORKERS_H_

#include <memory>

#include "engine/status.h"
#include "engine/thread_pool.h"
#include "glint/glint.hpp"

namespace glint {

class Workers {
 public:
  // kInvalidArgument where `threads` is not 0 to 1024 or a runner has no workers.
  Status Init(int threads, const ParallelRunner& runner);
  // Valid as long as this.
  const Runner& runner() const { return runner_; }

 private:
  std::unique_ptr<ThreadPool> pool_;
  Runner runner_;
};

}  // namespace glint

#endif  // GLINT_CODEC_WORKERS_H_
