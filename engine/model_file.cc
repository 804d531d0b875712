#include "engine/model_file.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "engine/graph_check.h"
#include "engine/graph_document.h"
#include "engine/json.h"
#include "engine/sha256.h"

namespace glint {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{4} << 30;
// The most that the header of a file takes while it is read: its text a few times, and JSON values
// with what is made of them, nodes and tensors. A value has two bytes of text at least, and
// ParseJson allows so many.
uint64_t HeaderMemory(std::span<const uint8_t> file) {
  constexpr uint64_t kMostValues = 2 * (uint64_t{1} << 18), kValueBytes = 256;
  uint64_t text = 0;
  if (file.size() < sizeof(text)) return 0;
  std::memcpy(&text, file.data(), sizeof(text));
  text = std::min<uint64_t>(text, file.size());
  return 4 * text + kValueBytes * std::min(text / 2, kMostValues);
}

// What a whole file has, taken piece by piece: `each` hears how many bytes it was, and may end it.
template <typename Each>
Result<ModelId> Identify(std::span<const uint8_t> bytes, const Each& each) {
  constexpr size_t kPiece = size_t{8} << 20;
  Sha256 sha;
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), kPiece));
    sha.Update(piece);
    bytes = bytes.subspan(piece.size());
    GLINT_TRY(each(piece.size()));
  }
  const Sha256Digest digest = sha.Finish();
  ModelId id{};
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

class LoadedModel final : public ModelFile {
 public:
  LoadedModel(std::string name, MappedFile file)
      : name_(std::move(name)), file_(std::move(file)), bytes_(file_.bytes()) {}
  LoadedModel(std::string name, std::span<const uint8_t> bytes)
      : name_(std::move(name)), copy_(bytes.begin(), bytes.end()), bytes_(copy_) {}

  Status Read(const Runner& runner, MemoryBudget* budget, WorkProgress* progress) {
    progress->Begin(ModelFileOptions::kLoaded);
    GLINT_TRY(budget->Take(HeaderMemory(bytes_), name_ + ": its header"));
    GLINT_ASSIGN(SafeTensors parsed, ParseSafeTensors(bytes_, name_));
    tensors_ = std::move(parsed.tensors);
    const auto text = parsed.metadata.find("glint");
    if (text == parsed.metadata.end()) {
      return BadModel(name_, "no 'glint' document in __metadata__: not a Glint model");
    }
    document_text_ = std::move(text->second);
    Status checked, identified;
    ParallelFor(runner, 2, [&](size_t task, size_t) {
      if (task == 0) {
        checked = WithoutBadAlloc([&] { return ParseAndCheck(document_text_, progress); });
      } else if (runner.run != nullptr || checked.ok()) {
        identified = WithoutBadAlloc([&] { return Identify(progress); });
      }
    });
    GLINT_TRY(checked.WithContext(name_));
    return identified.WithContext(name_);
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
  // Both are half of their part of the progress.
  static constexpr double kHalf = 0.5;

  Status ParseAndCheck(const std::string& text, WorkProgress* progress) {
    GLINT_ASSIGN(graphs_, ParseGraphs(text));
    GLINT_TRY(CheckWeightUse(tensors_, graphs_));
    for (auto& entry : graphs_) {
      GLINT_TRY(CheckGraph(tensors_, &entry.second));
      GLINT_TRY(progress->Done(kHalf / static_cast<double>(graphs_.size())));
    }
    return Status::Ok();
  }

  Status Identify(WorkProgress* progress) {
    const double each = kHalf / static_cast<double>(bytes_.size());
    GLINT_ASSIGN(id_, glint::Identify(bytes_, [&](size_t bytes) {
                   return progress->Done(each * static_cast<double>(bytes));
                 }));
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

}  // namespace

std::string ToHex(std::span<const uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

Result<std::shared_ptr<const ModelFile>> ModelFile::Load(const std::string& path,
                                                         const ModelFileOptions& options) {
  constexpr double kRead = 0.1;  // of the progress
  MemoryBudget unlimited;
  MemoryBudget* const budget = options.budget == nullptr ? &unlimited : options.budget;
  WorkProgress untold;
  WorkProgress* const progress = options.progress == nullptr ? &untold : options.progress;
  progress->Begin(kRead);
  GLINT_ASSIGN(MappedFile file,
               MappedFile::Open(path, kMaxFileBytes, options.access, budget, progress));
  auto model = std::make_shared<LoadedModel>(path, std::move(file));
  GLINT_TRY(model->Read(options.runner, budget, progress));
  return std::shared_ptr<const ModelFile>(std::move(model));
}

Result<ModelId> ModelFile::IdOf(const std::string& path) {
  MemoryBudget unlimited;
  WorkProgress untold;
  untold.Begin(1);
  GLINT_ASSIGN(
      const MappedFile file,
      MappedFile::Open(path, kMaxFileBytes, MappedFile::Access::kMapLarge, &unlimited, &untold));
  return Identify(file.bytes(), [](size_t) { return Status::Ok(); });
}

Result<std::shared_ptr<const ModelFile>> ModelFile::FromMemory(std::span<const uint8_t> bytes,
                                                               const std::string& name,
                                                               const ModelFileOptions& options) {
  MemoryBudget unlimited;
  MemoryBudget* const budget = options.budget == nullptr ? &unlimited : options.budget;
  WorkProgress untold;
  GLINT_TRY(budget->Take(bytes.size(), name + ": its bytes"));
  auto model = std::make_shared<LoadedModel>(name, bytes);
  GLINT_TRY(model->Read(options.runner, budget,
                        options.progress == nullptr ? &untold : options.progress));
  return std::shared_ptr<const ModelFile>(std::move(model));
}

}  // namespace glint
