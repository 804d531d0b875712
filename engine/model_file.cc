#include "engine/model_file.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/graph_check.h"
#include "engine/graph_document.h"
#include "engine/json.h"
#include "engine/mapped_file.h"
#include "engine/sha256.h"

namespace glint {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{4} << 30;

class LoadedModel final : public ModelFile {
 public:
  LoadedModel(std::string name, MappedFile file)
      : name_(std::move(name)), file_(std::move(file)), bytes_(file_.bytes()) {}
  LoadedModel(std::string name, std::span<const uint8_t> bytes)
      : name_(std::move(name)), copy_(bytes.begin(), bytes.end()), bytes_(copy_) {}

  Status Read(const Runner& runner) {
    GLINT_ASSIGN(SafeTensors parsed, ParseSafeTensors(bytes_, name_));
    tensors_ = std::move(parsed.tensors);
    const auto text = parsed.metadata.find("glint");
    if (text == parsed.metadata.end()) {
      return BadModel(name_, "no 'glint' document in __metadata__: not a Glint model");
    }
    document_text_ = std::move(text->second);
    Status checked;
    ParallelFor(runner, 2, [&](size_t task, size_t) {
      if (task == 0) {
        checked = WithoutBadAlloc([&] { return ParseAndCheck(document_text_); });
      } else if (runner.run != nullptr || checked.ok()) {
        const Sha256Digest digest = Sha256Of(bytes_);
        std::copy_n(digest.begin(), id_.size(), id_.begin());
      }
    });
    return checked.WithContext(name_);
  }

  const Graphs& graphs() const override { return graphs_; }
  const ModelId& id() const override { return id_; }
  uint64_t file_bytes() const override { return bytes_.size(); }
  const std::string& name() const override { return name_; }
  const TensorView* tensor(const std::string& name) const override {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? nullptr : &found->second;
  }
  const TensorTable& tensors() const override { return tensors_; }
  const std::string& document_text() const override { return document_text_; }

 private:
  Status ParseAndCheck(const std::string& text) {
    GLINT_ASSIGN(graphs_, ParseGraphs(text));
    GLINT_TRY(CheckWeightUse(tensors_, graphs_));
    for (auto& entry : graphs_) GLINT_TRY(CheckGraph(tensors_, &entry.second));
    return Status::Ok();
  }

  const std::string name_;
  MappedFile file_;
  std::vector<uint8_t> copy_;
  std::span<const uint8_t> bytes_;
  TensorTable tensors_;
  Graphs graphs_;
  std::string document_text_;
  ModelId id_{};
};

Result<std::shared_ptr<const ModelFile>> Checked(std::shared_ptr<LoadedModel> model,
                                                 const Runner& runner) {
  GLINT_TRY(model->Read(runner));
  return std::shared_ptr<const ModelFile>(std::move(model));
}

}  // namespace

std::string ToHex(const ModelId& id) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const uint8_t byte : id) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

Result<std::shared_ptr<const ModelFile>> ModelFile::Load(const std::string& path,
                                                         const Runner& runner) {
  GLINT_ASSIGN(MappedFile file, MappedFile::Open(path, kMaxFileBytes));
  return Checked(std::make_shared<LoadedModel>(path, std::move(file)), runner);
}

Result<std::shared_ptr<const ModelFile>> ModelFile::FromMemory(std::span<const uint8_t> bytes,
                                                               const std::string& name,
                                                               const Runner& runner) {
  return Checked(std::make_shared<LoadedModel>(name, bytes), runner);
}

}  // namespace glint
