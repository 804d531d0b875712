// Where the rows of a call go: into an array of the caller's, or into a new one.
// Used by packaging/python/*.cc.
// Thread rules: Start and what writer() gives may run without the GIL, the rest needs it.
#ifndef GLINT_PACKAGING_PYTHON_OUTPUT_H_
#define GLINT_PACKAGING_PYTHON_OUTPUT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "packaging/python/binding.h"
#include "packaging/python/buffer.h"

namespace glint::python {

// Of a decoding. Where held_memory leaves hardly anything, the library does not say what would do.
Error WithMemoryNeeded(Error error, const Model& model, const PictureInfo& source,
                       const CallOptions& options);

class Output {
 public:
  // `out`: None for a new array.
  explicit Output(nb::object out);
  bool is_given() const { return view_.has_value(); }
  // Whether the caller's array has samples of 16 bits.
  bool is_deep() const { return view_ && view_->info().bit_depth > 8; }

  // Before the first row; false where the picture does not fit into the caller's array.
  bool Start(const PictureInfo& info);
  RowWriter writer() {
    return [this](uint32_t y, const void* row) {
      view_->WriteRow(y, row, info_.bit_depth);
      return true;
    };
  }
  // The array, where `error` is none.
  nb::object Finish(const Error& error);

 private:
  nb::object out_;
  std::optional<Buffer> buffer_;
  std::optional<SampleView> view_;
  std::unique_ptr<uint8_t[]> memory_;
  PictureInfo info_;
  std::string refusal_;
};

}  // namespace glint::python

#endif  // GLINT_PACKAGING_PYTHON_OUTPUT_H_
