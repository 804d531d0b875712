#include "kernels/conv.h"

#include <algorithm>
#include <vector>

#include "kernels/tap_gemm.h"

namespace glint::kernels {
namespace {

// One tap: which row pointer, how many pixels to the right of the output's own, which source.
struct Tap {
  size_t source;
  size_t row;  // index into ConvRow::in of the source
  long column;
  size_t run;  // floats: channels of the source, or several pixels of them
};

// The taps of one GEMM. Transposed convolutions have one for each phase.
struct TapSet {
  std::vector<Tap> taps;
  PackedTaps packed;
};

}  // namespace

struct Conv::Impl {
  ConvSpec spec;
  size_t in_total = 0;
  std::vector<TapSet> sets;  // conv: 1; transposed: row phase * 2 + column phase; paired rows: 1
  size_t reads_left = 0;
  size_t reads_right = 0;

  bool transposed() const { return spec.kind == ConvSpec::Kind::kTranspose; }

  float Weight(const float* weight, size_t in, size_t out, size_t ky, size_t kx) const {
    const size_t k = spec.kernel;
    const size_t at = transposed() ? in * spec.out_channels + out : out * in_total + in;
    return weight[(at * k + ky) * k + kx];
  }

  // Adds the tap and its dense weights [run][out].
  void AddTap(const Tap& tap, const float* weight, size_t first_in, size_t ky, size_t kx,
              TapSet* set, std::vector<float>* dense) const {
    set->taps.push_back(tap);
    for (size_t c = 0; c < tap.run; ++c) {
      for (size_t o = 0; o < spec.out_channels; ++o) {
        dense->push_back(Weight(weight, first_in + c, o, ky, kx));
      }
    }
  }

  void Pack(TapSet* set, size_t out_channels, const std::vector<float>& dense, const float* bias) {
    std::vector<uint32_t> runs;
    for (const Tap& tap : set->taps) {
      runs.push_back(static_cast<uint32_t>(tap.run));
      reads_left = std::max(reads_left, static_cast<size_t>(std::max(0L, -tap.column)));
    }
    set->packed = PackTaps(runs, out_channels, dense.data(), bias);
  }

  void BuildConv(const float* weight, const float* bias) {
    TapSet& set = sets.emplace_back();
    std::vector<float> dense;
    size_t first_in = 0;
    for (size_t source = 0; source < spec.sources; ++source) {
      for (size_t ky = 0; ky < spec.kernel; ++ky) {
        for (size_t kx = 0; kx < spec.kernel; ++kx) {
          if (spec.checkerboard && (ky + kx) % 2 == 0) continue;
          const long column = static_cast<long>(kx) - static_cast<long>(spec.padding);
          AddTap({source, ky, column, spec.in_channels[source]}, weight, first_in, ky, kx, &set,
                 &dense);
        }
      }
      first_in += spec.in_channels[source];
    }
    Pack(&set, spec.out_channels, dense, bias);
    const size_t right = spec.kernel - 1 - std::min(spec.padding, spec.kernel - 1);
    reads_right = std::max(reads_right, right);
  }

  // Phase (py, px) of a transposed convolution: output (2m + py, 2n + px) reads input (m + dy, n +
  // dx) through the taps with py + padding - ky even.
  void BuildPhases(const float* weight, const float* bias) {
    for (size_t phase = 0; phase < 4; ++phase) {
      TapSet& set = sets.emplace_back();
      std::vector<float> dense;
      size_t row = 0;
      for (size_t ky = 0; ky < spec.kernel; ++ky) {
        if ((phase / 2 + spec.padding + ky) % 2 != 0) continue;
        for (size_t kx = 0; kx < spec.kernel; ++kx) {
          if ((phase % 2 + spec.padding + kx) % 2 != 0) continue;
          AddTap({0, row, Shift(phase % 2, kx), in_total}, weight, 0, ky, kx, &set, &dense);
        }
        ++row;
      }
      Pack(&set, spec.out_channels, dense, bias);
    }
    reads_right = std::max(reads_right, spec.kernel / 2);
  }

  // All four phases as one GEMM over the 3x3 neighbourhood; output channel = phase * out_channels +
  // o.
  void BuildPaired(const float* weight, const float* bias) {
    TapSet& set = sets.emplace_back();
    const size_t outs = 4 * spec.out_channels;
    std::vector<float> dense(9 * in_total * outs, 0.0f), all_bias;
    for (size_t i = 0; i < 9; ++i)
      set.taps.push_back({0, i / 3, static_cast<long>(i % 3) - 1, in_total});
    for (size_t phase = 0; phase < 4; ++phase) {
      for (size_t ky = 0; ky < spec.kernel; ++ky) {
        for (size_t kx = 0; kx < spec.kernel; ++kx) {
          if ((phase / 2 + spec.padding + ky) % 2 != 0 || (phase % 2 + spec.padding + kx) % 2 != 0)
            continue;
          const size_t tap =
              static_cast<size_t>((Shift(phase / 2, ky) + 1) * 3 + Shift(phase % 2, kx) + 1);
          for (size_t c = 0; c < in_total; ++c) {
            for (size_t o = 0; o < spec.out_channels; ++o) {
              dense[(tap * in_total + c) * outs + phase * spec.out_channels + o] =
                  Weight(weight, c, o, ky, kx);
            }
          }
        }
      }
      for (size_t o = 0; o < spec.out_channels; ++o)
        all_bias.push_back(bias == nullptr ? 0.0f : bias[o]);
    }
    Pack(&set, outs, dense, all_bias.data());
    reads_right = 1;
  }

