#include "kernels/conv.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/few_outputs.h"
#include "kernels/int_gemm.h"
#include "kernels/tap_gemm.h"

namespace glint::kernels {
namespace {

// One tap: which row pointer, how many pixels to the right of the output's own, which source.
struct Tap {
  size_t source;
  size_t row;  // index into ConvRow::in of the source
  int64_t column;
  size_t run;  // floats: channels of the source, or several pixels of them
};

// Inputs in a row that one tap of the kernel multiplies.
struct Piece {
  size_t inputs;
  size_t first;  // place in PyTorch's tensor of the weight from the first input to output channel 0
};

// The taps of one GEMM. Transposed convolutions have one for each phase.
struct TapSet {
  std::vector<Tap> taps;
  std::vector<Piece> pieces;  // the runs of all taps, one after the other
  PackedTaps packed;
  PackedIntTaps packed_ints;
};

}  // namespace

struct Conv::Impl {
  ConvSpec spec;
  Element input = Element::kF32;
  size_t in_total = 0;
  // conv: 1, or 2 (JoinRows); transposed: row phase * 2 + column phase; paired rows: none.
  std::vector<TapSet> sets;
  PackedFewOutputs few;  // paired rows
  size_t reads_left = 0;
  size_t reads_right = 0;

  explicit Impl(const ConvSpec& conv_spec) : spec(conv_spec) {
    for (size_t i = 0; i < spec.sources; ++i) in_total += spec.in_channels[i];
    if (spec.gathered) {
      BuildGathered();
    } else if (spec.kind == ConvSpec::Kind::kConv) {
      BuildConv();
    } else if (spec.paired_rows()) {
      reads_left = reads_right = 1;
    } else {
      BuildPhases();
    }
    for (const TapSet& set : sets) {
      for (const Tap& tap : set.taps) {
        reads_left = std::max(reads_left, static_cast<size_t>(std::max<int64_t>(0, -tap.column)));
      }
    }
  }

  bool transposed() const { return spec.kind == ConvSpec::Kind::kTranspose; }

  size_t WeightIndex(size_t in, size_t out, size_t ky, size_t kx) const {
    const size_t k = spec.kernel;
    const size_t at = transposed() ? in * spec.out_channels + out : out * in_total + in;
    return (at * k + ky) * k + kx;
  }

  void AddTap(const Tap& tap, size_t first_in, size_t ky, size_t kx, TapSet* set) const {
    set->taps.push_back(tap);
    set->pieces.push_back({tap.run, WeightIndex(first_in, 0, ky, kx)});
  }

  void BuildConv() {
    TapSet& set = sets.emplace_back();
    size_t first_in = 0;
    for (size_t source = 0; source < spec.sources; ++source) {
      for (size_t ky = 0; ky < spec.kernel; ++ky) {
        for (size_t kx = 0; kx < spec.kernel; ++kx) {
          if (!IsLiveTap(spec.mask, spec.kernel, ky, kx)) continue;
          const int64_t column = static_cast<int64_t>(kx) - static_cast<int64_t>(spec.padding);
          AddTap({source, ky, column, spec.in_channels[source]}, first_in, ky, kx, &set);
        }
      }
      first_in += spec.in_channels[source];
    }
    const size_t right = spec.kernel - 1 - std::min(spec.padding, spec.kernel - 1);
    reads_right = std::max(reads_right, right);
  }

  // One run of all taps.
  void BuildGathered() {
    BuildConv();
    sets[0].taps = {{0, 0, 0, in_total * LiveTaps()}};
    reads_right = 0;
  }

  size_t LiveTaps() const {
    size_t live = 0;
    for (size_t tap = 0; tap < spec.kernel * spec.kernel; ++tap) {
      live += IsLiveTap(spec.mask, spec.kernel, tap / spec.kernel, tap % spec.kernel);
    }
    return live;
  }

  // Phase (py, px) of a transposed convolution: output (2m + py, 2n + px) reads input (m + dy, n +
  // dx) through the taps with py + padding - ky even.
  void BuildPhases() {
    for (size_t phase = 0; phase < 4; ++phase) {
      TapSet& set = sets.emplace_back();
      size_t row = 0;
      for (size_t ky = 0; ky < spec.kernel; ++ky) {
        if ((phase / 2 + spec.padding + ky) % 2 != 0) continue;
        for (size_t kx = 0; kx < spec.kernel; ++kx) {
          if ((phase % 2 + spec.padding + kx) % 2 != 0) continue;
          AddTap({0, row, Shift(phase % 2, kx), in_total}, 0, ky, kx, &set);
        }
        ++row;
      }
    }
    reads_right = std::max(reads_right, spec.kernel / 2);
  }

