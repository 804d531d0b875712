#include "packaging/python/output.h"

#include <new>
#include <utility>
#include <vector>

#include "tools/common/messages.h"

namespace glint::python {
namespace {

std::string ArrayText(const PictureInfo& info) {
  return ShapeText(ShapeOf(info)) + " and " + (info.bit_depth > 8 ? "uint16" : "uint8");
}

}  // namespace

Error WithMemoryNeeded(Error error, const Model& model, const PictureInfo& source,
                       const CallOptions& options) {
  if (error.code != ErrorCode::kLimit || error.memory_needed != 0) return error;
  const Expected<MemoryPlan> plan = PlanMemory(model, source, options);
  if (!plan) return error;
  const Error room = tools::CheckRoom(plan->decoding, options.limits);
  return room.ok() ? error : room;
}

Output::Output(nb::object out) : out_(std::move(out)) {
  if (out_.is_none()) return;
  try {
    buffer_.emplace(out_, Buffer::Access::kWritten);
  } catch (const nb::python_error& e) {
    if (e.matches(PyExc_TypeError)) throw;
    Refuse(std::string("out cannot be written: ") + e.what());
  }
  view_.emplace(*buffer_, "out");
}

bool Output::Start(const PictureInfo& info) {
  info_ = info;
  PictureInfo array = info;
  if (array.bit_depth < 8) array.bit_depth = 8;
  if (!view_) {
    memory_.reset(new (std::nothrow) uint8_t[array.RowBytes() * array.height]);
    if (memory_ == nullptr) refusal_ = "out of memory";
    if (memory_ != nullptr) view_.emplace(memory_.get(), array);
    return memory_ != nullptr;
  }
  if (is_deep()) array.bit_depth = 16;
  if (ArrayText(array) != ArrayText(view_->info())) {
    refusal_ = "out is an array of " + ArrayText(view_->info()) + ", the picture one of " +
               ArrayText(array);
  }
  return refusal_.empty();
}

nb::object Output::Finish(const Error& error) {
  if (!refusal_.empty()) {
    const ErrorCode code = buffer_ ? ErrorCode::kInvalidArgument : ErrorCode::kLimit;
    throw CodecError({code, refusal_});
  }
  Check(error);
  if (buffer_) return out_;
  const bool deep = view_->info().bit_depth > 8;
  return ArrayOf(std::move(memory_), ShapeOf(info_), deep ? Kind::kUint16 : Kind::kUint8);
}

}  // namespace glint::python