  // Input row (column) relative to m of tap k in output phase p.
  long Shift(size_t p, size_t k) const {
    return (static_cast<long>(p + spec.padding) - static_cast<long>(k)) / 2;
  }

  void RunRow(const ConvRow& row, size_t set_index, const Epilogue& epilogue, size_t block_begin,
              size_t block_end) const;
};

void Conv::Impl::RunRow(const ConvRow& row, size_t set_index, const Epilogue& epilogue,
                        size_t block_begin, size_t block_end) const {
  const TapSet& set = sets[set_index];
  constexpr size_t kMaxTaps = kMaxSources + kMaxKernel * kMaxKernel;
  const float* taps[kMaxTaps];
  size_t steps[kMaxTaps];
  const long scale = transposed() ? 1 : static_cast<long>(spec.stride);
  for (size_t t = 0; t < set.taps.size(); ++t) {
    const Tap& tap = set.taps[t];
    const size_t pixel = row.in_pixel_stride[tap.source];
    const bool compact = row.in_compact[tap.source];
    const long column = compact ? 0 : static_cast<long>(row.x_first) * scale + tap.column;
    taps[t] = row.in[tap.source * kMaxKernel + tap.row] + column * static_cast<long>(pixel);
    steps[t] = compact ? pixel : pixel * row.x_step * static_cast<size_t>(scale);
  }
  TapRow tap_row;
  tap_row.taps = taps;
  tap_row.steps = steps;
  tap_row.out = row.out;
  tap_row.out_second = row.out_second;
  tap_row.out_step = row.out_pixel_stride;
  tap_row.residual = row.residual;
  tap_row.residual_step = row.residual_pixel_stride;
  tap_row.pixels = row.pixels;
  TapStore store = TapStore::kPlain;
  if (transposed()) {
    tap_row.out_step *= 2;
    tap_row.residual_step *= 2;
    tap_row.pixels /= 2;
    if (spec.paired_rows()) {
      store = TapStore::kSplitRows;
    } else if (set_index % 2 == 1) {
      tap_row.out += row.out_pixel_stride;
      if (row.residual != nullptr) tap_row.residual += row.residual_pixel_stride;
    }
  }
  RunTaps(set.packed, tap_row, spec.numerics, store, epilogue, block_begin, block_end);
}

Conv::Conv(const ConvSpec& spec, const float* weight, const float* bias) : impl_(new Impl) {
  impl_->spec = spec;
  for (size_t i = 0; i < spec.sources; ++i) impl_->in_total += spec.in_channels[i];
  if (spec.kind == ConvSpec::Kind::kConv) {
    impl_->BuildConv(weight, bias);
  } else if (spec.paired_rows()) {
    impl_->BuildPaired(weight, bias);
  } else {
    impl_->BuildPhases(weight, bias);
  }
}
Conv::~Conv() = default;
Conv::Conv(Conv&&) noexcept = default;
Conv& Conv::operator=(Conv&&) noexcept = default;

const ConvSpec& Conv::spec() const { return impl_->spec; }
size_t Conv::ReadsLeft() const { return impl_->reads_left; }
size_t Conv::ReadsRight() const { return impl_->reads_right; }
size_t Conv::blocks() const { return impl_->sets[0].packed.blocks(); }

size_t Conv::packed_bytes() const {
  size_t bytes = 0;
  for (const TapSet& set : impl_->sets) bytes += set.packed.bytes();
  return bytes;
}

double Conv::MacsPerPixel() const {
  const ConvSpec& spec = impl_->spec;
  size_t taps = spec.kernel * spec.kernel;
  if (spec.checkerboard) taps /= 2;
  const double all = static_cast<double>(taps * impl_->in_total * spec.out_channels);
  return impl_->transposed() ? all / 4 : all;
}

size_t Conv::TapRows(long oy, long* iy) const {
  const ConvSpec& spec = impl_->spec;
  const long k = static_cast<long>(spec.kernel), pad = static_cast<long>(spec.padding);
  size_t count = 0;
  if (spec.kind == ConvSpec::Kind::kConv) {
    for (long ky = 0; ky < k; ++ky) iy[count++] = oy * static_cast<long>(spec.stride) - pad + ky;
  } else if (spec.paired_rows()) {
    for (long i = -1; i <= 1; ++i) iy[count++] = oy / 2 + i;
  } else {
    for (long ky = 0; ky < k; ++ky) {
      if ((oy + pad + ky) % 2 == 0)
        iy[count++] = oy / 2 + impl_->Shift(static_cast<size_t>(oy & 1), static_cast<size_t>(ky));
    }
  }
  return count;
}

void Conv::Run(const ConvRow* rows, size_t count, const Epilogue& epilogue, size_t block_begin,
               size_t block_end) const {
  for (size_t block = block_begin; block < block_end; ++block) {
    for (size_t r = 0; r < count; ++r) {
      const ConvRow& row = rows[r];
      if (!impl_->transposed() || impl_->spec.paired_rows()) {
        impl_->RunRow(row, 0, epilogue, block, block + 1);
      } else {
        impl_->RunRow(row, 2 * row.phase, epilogue, block, block + 1);
        impl_->RunRow(row, 2 * row.phase + 1, epilogue, block, block + 1);
      }
    }
  }
}

}  // namespace glint::kernels
