#include "packaging/python/output.h"

#include <new>
#include <utility>
#include <vector>

namespace glint::python {
namespace {

std::string ArrayText(const PictureInfo& info) {
  return ShapeText(ShapeOf(info)) + " and " + (info.bit_depth > 8 ? "uint16" : "uint8");
}

}  // namespace

Output::Output(nb::object out) : out_(std::move(out)) {
  if (out_.is_none()) return;
  buffer_.emplace(out_, Buffer::Access::kWritten);
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
