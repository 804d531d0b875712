// A check of rings: the ledger knows which row of which tensor every slot of a ring holds, and
// reports a step that wants a row that is not there. Only the engine that the tests run has it
// (GLINT_CHECK_ROWS, CMakeLists.txt); rings of the library keep no ledger. Used by
// engine/row_ring.h.
// Thread rules: different slots may be used by several threads at once; the handler is set while no
// executor runs.
#ifndef GLINT_ENGINE_ROW_LEDGER_H_
#define GLINT_ENGINE_ROW_LEDGER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace glint {

// Who reads or writes a row: names that outlive the ring, or nothing for the codec's own loops.
struct RowUser {
  const std::string* graph = nullptr;
  const std::string* tensor = nullptr;
};

#ifdef GLINT_CHECK_ROWS

// The handler of such a report, which gets "graph h_s, tensor x: reads row 12, where row 76 is".
// The default prints it and aborts; nullptr brings the default back.
using RowFaultHandler = void (*)(const std::string& what);
void SetRowFaultHandler(RowFaultHandler handler);

// Makes rings so many rows smaller than planned (of at least 1 row), for tests of the check itself.
void SetMissingRows(size_t rows);
size_t MissingRows();

class RowLedger {
 public:
  void Reset(size_t slots) { slots_.assign(slots, {}); }
  void OnWrite(int64_t row, const RowUser& user);
  void OnRead(int64_t row, const RowUser& user) const;

 private:
  struct Slot {
    int64_t row = -1;
    RowUser writer;
  };
  std::vector<Slot> slots_;
};

#endif

}  // namespace glint

#endif  // GLINT_ENGINE_ROW_LEDGER_H_
