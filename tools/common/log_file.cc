#include "tools/common/log_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <utility>

#include "tools/common/console.h"
#include "tools/common/machine.h"

namespace glint::tools {

Expected<std::unique_ptr<LogFile>> LogFile::Create(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return MakeError(ErrorCode::kIo, folder + ": " + error.message());
  const std::string stem = folder + "/" + LocalTime("%Y%m%d_%H%M%S");
  std::string path = stem + ".log";
  std::FILE* file = std::fopen(path.c_str(), "wx");
  for (int i = 2; file == nullptr && errno == EEXIST && i < 1000; ++i) {
    path = stem + "_" + std::to_string(i) + ".log";
    file = std::fopen(path.c_str(), "wx");
  }
  if (file == nullptr) return MakeError(ErrorCode::kIo, path + ": " + std::strerror(errno));
  std::unique_ptr<LogFile> log(new LogFile(path, file));
  log->Info("Log: " + path);
  log->Info("PID: " + std::to_string(getpid()));
  return log;
}

LogFile::LogFile(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}

LogFile::~LogFile() {
  if (file_ != nullptr) std::fclose(file_);
}

Error LogFile::Close() {
  errno = 0;
  if (std::fclose(std::exchange(file_, nullptr)) != 0 && error_ == 0) error_ = errno;
  if (error_ == 0) return {};
  return MakeError(ErrorCode::kIo, path_ + ": " + std::strerror(error_));
}

void LogFile::Write(const char* level, const std::string& text) {
  const std::string time = LocalTime("%Y-%m-%d %H:%M:%S");
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (std::fprintf(file_, "%s, [%s], %s\n", time.c_str(), level, line.c_str()) < 0 &&
        error_ == 0) {
      error_ = errno;
    }
  }
  if (std::fflush(file_) != 0 && error_ == 0) error_ = errno;
}

}  // namespace glint::tools
