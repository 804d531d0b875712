#include "codec/workers.h"

#include <cstddef>
#include <string>

namespace glint {

Status Workers::Init(int threads, const ParallelRunner& runner) {
  constexpr int kMostThreads = 1024;
  const auto invalid = [](const std::string& what) {
    return Status::Error(StatusCode::kInvalidArgument, what);
  };
  if (threads < 0 || threads > kMostThreads) {
    return invalid("threads is " + std::to_string(threads) + ", 0 to 1024 are possible");
  }
  if (runner.run != nullptr) {
    if (runner.workers == 0) return invalid("a runner without workers");
    runner_ = {runner.run, runner.opaque, runner.workers};
  } else if (threads != 1) {
    pool_ = std::make_unique<ThreadPool>(static_cast<size_t>(threads));
    runner_ = pool_->workers() > 1 ? pool_->runner() : SerialRunner();
  }
  return Status::Ok();
}

}  // namespace glint
