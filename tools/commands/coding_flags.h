// Flags that `glint encode` and `glint decode` share, and what they mean to the library.
// Used by the files of the commands.
// Thread rules: main thread only, but for the progress callback, which the library calls.
#ifndef GLINT_TOOLS_COMMANDS_CODING_FLAGS_H_
#define GLINT_TOOLS_COMMANDS_CODING_FLAGS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "glint/glint.hpp"
#include "tools/common/console.h"
#include "tools/common/pace.h"

namespace CLI {
class App;
}

namespace glint::tools {

struct CodingFlags {
  std::string model, target;
  int threads = 0;
  int band = 0;
  Limits limits;
  bool verbose = false;
};

// `default_model` says which model it is without --model.
void AddCodingFlags(CLI::App* app, const std::string& default_model, CodingFlags* flags);
void AddTargetFlag(CLI::App* app, std::string* target);
void AddLimitFlags(CLI::App* app, Limits* limits);

// What is told of one file while it takes a while.
class CodingStatus {
 public:
  explicit CodingStatus(std::string what) : what_(std::move(what)) {}  // "encoding"
  bool visible() const { return line_.visible(); }
  void set_pixels(uint64_t pixels) { pixels_ = pixels; }  // of the file; 0: not known
  void Show(double done);                                 // 0..1
  void Clear() { line_.Clear(); }

 private:
  std::string what_;
  StatusLine line_;
  Pace pace_{"MP"};
  uint64_t pixels_ = 0;
};

// Threads, bands and limits; `status` shows what is done, and an interrupt stops the call.
CallOptions CallFor(const CodingFlags& flags, CodingStatus* status);

// What one coding did, for -v.
struct CodingSummary {
  uint64_t pixels = 0;  // of the whole picture, a part of which may be all that was made
  PictureInfo picture;
  uint64_t stream_bytes = 0;
  Report report;
  std::string found;                  // what a search for the rate came to, else empty
  std::vector<std::string> warnings;  // about the picture that was read
  std::string left_out;               // what of the input is not in the output, else empty
};
// "photo.glint: 768x512, RGB, 8 bits, ...", and a line about details where there is something to
// say of them.
std::vector<std::string> SummaryLines(const std::string& name, const CodingSummary& summary);
void SaySummary(const std::string& name, const CodingSummary& summary);  // on standard error

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_CODING_FLAGS_H_
