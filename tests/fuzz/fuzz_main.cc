// The entry of glint_fuzz, which libFuzzer drives (clang: -fsanitize=fuzzer). GLINT_FUZZ_TARGET
// names the target; without it the names are listed. Inputs are changed by tests/mutate.h, which
// knows the forms of files, in turn with libFuzzer's own edits.
// One thread; targets make their own.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/fuzz/target.h"
#include "tests/mutate.h"

extern "C" {
// These names are libFuzzer's.
size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);
int LLVMFuzzerInitialize(int* argc, char*** argv);
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t* data, size_t size, const uint8_t* other,
                                 size_t other_size, uint8_t* out, size_t most, unsigned int seed);
}

namespace glint::fuzz {
namespace {

using testing::Mutator;

const Target* target = nullptr;

// A safetensors header that can be parsed begins the file.
bool IsModel(const Bytes& bytes) {
  uint64_t size = 0;
  if (bytes.size() < sizeof(size)) return false;
  std::memcpy(&size, bytes.data(), sizeof(size));
  if (size > bytes.size() - sizeof(size)) return false;
  const auto header = bytes.begin() + sizeof(size);
  return nlohmann::json::accept(header, header + static_cast<std::ptrdiff_t>(size));
}

Bytes Mutated(const Bytes& data, const Bytes& other, Mutator* mutator) {
  switch (target->form) {
    case Form::kStream:
      return mutator->Stream(data, other);
    case Form::kPng:
      return mutator->Png(data, other);
    case Form::kModel:
      if (IsModel(data)) return mutator->Model(data);
      [[fallthrough]];
    default: {
      Bytes changed = data;
      mutator->EditBytes(&changed, other);
      return changed;
    }
  }
}

// Options and data of an input, apart.
struct Parts {
  Bytes prefix, data;
  Parts(const uint8_t* bytes, size_t size) {
    const size_t at = PrefixBytes({bytes, size});
    prefix.assign(bytes, bytes + at);
    data.assign(bytes + at, bytes + size);
  }
};

size_t Join(const Bytes& prefix, const Bytes& data, uint8_t* out, size_t most) {
  const size_t begin = std::min(prefix.size(), most);
  const size_t size = std::min(data.size(), most - begin);
  std::copy_n(prefix.begin(), begin, out);
  std::copy_n(data.begin(), size, out + begin);
  return begin + size;
}

size_t Mutate(uint8_t* data, size_t size, size_t most, unsigned seed) {
  Mutator mutator(seed);
  Parts parts(data, size);
  const bool has_options = !parts.prefix.empty();
  if (!has_options && mutator.OneIn(20)) {
    parts.prefix = MakeInput({}, {});
    return Join(parts.prefix, parts.data, data, most);
  }
  if (has_options && mutator.OneIn(4)) {  // other options
    const size_t at = sizeof(kChoicesMark) + mutator.Below(kChoiceBytes);
    parts.prefix[at] = mutator.OneIn(4) ? uint8_t{0} : mutator.Byte();
    if (!mutator.OneIn(3)) return Join(parts.prefix, parts.data, data, most);
  }
  // libFuzzer knows what the code compared with; ours knows the form.
  if (target->form == Form::kBytes ? !mutator.OneIn(4) : mutator.OneIn(3)) {
    const size_t begin = parts.prefix.size();
    if (begin >= most) return size;
    std::copy(parts.prefix.begin(), parts.prefix.end(), data);
    return begin + LLVMFuzzerMutate(data + begin, size - begin, most - begin);
  }
  return Join(parts.prefix, Mutated(parts.data, parts.data, &mutator), data, most);
}

}  // namespace
}  // namespace glint::fuzz

using glint::fuzz::target;

int LLVMFuzzerInitialize(int*, char***) {
  const char* const name = std::getenv("GLINT_FUZZ_TARGET");
  if (name != nullptr) target = glint::fuzz::FindTarget(name);
  if (target != nullptr) return 0;
  std::fprintf(stderr, "GLINT_FUZZ_TARGET must name one of:\n");
  for (const auto& one : glint::fuzz::Targets()) std::fprintf(stderr, "%s\n", one.name);
  std::exit(2);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  glint::fuzz::RunInput(*target, {data, size});
  return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned int seed) {
  return glint::fuzz::Mutate(data, size, most, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t* data, size_t size, const uint8_t* other,
                                 size_t other_size, uint8_t* out, size_t most, unsigned int seed) {
  glint::testing::Mutator mutator(seed);
  const glint::fuzz::Parts parts(data, size), from(other, other_size);
  const bool takes_options = mutator.OneIn(4) && !from.prefix.empty();
  return glint::fuzz::Join(takes_options ? from.prefix : parts.prefix,
                           glint::fuzz::Mutated(parts.data, from.data, &mutator), out, most);
}
