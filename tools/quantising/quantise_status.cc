#include "tools/quantising/quantise_status.h"

#include "tools/common/text.h"

namespace glint::tools {

void QuantiseStatus::Show(const QuantiseProgress& progress) {
  const bool begins = progress.stage != name_ || progress.done < done_;
  if (begins) stage_ = Pace();
  name_ = progress.stage;
  done_ = progress.done;
  std::string more = stage_.Text(progress.done, 1, 0);
  if (progress.loss >= 0) {
    more += ", loss " + Fixed(progress.loss, 2) +
            (max_loss_ > 0 ? " of " + Shortest(max_loss_) + " %" : " %");
  }
  if (!progress.trying.empty()) more += ", " + Printable(progress.trying, 30);
  line_->ShowProgress(Duration(whole_.seconds()) + ": " + name_, progress.done, more);
}

}  // namespace glint::tools
