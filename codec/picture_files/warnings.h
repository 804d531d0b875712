// What a reader of picture files has to say besides errors: texts, each once, never too many.
// Called by the readers of codec/.
// Thread rules: one caller at a time.
#ifndef GLINT_CODEC_PICTURE_FILES_WARNINGS_H_
#define GLINT_CODEC_PICTURE_FILES_WARNINGS_H_

#include <algorithm>
#include <string>
#include <vector>

namespace glint {

// Of C2PA: signatures of what a picture was, which a copy of other bytes cannot have.
inline constexpr const char* kCredentialsLeftOut = "its content credentials (C2PA): left out";

class Warnings {
 public:
  // A hostile file could ask for millions of them.
  static constexpr size_t kMost = 16;

  void Add(const std::string& text) {
    if (texts_.size() > kMost || std::find(texts_.begin(), texts_.end(), text) != texts_.end()) {
      return;
    }
    texts_.push_back(texts_.size() < kMost ? text : "there is more of this kind");
  }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
};

}  // namespace glint

#endif  // GLINT_CODEC_PICTURE_FILES_WARNINGS_H_
