// The log of one run of `evaluate`, in the seed's form: DIR/log/YYYYmmdd_HHMMSS.log, each line with
// its time and level. Used by tools/evaluation.
// Thread rules: one thread.
#ifndef GLINT_TOOLS_COMMON_LOG_FILE_H_
#define GLINT_TOOLS_COMMON_LOG_FILE_H_

#include <cstdio>
#include <memory>
#include <string>

#include "glint/glint.hpp"

namespace glint::tools {

class LogFile {
 public:
  // Makes the folder and a file of its own ("..._2.log" when the second has one already).
  static Expected<std::unique_ptr<LogFile>> Create(const std::string& folder);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  const std::string& path() const { return path_; }
  void Info(const std::string& text) { Write("INFO ", text); }  // one line of log per line of text
  void Failed(const std::string& text) { Write("ERROR", text); }
  // The first error of any line, with the file's name. Nothing is written after it.
  Error Close();

 private:
  LogFile(std::string path, std::FILE* file);
  void Write(const char* level, const std::string& text);

  std::string path_;
  std::FILE* file_;
  int error_ = 0;  // as errno
};

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMON_LOG_FILE_H_
