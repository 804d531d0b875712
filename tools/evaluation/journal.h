// What a run of `evaluate` has done, a line each as it is done: after the program was ended, by
// whatever, another one goes on from there.
// Used by tools/evaluation/runner.cc.
// Thread rules: one thread; of several processes one has a journal.
#ifndef GLINT_TOOLS_EVALUATION_JOURNAL_H_
#define GLINT_TOOLS_EVALUATION_JOURNAL_H_

#include <memory>
#include <string>
#include <vector>

#include "tools/evaluation/steps.h"

namespace glint::tools {

// Of the results that go to `json`.
std::string JournalPath(const std::string& json);

class EvaluationJournal {
 public:
  // Goes on with the file, or begins it. An error where it is of another run, or of pictures that
  // have changed: `paths` are those of the run's list. A last line that is not whole is cut off.
  static Expected<std::unique_ptr<EvaluationJournal>> Open(const std::string& path,
                                                           const EvaluationRun& run,
                                                           const std::vector<std::string>& paths);
  ~EvaluationJournal();
  EvaluationJournal(const EvaluationJournal&) = delete;
  EvaluationJournal& operator=(const EvaluationJournal&) = delete;

  const StepTable& done() const { return done_; }
  Error Append(const Step& step);  // nothing is lost if the program is ended after it
  void Remove();

 private:
  EvaluationJournal(std::string path, int file) : path_(std::move(path)), file_(file) {}
  // Begins the file, or reads what it has.
  Error Continue(const Json& header, const EvaluationRun& run);
  Error ReadLine(const Json& json, const EvaluationRun& run);
  Error Write(const std::string& text);

  const std::string path_;
  const int file_;
  StepTable done_;
};

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_JOURNAL_H_