  // [sum of runs][output channel].
  template <typename T>
  std::vector<T> Dense(const TapSet& set, const T* weight) const {
    const size_t in_step = WeightIndex(1, 0, 0, 0), out_step = WeightIndex(0, 1, 0, 0);
    size_t depth = 0;
    for (const Piece& piece : set.pieces) depth += piece.inputs;
    std::vector<T> dense(depth * spec.out_channels);
    // A few outputs at a time: their weights stay in the cache from piece to piece, which each take
    // one of every kernel.
    constexpr size_t kOutputs = 16;
    for (size_t first = 0; first < spec.out_channels; first += kOutputs) {
      const size_t outputs = std::min(kOutputs, spec.out_channels - first);
      T* to = dense.data() + first;
      for (const Piece& piece : set.pieces) {
        const T* from = weight + piece.first + first * out_step;
        for (size_t i = 0; i < piece.inputs; ++i, from += in_step, to += spec.out_channels) {
          for (size_t o = 0; o < outputs; ++o) to[o] = from[o * out_step];
        }
      }
    }
    return dense;
  }

  static std::vector<uint32_t> Runs(const TapSet& set) {
    std::vector<uint32_t> runs;
    for (const Tap& tap : set.taps) runs.push_back(static_cast<uint32_t>(tap.run));
    return runs;
  }

  void Pack(const TapTypes& types, const float* weight, const float* bias) {
    input = types.input;
    if (spec.paired_rows()) few = PackFewOutputs(spec, input, weight, bias);
    for (TapSet& set : sets) {
      set.packed = PackTaps(types, Runs(set), spec.out_channels, Dense(set, weight).data(), bias);
    }
  }

  // Channels that are no multiple of a word of products are padded for every tap: 3 to 4. A second
  // set serves inputs without gaps between pixels. It joins the taps of a kernel row into one run
  // and pads only that: 15 to 16.
  void JoinRows() {
    const bool one_row = spec.kind != ConvSpec::Kind::kConv || spec.sources > 1 ||
                         spec.mask != ConvMask::kNone || spec.gathered || spec.kernel == 1;
    if (one_row || in_total % GroupOf(input) == 0) return;
    TapSet joined;
    joined.pieces = sets[0].pieces;
    for (size_t ky = 0; ky < spec.kernel; ++ky) {
      joined.taps.push_back({0, ky, -static_cast<int64_t>(spec.padding), spec.kernel * in_total});
    }
    sets.push_back(std::move(joined));
  }

  void PackInts(Element element, const int16_t* weight, int zero) {
    input = element;
    if (spec.paired_rows()) few = PackFewOutputs(spec, input, weight, zero);
    JoinRows();
    for (TapSet& set : sets) {
      set.packed_ints =
          PackIntTaps(element, Runs(set), spec.out_channels, Dense(set, weight).data(), zero);
    }
  }

  size_t blocks() const {
    if (spec.paired_rows()) return 1;
    return IsInteger(input) ? sets[0].packed_ints.blocks() : sets[0].packed.blocks();
  }

  // Input row (column) relative to m of tap k in output phase p.
  int64_t Shift(size_t p, size_t k) const {
    return (static_cast<int64_t>(p + spec.padding) - static_cast<int64_t>(k)) / 2;
  }

