#include "codec/detail/pixels.h"

#include <algorithm>
#include <bit>
#include <memory>

namespace glint::detail {
namespace {

constexpr uint8_t kUnknownResidual = 4;
constexpr uint8_t kUnknownError = 8;

// Upper ends of classes of how large the residuals around are.
constexpr int kActivitySteps[PixelModels::kActivities - 1] = {1,  2,  3,  4,  6,  8,  10, 13,
                                                              17, 22, 28, 36, 48, 64, 90, 130};
int ActivityClass(int activity) {
  int c = 0;
  while (c < PixelModels::kActivities - 1 && activity >= kActivitySteps[c]) ++c;
  return c;
}

uint32_t Mix(uint32_t hash, Colour colour) { return (hash ^ colour) * 2654435761u + (hash >> 15); }
uint32_t Fold(uint32_t hash) { return (hash ^ (hash >> 13)) * 2246822519u; }

int Channel(Colour colour, int channel) { return static_cast<int>(colour >> (8 * channel) & 255); }

// Weight of a predictor by the sum of its errors around: 2^28 / (error + 12)^3, 1 at least.
struct Weights {
  std::array<uint32_t, 6 * 255 + 1> of{};
  constexpr Weights() {
    for (uint32_t e = 0; e < of.size(); ++e) {
      const uint64_t cube = uint64_t{e + 12} * (e + 12) * (e + 12);
      of[e] = static_cast<uint32_t>(std::max<uint64_t>(1, (uint64_t{1} << 28) / cube));
    }
  }
};
constexpr Weights kWeights{};

int Median(int w, int n, int nw) {
  const int most = std::max(w, n), least = std::min(w, n);
  return nw >= most ? least : nw <= least ? most : w + n - nw;
}

// How large something beside a residual is.
int SizeClass(int size) { return size < 1 ? 0 : size < 3 ? 1 : size < 7 ? 2 : 3; }

}  // namespace

PixelCoder::PixelCoder(int top) : top_(top), deep_(size_t{1} << kHashBits), brief_(deep_.size()) {
  changes_.reserve(kMostChanges);
  Reset(3);
}

uint64_t PixelCoder::MemoryNeeded() {
  return sizeof(PixelCoder) + (size_t{2} << kHashBits) * sizeof(Memory) +
         kMostChanges * sizeof(Change);
}

void PixelCoder::Reset(int channels) {
  channels_ = channels;
  const auto middle = static_cast<Colour>((top_ + 1) / 2);
  middle_ = channels == 1 ? middle : middle << 16 | middle << 8 | middle;
  std::construct_at(&state_);  // in place: it is too large for the stack
  state_.recent.fill(kNoColour);
  if (is_used_) {
    std::fill(deep_.begin(), deep_.end(), Memory());
    std::fill(brief_.begin(), brief_.end(), Memory());
  }
  is_used_ = false;
  changes_.clear();
}

void PixelCoder::Mark() { marked_ = state_; }

void PixelCoder::Restore() {
  state_ = marked_;
  for (size_t i = changes_.size(); i-- > 0;) *changes_[i].place = changes_[i].old;
  changes_.clear();
}

PixelCoder::Around PixelCoder::Look(const Colour* at) const {
  constexpr int s = PixelField::kStride;
  const auto known = [](Colour c, Colour other) { return c == kNoColour ? other : c; };
  Around a;
  a.w = known(at[-1], known(at[-s], middle_));
  a.n = known(at[-s], a.w);
  a.nw = known(at[-s - 1], a.n);
  a.ne = known(at[-s + 1], a.n);
  a.ww = known(at[-2], a.w);
  a.nn = known(at[-2 * s], a.n);
  a.nne = known(at[-2 * s + 1], a.ne);
  a.nee = known(at[-s + 2], a.ne);
  a.nww = known(at[-s - 2], a.nw);
  a.nnw = known(at[-2 * s - 1], a.nw);
  a.www = known(at[-3], a.ww);
  return a;
}

bool PixelCoder::Near(Colour a, Colour b, int near) const {
  if (near == 0) return a == b;
  for (int c = 0; c < channels_; ++c) {
    if (std::abs(Channel(a, c) - Channel(b, c)) > near) return false;
  }
  return true;
}

PixelCoder::Memories PixelCoder::Recall(const Around& a) {
  constexpr int kPlace = 32 - kHashBits;
  uint32_t hash = 1;
  for (const Colour c : {a.w, a.n, a.nw, a.ne, a.ww, a.nn}) hash = Mix(hash, c);
  const uint32_t brief = Fold(hash);
  for (const Colour c : {a.www, a.nww, a.nee, a.nne, a.nnw}) hash = Mix(hash, c);
  const uint32_t deep = Fold(hash);
  return {&brief_[brief >> kPlace], &deep_[deep >> kPlace], static_cast<uint16_t>(brief),
          static_cast<uint16_t>(deep)};
}

template <class Port>
void PixelCoder::Learn(Memory* memory, uint16_t tag, Colour colour) {
  if constexpr (!Port::kDecodes) changes_.push_back({memory, *memory});
  const bool same = memory->tag == tag && memory->colour == colour;
  if (same) {
    memory->trust = static_cast<uint8_t>(std::min(memory->trust + 1, 15));
  } else if (memory->tag == tag && memory->trust > 2) {
    memory->trust = static_cast<uint8_t>(memory->trust / 2);
  } else {
    *memory = {colour, tag, 0};
  }
}

// One of the likely colours? Each is offered once.
template <class Port>
bool PixelCoder::CodeKnown(Port* port, const Around& a, const Memories& memories, Colour wanted,
                           int near, Colour* colour) {
  PixelModels& models = state_.models;
  const int surprise = state_.surprise;
  Colour offered[PixelModels::kCandidates];
  int count = 0;
  bool hit = false;
  const auto offer = [&](AdaptiveBit* model, Colour candidate) {
    if (std::find(offered, offered + count, candidate) != offered + count) return;
    offered[count++] = candidate;
    hit = port->Code(model, !Port::kDecodes && Near(candidate, wanted, near));
    if (hit) *colour = candidate;
  };
  const auto sides = [&](Colour c) { return (c == a.w ? 1 : 0) + (c == a.n ? 2 : 0); };
  const auto recalled = [](const Memory& memory, uint16_t tag) {
    return memory.tag == tag ? memory : Memory();
  };
  const Memory deep = recalled(*memories.deep, memories.deep_tag);
  const Memory brief = recalled(*memories.brief, memories.brief_tag);
  if (deep.colour != kNoColour) {
    const int agree = deep.colour == brief.colour ? 1 : 0;
    offer(&models.deep[(deep.trust * 4 + sides(deep.colour)) * 2 + agree], deep.colour);
  }
  if (!hit && brief.colour != kNoColour) {
    const int tried = deep.colour != kNoColour ? 1 : 0;
    offer(&models.brief[((brief.trust * 4 + sides(brief.colour)) * 2 + tried) * 4 + surprise],
          brief.colour);
  }
  if (hit) return true;
  const int equal = (a.w == a.n ? 1 : 0) + (a.w == a.nw ? 2 : 0) + (a.n == a.nw ? 4 : 0) +
                    (a.n == a.ne ? 8 : 0) + (a.w == a.ww ? 16 : 0) + (a.n == a.nn ? 32 : 0);
  const Colour neighbours[4] = {a.w, a.n, a.ne, a.nw};
  for (int i = 0; i < 4 && !hit; ++i) {
    offer(&models.neighbour[i][equal * 4 + surprise], neighbours[i]);
  }
  return hit;
}

// One of the colours that came last and were not expected? `place` gets which, or the last.
template <class Port>
bool PixelCoder::CodeRecent(Port* port, Colour wanted, int near, int* place, Colour* colour) {
  PixelModels& models = state_.models;
  int found = kRecent;
  if constexpr (!Port::kDecodes) {
    found = 0;
    while (found < kRecent && (state_.recent[static_cast<size_t>(found)] == kNoColour ||
                               !Near(state_.recent[static_cast<size_t>(found)], wanted, near))) {
      ++found;
    }
  }
  *place = kRecent - 1;
  if (!port->Code(&models.recent[state_.surprise], found < kRecent)) return false;
  int node = 1;
  for (int bit = 4; bit >= 0; --bit) {
    node = 2 * node + (port->Code(&models.recent_place[node], ((found >> bit) & 1) != 0) ? 1 : 0);
  }
  *place = node - kRecent;
  *colour = state_.recent[static_cast<size_t>(*place)];
  return true;
}

// A difference in units of 2 near + 1.
template <class Port>
int PixelCoder::CodeResidual(Port* port, int channel, int activity, int size, int sign_context,
                             int value) {
  PixelModels& models = state_.models;
  if (port->Code(&models.exact[channel][activity][size], value == 0)) return 0;
  const bool above = port->Code(&models.above[channel][sign_context], value > 0);
  int digits = 0;
  const int magnitude = std::abs(value);
  if constexpr (!Port::kDecodes) {
    while (magnitude >> (digits + 1) != 0) ++digits;
    for (int i = 0; i < digits; ++i) port->Code(&models.digits[channel][activity][size][i], true);
    if (digits < kMostDigits) port->Code(&models.digits[channel][activity][size][digits], false);
  } else {
    while (digits < kMostDigits &&
           port->Code(&models.digits[channel][activity][size][digits], false)) {
      ++digits;
    }
  }
  int result = 1;
  if (digits > 0) {
    const bool first = port->Code(&models.first_digit[channel][activity][digits],
                                  ((magnitude >> (digits - 1)) & 1) != 0);
    result = 2 | (first ? 1 : 0);
    if (digits > 1) {
      const uint32_t rest = static_cast<uint32_t>(magnitude) & ((1u << (digits - 1)) - 1);
      result = result << (digits - 1) | static_cast<int>(port->Raw(rest, digits - 1));
    }
  }
  return above ? result : -result;
}

// A sample from its neighbours.
int PixelCoder::Predict(const Samples& s, const int place, int channel, int* predictions) const {
  predictions[0] = 8 * Median(s.w, s.n, s.nw);
  predictions[1] = 8 * (s.w + s.ne - s.n);
  predictions[2] = 8 * s.n + ((11 * (s.n - s.nn)) >> 2);
  predictions[3] = 8 * s.w + ((11 * (s.ne - s.nw)) >> 2);
  predictions[4] = 4 * (s.w + s.n);
  predictions[5] = 4 * (s.w + s.n) + ((11 * (s.ne - s.nw)) >> 2);
  constexpr int kAbove = 1 << 14;  // more than any prediction is below 0
  int64_t sum = 0, weights = 0;
  for (int i = 0; i < kPredictors; ++i) {
    const uint8_t* e = errors_.predictor[channel][i].data() + place;
    const int error =
        2 * (e[-1] + e[-Errors::kStride]) + e[-Errors::kStride - 1] + e[-Errors::kStride + 1];
    const int64_t weight = kWeights.of[static_cast<size_t>(error)];
    weights += weight;
    sum += weight * (predictions[i] + kAbove);
  }
  // cppcheck-suppress zerodiv ; there are six predictions or more, of weights above 0
  return static_cast<int>(sum / weights) - kAbove;
}

// Which of its neighbours, and of two continuations, are above a prediction in eighths.
size_t PixelCoder::Pattern(const Samples& s, int fine) {
  size_t pattern = 0;
  for (const int sample : {s.w, s.n, s.nw, s.ne, 2 * s.n - s.nn, 2 * s.w - s.ww}) {
    pattern = 2 * pattern + (8 * sample > fine ? 1 : 0);
  }
  return pattern;
}

template <class Port>
Colour PixelCoder::CodeNew(Port* port, const Block& block, int x, int y, const Around& a,
                           Colour wanted) {
  static constexpr int kOrder[3] = {1, 0, 2};  // green first
  const int place = Errors::Place(x, y);
  Colour colour = 0;
  int first = 0;  // green
  int first_residual = 0;
  for (int k = 0; k < channels_; ++k) {
    const int c = channels_ == 1 ? 0 : kOrder[k];
    // Red and blue are predicted as differences from green.
    const auto sample = [&](Colour v) {
      return k == 0 ? Channel(v, c) : Channel(v, c) - Channel(v, 1);
    };
    const Samples s{sample(a.w),  sample(a.n),  sample(a.nw),
                    sample(a.ne), sample(a.nn), sample(a.ww)};
    int predictions[kPredictors];
    const int fine = Predict(s, place, c, predictions);
    const int offset = k == 0 ? 0 : first;

    const uint8_t* r = errors_.residual[c].data() + place;
    int activity =
        2 * (r[-1] + r[-Errors::kStride]) + r[-Errors::kStride - 1] + r[-Errors::kStride + 1];
    int beside = std::abs(s.w - s.n);
    if (k > 0) activity += 2 * (beside = std::abs(first_residual));
    if (k == 2) activity += beside = errors_.residual[kOrder[1]][static_cast<size_t>(place)];
    Bias* const bias = mode_ == PixelMode::kDrawn
                           ? nullptr
                           : &state_.bias[c][ActivityClass(activity) / 2][Pattern(s, fine)];
    const int corrected = bias != nullptr ? fine + bias->Mean() : fine;
    const int prediction = std::clamp(((corrected + 4) >> 3) + offset, 0, top_);

    const int unit = 2 * block.near + 1;
    const int sign_context = k == 0 || first_residual == 0 ? 0 : first_residual > 0 ? 1 : 2;
    int value = 0;
    if constexpr (!Port::kDecodes) {
      const int difference = Channel(wanted, c) - prediction;
      value =
          difference >= 0 ? (difference + block.near) / unit : -((block.near - difference) / unit);
    }
    value = CodeResidual(port, c, ActivityClass(activity / unit), SizeClass(beside), sign_context,
                         value);
    const int result = std::clamp(prediction + value * unit, 0, top_);
    colour |= static_cast<Colour>(result) << (8 * c);
    const int residual = result - prediction;
    if (bias != nullptr) bias->Learn(8 * (result - offset) - fine);
    errors_.residual[c][static_cast<size_t>(place)] =
        static_cast<uint8_t>(std::min(std::abs(residual), 255));
    for (int i = 0; i < kPredictors; ++i) {
      errors_.predictor[c][i][static_cast<size_t>(place)] = static_cast<uint8_t>(
          std::min(std::abs(predictions[i] - 8 * (result - offset)) >> 2, 255));
    }
    if (k == 0) first = result, first_residual = residual;
  }
  return colour;
}

// Pixels that need no prediction say nothing against one; outside of the block nothing is known.
void PixelCoder::BeginErrors() {
  const auto begin = [](std::array<uint8_t, Errors::kSize>* errors, uint8_t unknown) {
    errors->fill(0);
    std::fill_n(errors->begin(), Errors::kStride, unknown);
    for (size_t i = 0; i < errors->size(); i += Errors::kStride) (*errors)[i] = unknown;
  };
  for (int c = 0; c < channels_; ++c) {
    begin(&errors_.residual[c], kUnknownResidual);
    for (auto& e : errors_.predictor[c]) begin(&e, kUnknownError);
  }
}

// A pixel that may be one of the likely colours. False when a decoder meets a colour that there is
// not.
template <class Port>
bool PixelCoder::CodeOffered(Port* port, const Block& block, int x, int y, const Around& around,
                             Colour wanted, Colour* colour) {
  const Memories memories = Recall(around);
  bool is_new = false;
  if (!CodeKnown(port, around, memories, wanted, block.near, colour)) {
    int place = 0;
    is_new = !CodeRecent(port, wanted, block.near, &place, colour);
    if (Port::kDecodes && !is_new && *colour == kNoColour) return false;
    if (is_new) *colour = CodeNew(port, block, x, y, around, wanted);
    auto& recent = state_.recent;
    std::copy_backward(recent.begin(), recent.begin() + place, recent.begin() + place + 1);
    recent[0] = *colour;
  }
  state_.surprise = std::clamp(state_.surprise + (is_new ? 1 : -1), 0, 3);
  Learn<Port>(memories.brief, memories.brief_tag, *colour);
  Learn<Port>(memories.deep, memories.deep_tag, *colour);
  return true;
}

template <class Port>
Colour PixelCoder::CodeRaw(Port* port, Colour wanted) {
  const int digits = static_cast<int>(std::bit_width(static_cast<uint32_t>(top_)));
  Colour colour = 0;
  for (int c = 0; c < channels_; ++c) {
    colour |= port->Raw(static_cast<uint32_t>(Channel(wanted, c)), digits) << (8 * c);
  }
  return colour;
}

template <class Port>
PixelMode PixelCoder::CodeMode(Port* port, PixelMode mode) {
  AdaptiveBit* const models = state_.models.mode;
  if (port->Code(&models[0], mode == PixelMode::kDrawn || mode == PixelMode::kMixed)) {
    return port->Code(&models[1], mode == PixelMode::kDrawn) ? PixelMode::kDrawn
                                                             : PixelMode::kMixed;
  }
  return port->Code(&models[2], mode == PixelMode::kNatural) ? PixelMode::kNatural
                                                             : PixelMode::kRaw;
}

template <class Port>
bool PixelCoder::Code(Port* port, const Block& block, PixelField* field) {
  BeginErrors();
  changes_.clear();
  mode_ = CodeMode(port, block.mode);
  is_used_ = is_used_ || mode_ == PixelMode::kDrawn || mode_ == PixelMode::kMixed;
  for (int y = 0; y < block.height; ++y) {
    const uint8_t* source =
        Port::kDecodes ? nullptr : block.source + static_cast<size_t>(y) * block.source_stride;
    for (int x = 0; x < block.width; ++x) {
      Colour wanted = 0;
      if constexpr (!Port::kDecodes) {
        for (int c = 0; c < channels_; ++c) wanted |= static_cast<Colour>(*source++) << (8 * c);
      }
      Colour* const at = &field->at(x, y);
      if (mode_ == PixelMode::kRaw) {
        *at = CodeRaw(port, wanted);
        continue;
      }
      const Around around = Look(at);
      if (mode_ == PixelMode::kNatural) {
        *at = CodeNew(port, block, x, y, around, wanted);
        continue;
      }
      Colour colour = 0;
      if (!CodeOffered(port, block, x, y, around, wanted, &colour)) return false;
      *at = colour;
    }
  }
  return true;
}

template bool PixelCoder::Code(WritePort*, const Block&, PixelField*);
template bool PixelCoder::Code(WeighPort*, const Block&, PixelField*);
template bool PixelCoder::Code(ReadPort*, const Block&, PixelField*);

}  // namespace glint::detail
