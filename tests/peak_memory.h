// How much memory the process takes at its peak, beyond what it had before.
// Used by tests only.
// Thread rules: one measurement at a time; other threads' memory counts as well.
#ifndef GLINT_TESTS_PEAK_MEMORY_H_
#define GLINT_TESTS_PEAK_MEMORY_H_

#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace glint::testing {

// What a sanitizer may hold besides: AddressSanitizer keeps what is freed, and ThreadSanitizer some
// bytes for each that was ever touched, so that peaks say little there.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr uint64_t kSanitizerMemory = uint64_t{1} << 30;
#elif defined(__SANITIZE_THREAD__)
inline constexpr uint64_t kSanitizerMemory = uint64_t{8} << 30;
#else
inline constexpr uint64_t kSanitizerMemory = 0;
#endif

// Resident bytes between construction and Growth(), without pages of files: the kernel takes those
// of the program away when they were not used for a while, and they come back whenever they are.
// Where the kernel does not let the peak be set back (/proc/self/clear_refs), only growth beyond
// the process's earlier peak is seen: too little then, never too much.
class PeakMemory {
 public:
  PeakMemory() {
    malloc_trim(0);
    if (std::FILE* file = std::fopen("/proc/self/clear_refs", "w")) {
      std::fputs("5", file);
      std::fclose(file);
    }
    before_ = Read("VmHWM:");
    files_before_ = Read("RssFile:");
  }
  uint64_t Growth() const {
    const uint64_t files = std::max(Read("RssFile:"), files_before_) - files_before_;
    const uint64_t now = Read("VmHWM:");
    return std::max(now, before_ + files) - before_ - files;
  }

 private:
  static uint64_t Read(const char* key) {
    uint64_t kilobytes = 0;
    std::FILE* file = std::fopen("/proc/self/status", "r");
    if (file == nullptr) return 0;
    char line[256];
    while (std::fgets(line, sizeof(line), file) != nullptr) {
      if (std::strncmp(line, key, std::strlen(key)) != 0) continue;
      unsigned long long value = 0;
      if (std::sscanf(line + std::strlen(key), "%llu", &value) == 1) kilobytes = value;
    }
    std::fclose(file);
    return kilobytes * 1024;
  }

  uint64_t before_ = 0;
  uint64_t files_before_ = 0;
};

}  // namespace glint::testing

#endif  // GLINT_TESTS_PEAK_MEMORY_H_