  void RunRow(const ConvRow& row, size_t set_index, const Epilogue& epilogue, size_t block_begin,
              size_t block_end) const;
};

void Conv::Impl::RunRow(const ConvRow& row, size_t set_index, const Epilogue& epilogue,
                        size_t block_begin, size_t block_end) const {
  const bool gapless = row.in_pixel_stride[0] == in_total;
  const bool joined = spec.kind == ConvSpec::Kind::kConv && sets.size() == 2 && gapless;
  const TapSet& set = sets[set_index + (joined ? 1 : 0)];
  constexpr size_t kMaxTaps = kMaxSources + kMaxKernel * kMaxKernel;
  const void* taps[kMaxTaps];
  size_t strides[kMaxTaps];
  const int64_t scale = transposed() ? 1 : static_cast<int64_t>(spec.stride);
  for (size_t t = 0; t < set.taps.size(); ++t) {
    const Tap& tap = set.taps[t];
    const size_t pixel = row.in_pixel_stride[tap.source];
    const bool compact = row.in_compact[tap.source];
    const int64_t column = compact ? 0 : static_cast<int64_t>(row.x_first) * scale + tap.column;
    taps[t] = static_cast<const uint8_t*>(row.in[tap.source * kMaxKernel + tap.row]) +
              column * static_cast<int64_t>(pixel * BytesOf(input));
    strides[t] = compact ? pixel : pixel * row.x_stride * static_cast<size_t>(scale);
  }
  TapRow tap_row;
  tap_row.taps = taps;
  tap_row.strides = strides;
  tap_row.out = row.out;
  tap_row.out_stride = row.out_pixel_stride;
  tap_row.residual = row.residual;
  tap_row.residual_stride = row.residual_pixel_stride;
  tap_row.pixels = row.pixels;
  if (transposed()) {
    tap_row.out_stride *= 2;
    tap_row.residual_stride *= 2;
    tap_row.pixels /= 2;
    if (set_index % 2 == 1) {
      // The odd columns begin one pixel further on.
      tap_row.out = static_cast<uint8_t*>(row.out) + row.out_pixel_stride * BytesOf(epilogue.out);
      if (row.residual != nullptr) {
        tap_row.residual = static_cast<const uint8_t*>(row.residual) +
                           row.residual_pixel_stride * BytesOf(epilogue.residual);
      }
    }
  }
  const Join join = row.residual == nullptr ? Join::kNone : Join::kAdd;
  if (IsInteger(input)) {
    RunIntTaps(set.packed_ints, tap_row, join, epilogue, block_begin, block_end);
  } else {
    RunTaps(set.packed, tap_row, spec.numerics, join, epilogue, block_begin, block_end);
  }
}

Conv::Conv(const ConvSpec& spec, const float* weight, const float* bias, Element input,
           Element kept, float most)
    : impl_(new Impl(spec)) {
  const bool exact = spec.numerics == Numerics::kExact;
  impl_->Pack({input, kept, exact ? 0.0f : most}, weight, bias);
}
Conv::Conv(const ConvSpec& spec, Element input, const int16_t* weight, int zero)
    : impl_(new Impl(spec)) {
  impl_->PackInts(input, weight, zero);
}
Conv::~Conv() = default;
Conv::Conv(Conv&&) noexcept = default;
Conv& Conv::operator=(Conv&&) noexcept = default;

const ConvSpec& Conv::spec() const { return impl_->spec; }
Element Conv::input() const { return impl_->input; }
bool Conv::float16_sums() const {
  return std::any_of(impl_->sets.begin(), impl_->sets.end(),
                     [](const TapSet& set) { return set.packed.float16_sums; });
}
size_t Conv::ReadsLeft() const { return impl_->reads_left; }
size_t Conv::ReadsRight() const { return impl_->reads_right; }
size_t Conv::blocks() const { return impl_->blocks(); }

// The fewer times rows are gone through, the less often pixels come from further away.
size_t Conv::BlocksTogether() const {
  // Half of the L2 of a CPU that has little; the rest is for pixels.
  constexpr size_t kWeightsInCache = 256 * 1024;
  return std::clamp<size_t>(kWeightsInCache * blocks() / packed_bytes(), 1, blocks());
}

size_t Conv::packed_bytes() const {
  size_t bytes = impl_->few.bytes();
  for (const TapSet& set : impl_->sets) {
    bytes += IsInteger(impl_->input) ? set.packed_ints.bytes() : set.packed.bytes();
  }
  return bytes;
}

double Conv::MacsPerPixel() const {
  const ConvSpec& spec = impl_->spec;
  const double all = static_cast<double>(impl_->LiveTaps() * impl_->in_total * spec.out_channels);
  return impl_->transposed() ? all / 4 : all;
}

size_t Conv::TapRows(int64_t oy, int64_t* iy) const {
  const ConvSpec& spec = impl_->spec;
  const int64_t k = static_cast<int64_t>(spec.kernel), pad = static_cast<int64_t>(spec.padding);
  size_t count = 0;
  if (spec.kind == ConvSpec::Kind::kConv) {
    if (spec.gathered) {
      iy[count++] = oy;
      return count;
    }
    const int64_t rows = spec.mask == ConvMask::kCausal ? pad + 1 : k;
    for (int64_t ky = 0; ky < rows; ++ky)
      iy[count++] = oy * static_cast<int64_t>(spec.stride) - pad + ky;
  } else if (spec.paired_rows()) {
    for (int64_t i = FirstRowOfPair(spec.kernel); i <= 1; ++i) iy[count++] = oy / 2 + i;
  } else {
    for (int64_t ky = 0; ky < k; ++ky) {
      if ((oy + pad + ky) % 2 == 0)
        iy[count++] = oy / 2 + impl_->Shift(static_cast<size_t>(oy & 1), static_cast<size_t>(ky));
    }
  }
  return count;
}

size_t Conv::ScratchFloats() const {
  return impl_->spec.paired_rows() ? FewOutputsScratchFloats(impl_->few) : 0;
}

void Conv::Run(const ConvRow* rows, size_t count, const Epilogue& epilogue, size_t block_begin,
               size_t block_end, float* scratch) const {
  if (impl_->spec.paired_rows()) {
    if (block_begin < block_end) RunFewOutputs(impl_->few, rows, count, epilogue, scratch);
    return;
  }
  const size_t together = BlocksTogether();
  for (size_t block = block_begin; block < block_end;) {
    const size_t step = std::min(together, block_end - block);
    for (size_t r = 0; r < count; ++r) {
      const ConvRow& row = rows[r];
      if (!impl_->transposed()) {
        impl_->RunRow(row, 0, epilogue, block, block + step);
      } else {
        impl_->RunRow(row, 2 * row.phase, epilogue, block, block + step);
        impl_->RunRow(row, 2 * row.phase + 1, epilogue, block, block + step);
      }
    }
    block += step;
  }
}

}  // namespace glint::kernels
