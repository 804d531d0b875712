// What happens when a signal asks the program to end: at once by the signal itself, as any program
// does, so that a shell's loop stops too; but where a file is being written, not before it is
// removed. Used by the tools.
// Thread rules: CatchSignals() once, before other threads; all else from any thread.
#ifndef GLINT_TOOLS_COMMON_SIGNALS_H_
#define GLINT_TOOLS_COMMON_SIGNALS_H_

#include <string>

namespace glint::tools {

// Catches SIGINT, SIGTERM, SIGHUP, and the others that may come from outside and end a program,
// unless it was started with them ignored (nohup, background jobs of scripts). A second SIGINT or
// SIGQUIT ends the program whatever it is doing. Writing to a closed pipe or beyond a limit on file
// sizes becomes a failed write.
void CatchSignals();

// Whether one of them came while a file was being written. Then stop, and call EndIfInterrupted().
bool Interrupted();
// Restores the signal's default action and raises it again.
void EndIfInterrupted();

// Whether a line on standard error has begun and not ended (StatusLine). A signal that ends the
// program ends it first, so that the shell's prompt begins a line of its own.
void SetLineBegun(bool begun);

// While one of these lives, a signal only makes Interrupted() true, so that an unfinished file can
// be removed. Outputs that are not removed, such as standard output ("-"), are not protected.
// Declare it before the object that removes the file.
class UnfinishedFile {
 public:
  explicit UnfinishedFile(const std::string& path);
  ~UnfinishedFile();
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;
  bool allowed() const { return allowed_; }  // false: a signal has come, begin nothing

 private:
  bool counts_;
  bool allowed_;
};

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMON_SIGNALS_H_
