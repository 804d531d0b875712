// Session: a pool of threads that calls share.
#include <memory>
#include <utility>

#include "codec/public_error.h"
#include "codec/workers.h"
#include "glint/glint.hpp"

namespace glint {

struct Session::Impl {
  Workers workers;
};

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::Session(Session&& other) noexcept = default;
Session& Session::operator=(Session&& other) noexcept = default;
Session::~Session() = default;

Expected<Session> Session::Make(int threads) {
  return PublicCall([&]() -> Expected<Session> {
    auto impl = std::make_unique<Impl>();
    const Status status = impl->workers.Init(threads, {});
    if (!status.ok()) return ToError(status);
    return Session(std::move(impl));
  });
}

ParallelRunner Session::runner() const {
  const Runner& runner = impl_->workers.runner();
  return {runner.run, runner.opaque, runner.workers};
}

}  // namespace glint
