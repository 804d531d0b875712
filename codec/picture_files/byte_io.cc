#include "codec/picture_files/byte_io.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "glint/image_io.hpp"

namespace glint {
namespace {

constexpr size_t kBufferBytes = kSourceBytes;
constexpr size_t kMaxTransfer = size_t{1} << 30;  // read() and write() may refuse more at once

std::string ErrnoText() { return std::strerror(errno); }

// After read() or write() failed: true where nothing is wrong and it is time to call again. Waits
// for a descriptor that does not wait by itself.
bool MayGoOn(int fd, short events) {
  if (errno == EINTR) return true;
  if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
  pollfd waited_for{fd, events, 0};
  return poll(&waited_for, 1, -1) >= 0 || errno == EINTR;
}

std::optional<int> DescriptorOf(const std::string& path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (const std::string folder : {"/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/"}) {
    if (path.rfind(folder, 0) != 0) continue;
    int fd = -1;
    const char* const end = path.data() + path.size();
    const auto [next, error] = std::from_chars(path.data() + folder.size(), end, fd);
    if (error == std::errc() && next == end && fd >= 0) return fd;
  }
  return std::nullopt;
}

// What "/dev/stdout" and "/dev/fd/3" mean where programs write, and links to them. To open them
// would begin a file anew that a shell has redirected them to, and fails for sockets.
std::optional<int> DescriptorNamed(const std::string& path) {
  if (path == "-") return STDOUT_FILENO;
  std::error_code error;
  std::filesystem::path name = std::filesystem::absolute(path, error);
  for (int i = 0; i < kMostLinks && !error; ++i) {
    if (const std::optional<int> fd = DescriptorOf(name.lexically_normal().string())) return fd;
    const std::optional<std::filesystem::path> target = LinkTarget(name);
    if (!target) break;
    name = *target;
  }
  return std::nullopt;
}

bool IsSpecial(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
}

}  // namespace

Error FileError(ErrorCode code, const std::string& name, const std::string& reason) {
  return Error{code, name + ": " + reason};
}

// ---- source ------------------------------------------------------------------------------------

Expected<std::unique_ptr<ByteSource>> ByteSource::Open(const std::string& path) {
  if (path == "-") return FromDescriptor(STDIN_FILENO, Descriptor::kBorrowed, "standard input");
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileError(ErrorCode::kNotFound, path, "cannot be opened: " + ErrnoText());
  return FromDescriptor(fd, Descriptor::kOwned, path);
}

std::unique_ptr<ByteSource> ByteSource::FromMemory(const void* data, size_t size,
                                                   const std::string& name) {
  std::unique_ptr<ByteSource> source(new ByteSource(name));
  source->cursor_ = static_cast<const uint8_t*>(data);
  source->end_ = source->cursor_ + size;
  source->memory_ = source->cursor_;
  source->size_ = size;
  return source;
}

std::unique_ptr<ByteSource> ByteSource::FromDescriptor(int fd, Descriptor ownership,
                                                       const std::string& name) {
  std::unique_ptr<ByteSource> source(new ByteSource(name));
  source->fd_ = fd;
  source->ownership_ = ownership;
  source->buffer_.resize(kBufferBytes);
  struct stat info {};
  const off_t start = lseek(fd, 0, SEEK_CUR);
  // Files of /proc say that they are empty.
  if (start >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
    source->start_ = static_cast<uint64_t>(start);
    source->size_ = static_cast<uint64_t>(std::max<off_t>(0, info.st_size - start));
  }
  return source;
}

ByteSource::~ByteSource() {
  if (fd_ >= 0 && ownership_ == Descriptor::kOwned) close(fd_);
}

size_t ByteSource::ReadSome(uint8_t* out, size_t size) {
  if (fd_ < 0 || !error_.ok()) return 0;
  while (true) {
    const ssize_t got = read(fd_, out, std::min(size, kMaxTransfer));
    if (got >= 0) return static_cast<size_t>(got);
    if (!MayGoOn(fd_, POLLIN)) break;
  }
  error_ = FileError(ErrorCode::kIo, name_, "cannot be read: " + ErrnoText());
  return 0;
}

bool ByteSource::Fill() {
  const size_t got = fd_ < 0 ? 0 : ReadSome(buffer_.data(), buffer_.size());
  if (got == 0) return false;
  cursor_ = buffer_.data();
  end_ = cursor_ + got;
  return true;
}

size_t ByteSource::Read(void* out, size_t size) {
  auto* to = static_cast<uint8_t*>(out);
  size_t done = 0;
  while (done < size) {
    const size_t left = size - done;
    if (cursor_ != end_) {
      const size_t part = std::min(left, static_cast<size_t>(end_ - cursor_));
      std::memcpy(to + done, cursor_, part);
      cursor_ += part;
      done += part;
    } else if (left >= kBufferBytes) {
      const size_t got = ReadSome(to + done, left);
      if (got == 0) break;
      done += got;
    } else if (!Fill()) {
      break;
    }
  }
  return done;
}

size_t ByteSource::ReadAt(uint64_t offset, void* out, size_t size) const {
  if (!size_ || offset >= *size_) return 0;
  size = static_cast<size_t>(std::min<uint64_t>(size, *size_ - offset));
  if (memory_ != nullptr) {
    std::memcpy(out, memory_ + offset, size);
    return size;
  }
  size_t done = 0;
  while (done < size) {
    const ssize_t got = pread(fd_, static_cast<uint8_t*>(out) + done, size - done,
                              static_cast<off_t>(start_ + offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

size_t ByteSource::Peek(uint8_t* out, size_t size) {
  size = std::min(size, kMaxPeek);
  while (fd_ >= 0 && static_cast<size_t>(end_ - cursor_) < size) {
    // A pipe may give few bytes at a time: move what is there to the front and read on behind it.
    const auto kept = static_cast<size_t>(end_ - cursor_);
    if (kept != 0) std::memmove(buffer_.data(), cursor_, kept);
    const size_t got = ReadSome(buffer_.data() + kept, buffer_.size() - kept);
    cursor_ = buffer_.data();
    end_ = cursor_ + kept + got;
    if (got == 0) break;
  }
  const size_t count = std::min(size, static_cast<size_t>(end_ - cursor_));
  if (count != 0) std::memcpy(out, cursor_, count);
  return count;
}

Error ByteSource::ErrorAtEnd(const std::string& reason) const {
  return error_.ok() ? FileError(ErrorCode::kBadImage, name_, reason) : error_;
}

// ---- sink --------------------------------------------------------------------------------------

bool WritesStoredFile(const std::string& path) {
  return !DescriptorNamed(path) && !IsSpecial(path);
}

Expected<std::unique_ptr<ByteSink>> ByteSink::Create(const std::string& path, Existing existing) {
  std::unique_ptr<ByteSink> sink(new ByteSink(path == "-" ? "standard output" : path));
  sink->buffer_.reserve(kBufferBytes);
  const std::optional<int> descriptor = DescriptorNamed(path);
  const Error error = descriptor        ? sink->OpenDescriptor(*descriptor)
                      : IsSpecial(path) ? sink->OpenDirect(path)
                                        : sink->OpenFile(path, existing);
  if (!error.ok()) return error;
  return sink;
}

std::unique_ptr<ByteSink> ByteSink::ToMemory(std::vector<uint8_t>* out, const std::string& name) {
  std::unique_ptr<ByteSink> sink(new ByteSink(name));
  sink->memory_ = out;
  return sink;
}

// A copy, for the descriptor itself is not ours to close.
Error ByteSink::OpenDescriptor(int fd) {
  fd_ = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (fd_ < 0) return Fail("cannot be written");
  owned_ = true;
  return {};
}

// Devices and pipes must not be replaced by a file. A folder fails here with the right message.
Error ByteSink::OpenDirect(const std::string& path) {
  fd_ = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd_ < 0) return Fail("cannot be written");
  owned_ = true;
  return {};
}

Error ByteSink::OpenFile(const std::string& path, Existing existing) {
  file_ = std::make_unique<OutputFile>(name_, path, existing);
  const Error error = file_->Open();
  fd_ = file_->descriptor();
  return error;
}

ByteSink::~ByteSink() {
  if (fd_ >= 0 && owned_) close(fd_);
}

Error ByteSink::Fail(const std::string& what) {
  return FileError(ErrorCode::kIo, name_, what + ": " + ErrnoText());
}

Error ByteSink::WriteDirect(const uint8_t* data, size_t size) {
  while (size != 0) {
    const ssize_t written = write(fd_, data, std::min(size, kMaxTransfer));
    if (written < 0) {
      if (MayGoOn(fd_, POLLOUT)) continue;
      return Fail("cannot be written");
    }
    data += written;
    size -= static_cast<size_t>(written);
  }
  return {};
}

Error ByteSink::Flush() {
  const Error error = WriteDirect(buffer_.data(), buffer_.size());
  buffer_.clear();
  return error;
}

Error ByteSink::Write(const void* data, size_t size) {
  if (size == 0) return {};
  const auto* from = static_cast<const uint8_t*>(data);
  if (memory_ != nullptr) {
    memory_->insert(memory_->end(), from, from + size);
    return {};
  }
  if (buffer_.size() + size > kBufferBytes) {
    const Error error = Flush();
    if (!error.ok()) return error;
  }
  if (size > kBufferBytes) return WriteDirect(from, size);
  buffer_.insert(buffer_.end(), from, from + size);
  return {};
}

Error ByteSink::Finish() {
  if (memory_ != nullptr) return {};
  const Error flushed = Flush();
  if (!flushed.ok()) return flushed;
  const int fd = std::exchange(fd_, -1);
  if (file_ != nullptr) return file_->Commit();
  if (!owned_) return {};
  const int closed = close(fd);
  return closed == 0 ? Error{} : Fail("cannot be written");
}

}  // namespace glint
