#include "engine/row_ledger.h"

#ifdef GLINT_CHECK_ROWS

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace glint {
namespace {

void PrintAndAbort(const std::string& what) {
  std::fprintf(stderr, "a ring of rows is misused: %s\n", what.c_str());
  std::abort();
}

RowFaultHandler fault_handler = PrintAndAbort;
size_t missing_rows = 0;

std::string NameOf(const RowUser& user) {
  if (user.graph == nullptr) return "the latents";
  return "graph " + *user.graph + ", tensor " + *user.tensor;
}

void Fault(const RowUser& user, const char* verb, int64_t row, int64_t held,
           const RowUser& writer) {
  std::string what = NameOf(user) + ": " + verb + " row " + std::to_string(row) + ", where ";
  if (held < 0) {
    what += "nothing has been written";
  } else {
    what += "row " + std::to_string(held) + " of " + NameOf(writer) + " is";
  }
  fault_handler(what);
}

// Within a graph, two names are two tensors, even where they share a ring in which one overwrites
// the other row by row. A ring that several graphs use holds one tensor, which has a name in each.
bool SameTensor(const RowUser& a, const RowUser& b) {
  return a.graph != b.graph || a.tensor == b.tensor;
}

}  // namespace

void SetRowFaultHandler(RowFaultHandler handler) {
  fault_handler = handler == nullptr ? PrintAndAbort : handler;
}

void SetMissingRows(size_t rows) { missing_rows = rows; }

size_t MissingRows() { return missing_rows; }

void RowLedger::OnWrite(int64_t row, const RowUser& user) {
  Slot& slot = slots_[static_cast<size_t>(row) % slots_.size()];
  if (slot.row > row) Fault(user, "writes", row, slot.row, slot.writer);
  slot = {row, user};
}

void RowLedger::OnRead(int64_t row, const RowUser& user) const {
  const Slot& slot = slots_[static_cast<size_t>(row) % slots_.size()];
  if (slot.row != row || !SameTensor(slot.writer, user)) {
    Fault(user, "reads", row, slot.row, slot.writer);
  }
}

}  // namespace glint

#endif  // GLINT_CHECK_ROWS
