// What checked rings of rows complain of (engine/row_ledger.h), noted instead of ending the
// program. Used by tests of rings and windows. Thread rules: one thread.
#ifndef GLINT_TESTS_ROW_FAULTS_H_
#define GLINT_TESTS_ROW_FAULTS_H_

#include <string>
#include <vector>

#include "engine/row_ledger.h"

namespace glint::testing {

// As long as it lives; one at a time.
class NotedRowFaults {
 public:
  NotedRowFaults() {
    Noted().clear();
    SetRowFaultHandler([](const std::string& what) { Noted().push_back(what); });
  }
  ~NotedRowFaults() { SetRowFaultHandler(nullptr); }
  NotedRowFaults(const NotedRowFaults&) = delete;
  NotedRowFaults& operator=(const NotedRowFaults&) = delete;

  static std::vector<std::string>& Noted() {
    static std::vector<std::string> faults;
    return faults;
  }
};

}  // namespace glint::testing

#endif  // GLINT_TESTS_ROW_FAULTS_H_
