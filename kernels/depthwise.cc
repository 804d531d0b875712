#include "kernels/depthwise.h"

#include <algorithm>
#include <cstdint>

#include "kernels/int_gemm.h"
#include "kernels/tap_gemm.h"
#include "kernels/words.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/depthwise.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/float_sums-inl.h"
#include "kernels/int_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Output pixels whose sums are in registers: as many as hide the latency of multiply-adds. Each
// vector of weights that is loaded serves all of them.
constexpr size_t kPixels = 8;
// Output pixels are one or two input pixels apart.
constexpr size_t kMostApart = 2;
constexpr size_t kMostColumns = (kPixels - 1) * kMostApart + kMaxKernel;

// A row of outputs, as its tiles see it. Bytes, because element types differ.
struct Task {
  const Depthwise::Packed* packed;
  TapRow row;                       // out, residual, their strides
  const uint8_t* in[kMaxKernel];    // the first tap of output pixel 0, by rows of the kernel
  size_t pixel;                     // elements from an input pixel to the next
  size_t apart;                     // input pixels from an output pixel to the next
  size_t vector_begin, vector_end;  // of channels
  const Epilogue* epilogue;
};

// A row of the kernel: sum[p] += in[p * step + kx * pixel] * w[kx] for all its columns kx. `w`
// advances behind the weights used. One base for three pixels saves registers for addresses.
template <class Add, size_t P, class DT, class VT, typename T, typename W>
HWY_INLINE void AddRow(DT d, const T* in, size_t step, size_t pixel, size_t columns, const W** w,
                       VT (&sum)[P], const Add& add) {
  const T* in0 = in;
  const T* in1 = in + 3 * step;
  const T* in2 = in + 6 * step;
  for (size_t kx = columns; kx != 0; --kx) {
    const auto weight = hn::Load(d, *w);
#pragma GCC unroll 8
    for (size_t p = 0; p < P; ++p) {
      const T* base = p < 3 ? in0 : p < 6 ? in1 : in2;
      sum[p] = add(hn::LoadU(d, base + p % 3 * step), weight, sum[p]);
    }
    *w += hn::Lanes(d);
    in0 += pixel;
    in1 += pixel;
    in2 += pixel;
  }
}

// The same for neighbouring pixels and K columns, whose weights stay in registers: an input is
// loaded once for all sums that it goes to, which is a third of the loads of a 3x3 kernel. load(x)
// is input pixel x, counted from the first that pixel 0 reads.
template <size_t K, size_t P, class DT, class VT, typename W, class Load, class Add>
HWY_INLINE void SlideRow(DT d, const W** w, VT (&sum)[P], const Load& load, const Add& add) {
  VT weights[K];
#pragma GCC unroll 8
  for (size_t kx = 0; kx < K; ++kx) weights[kx] = hn::Load(d, *w + kx * hn::Lanes(d));
  *w += K * hn::Lanes(d);
#pragma GCC unroll 16
  for (size_t x = 0; x < P + K - 1; ++x) {
    const VT in = load(x);
#pragma GCC unroll 8
    for (size_t kx = 0; kx < K; ++kx) {
      if (x >= kx && x - kx < P) sum[x - kx] = add(in, weights[kx], sum[x - kx]);
    }
  }
}

// The epilogue of P pixels' sums, in registers: `at` is the first pixel's place.
template <size_t P>
HWY_INLINE void FinishPixels(V (&sum)[P], Place at, size_t other_bytes, size_t out_bytes,
                             const Epilogue& epilogue) {
  const D d;
  if (at.residual != nullptr) {
#pragma GCC unroll 8
    for (size_t p = 0; p < P; ++p) {
      sum[p] = hn::Add(sum[p], LoadResidual(at, epilogue));
      at.residual = static_cast<const uint8_t*>(at.residual) + other_bytes;
    }
  }
  if (epilogue.leaky_relu) {
    const V slope = hn::Set(d, epilogue.slope);
#pragma GCC unroll 8
    for (size_t p = 0; p < P; ++p) sum[p] = hn::Max(sum[p], hn::Mul(sum[p], slope));
  }
  if (epilogue.gain != nullptr) {
    const V gain = LoadCount(epilogue.gain + at.channel, at.count);
#pragma GCC unroll 8
    for (size_t p = 0; p < P; ++p) sum[p] = hn::Mul(sum[p], gain);
  }
#pragma GCC unroll 8
  for (size_t p = 0; p < P; ++p) {
    StoreElement(sum[p], at, epilogue);
    at.out = static_cast<uint8_t*>(at.out) + out_bytes;
  }
}

HWY_INLINE V LoadFloats(const float* from) { return hn::LoadU(D(), from); }
HWY_INLINE V LoadFloats(const hwy::float16_t* from) { return LoadFloat16(D(), from); }

// The sums of P pixels from `first` on by all vectors of the task, and what follows them.
// K: columns of the kernel where they are known and pixels are neighbours, else 0.
template <class Policy, typename X, size_t P, size_t K>
HWY_NOINLINE void FloatTile(const Task& task, size_t first) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const DepthwiseSpec& spec = task.packed->spec;
  const size_t step = task.apart * task.pixel, columns = (P - 1) * task.apart + spec.columns;
  const auto add = [](V x, V w, V sum) HWY_ATTR { return Policy::Accumulate(x, w, sum); };
  // Copies, for stores may alias whatever is not local.
  const Epilogue epilogue = *task.epilogue;
  const TapRow row = task.row;
  const size_t channels = spec.channels;
  const size_t other_bytes = row.residual_stride * BytesOf(epilogue.residual);
  const size_t out_bytes = row.out_stride * BytesOf(epilogue.out);
  const float* w = task.packed->weights.get() + task.vector_begin * task.packed->depth * lanes;
  for (size_t vector = task.vector_begin; vector < task.vector_end; ++vector) {
    const size_t channel = vector * lanes;
    V sum[P];
#pragma GCC unroll 8
    for (size_t p = 0; p < P; ++p) sum[p] = hn::Load(d, task.packed->bias.get() + channel);
    for (size_t ky = 0; ky < spec.rows; ++ky) {
      const X* in = reinterpret_cast<const X*>(task.in[ky]) + first * step + channel;
      if constexpr (K > 0) {
        const size_t pixel = task.pixel;
        const auto load = [in, pixel](size_t x) HWY_ATTR { return LoadFloats(in + x * pixel); };
        SlideRow<K>(d, &w, sum, load, add);
      } else if constexpr (sizeof(X) == sizeof(float)) {
        AddRow(d, in, step, task.pixel, spec.columns, &w, sum, add);
      } else {
        HWY_ALIGN float wide[kMostColumns * HWY_MAX_BYTES / sizeof(float)];
        for (size_t x = 0; x < columns; ++x) {
          hn::Store(LoadFloats(in + x * task.pixel), d, wide + x * lanes);
        }
        AddRow(d, static_cast<const float*>(wide), task.apart * lanes, lanes, spec.columns, &w, sum,
               add);
      }
    }
    Place at;
    at.channel = channel;
    at.count = channels - channel;
    at.residual = row.residual == nullptr
                      ? nullptr
                      : static_cast<const uint8_t*>(row.residual) + first * other_bytes;
    at.out = static_cast<uint8_t*>(row.out) + first * out_bytes;
    FinishPixels(sum, at, other_bytes, out_bytes, epilogue);
  }
}

// A word of the rows of a group: what a lane multiplies at once lies side by side in it.
template <size_t kCount, typename T>
HWY_INLINE VI LoadWord(const T* const* rows, size_t at) {
  using U = std::make_unsigned_t<T>;
  const hn::RebindToUnsigned<DI> du;
  const hn::Rebind<U, DI> dt;
  const auto load = [&](size_t i) HWY_ATTR {
    return hn::PromoteTo(du, hn::LoadU(dt, reinterpret_cast<const U*>(rows[i]) + at));
  };
  constexpr size_t kGroup = 4 / sizeof(T);
  auto word = hn::ShiftLeft<ShiftInWord(kGroup, 0)>(load(0));
  if constexpr (kCount > 1) word = hn::Or(word, hn::ShiftLeft<ShiftInWord(kGroup, 1)>(load(1)));
  if constexpr (kCount > 2) word = hn::Or(word, hn::ShiftLeft<ShiftInWord(kGroup, 2)>(load(2)));
  if constexpr (kCount > 3) word = hn::Or(word, hn::ShiftLeft<ShiftInWord(kGroup, 3)>(load(3)));
  return hn::BitCast(DI(), word);
}

// A group of kCount rows of the kernel.
template <class Policy, size_t kCount, size_t K, typename T, size_t P>
HWY_INLINE void AddGroup(const Task& task, const T* const* rows, const int32_t** w, VI (&sum)[P]) {
  const DI d;
  const size_t lanes = hn::Lanes(d), pixel = task.pixel;
  const auto add = [](VI x, VI weight, VI old)
                       HWY_ATTR { return Policy::Accumulate(x, weight, old); };
  const auto load = [rows, pixel](size_t x) HWY_ATTR { return LoadWord<kCount>(rows, x * pixel); };
  if constexpr (K > 0) {
    SlideRow<K>(d, w, sum, load, add);
  } else {
    HWY_ALIGN int32_t words[kMostColumns * HWY_MAX_BYTES / sizeof(int32_t)];
    const size_t columns = task.packed->spec.columns;
    for (size_t x = 0; x < (P - 1) * task.apart + columns; ++x) {
      hn::Store(load(x), d, words + x * lanes);
    }
    AddRow(d, static_cast<const int32_t*>(words), task.apart * lanes, lanes, columns, w, sum, add);
  }
}

template <class Policy, typename T, size_t P, size_t K>
HWY_NOINLINE void IntTile(const Task& task, size_t first) {
  constexpr size_t kGroup = 4 / sizeof(T);
  const DI d;
  const size_t lanes = hn::Lanes(d);
  const DepthwiseSpec& spec = task.packed->spec;
  const size_t step = task.apart * task.pixel;
  const Join join = task.row.residual == nullptr ? Join::kNone : Join::kAdd;
  const Finisher<int32_t> finisher = FinisherFor(join, *task.epilogue);
  HWY_ALIGN int32_t sums[P * HWY_MAX_BYTES / sizeof(int32_t)];
  const int32_t* w = task.packed->words.get() + task.vector_begin * task.packed->depth * lanes;
  for (size_t vector = task.vector_begin; vector < task.vector_end; ++vector) {
    const size_t channel = vector * lanes;
    VI sum[P];
#pragma GCC unroll 8
    for (size_t p = 0; p < P; ++p) sum[p] = hn::Load(d, task.packed->start.get() + channel);
    for (size_t ky = 0; ky < spec.rows; ky += kGroup) {
      const size_t count = HWY_MIN(kGroup, spec.rows - ky);
      const T* rows[kGroup];
      for (size_t i = 0; i < count; ++i) {
        rows[i] = reinterpret_cast<const T*>(task.in[ky + i]) + first * step + channel;
      }
      // Kernels have odd rows, so a group is full, or has one row or three.
      if (count == kGroup) {
        AddGroup<Policy, kGroup, K>(task, rows, &w, sum);
      } else if (count == 1) {
        AddGroup<Policy, 1, K>(task, rows, &w, sum);
      } else if constexpr (kGroup > 3) {
        AddGroup<Policy, 3, K>(task, rows, &w, sum);
      }
    }
#pragma GCC unroll 8
    for (size_t p = 0; p < P; ++p) hn::Store(sum[p], d, sums + p * lanes);
    finisher.one({sums, first, P, channel}, task.row, spec.channels, *task.epilogue);
  }
}

struct Tiles {
  using Tile = void (*)(const Task& task, size_t first);
  Tile eight, four, one;

  // At most kPixels.
  void Run(const Task& task, size_t first, size_t pixels) const {
    if (pixels == kPixels) return eight(task, first);
    if (pixels >= kPixels / 2) {
      four(task, first);
      first += kPixels / 2;
      pixels -= kPixels / 2;
    }
    for (; pixels > 0; --pixels) one(task, first++);
  }
};

// `columns` of the kernel if pixels are neighbours, else 0.
template <class Policy, typename X>
Tiles FloatTiles(size_t columns) {
  return {columns == 3   ? FloatTile<Policy, X, kPixels, 3>
          : columns == 5 ? FloatTile<Policy, X, kPixels, 5>
                         : FloatTile<Policy, X, kPixels, 0>,
          FloatTile<Policy, X, kPixels / 2, 0>, FloatTile<Policy, X, 1, 0>};
}
template <class Policy, typename T>
Tiles IntTiles(size_t columns) {
  return {columns == 3   ? IntTile<Policy, T, kPixels, 3>
          : columns == 5 ? IntTile<Policy, T, kPixels, 5>
                         : IntTile<Policy, T, kPixels, 0>,
          IntTile<Policy, T, kPixels / 2, 0>, IntTile<Policy, T, 1, 0>};
}

Tiles TilesFor(const Depthwise::Packed& packed, size_t columns) {
  using hwy::float16_t;
  const bool exact = packed.spec.numerics == Numerics::kExact;
  switch (packed.input) {
    case Element::kF32:
      return exact ? FloatTiles<Separate, float>(columns) : FloatTiles<Fused, float>(columns);
    case Element::kF16:
      return exact ? FloatTiles<Separate, float16_t>(columns)
                   : FloatTiles<Fused, float16_t>(columns);
    case Element::kI16:
      return UsesAvxVnni() ? IntTiles<VnniPairs, int16_t>(columns)
                           : IntTiles<Pairs, int16_t>(columns);
    case Element::kU8:
      break;
  }
  return UsesAvxVnni() ? IntTiles<VnniQuads, uint8_t>(columns) : IntTiles<Quads, uint8_t>(columns);
}

void SetTask(const Depthwise::Packed& packed, const ConvRow& row, Task* task) {
  const DepthwiseSpec& spec = packed.spec;
  task->pixel = row.in_pixel_stride[0];
  task->apart = 1;
  int64_t column = 0;
  if (!row.in_compact[0]) {
    task->apart = row.x_stride * spec.stride;
    column = static_cast<int64_t>(row.x_first * spec.stride) -
             static_cast<int64_t>(spec.column_padding());
  }
  for (size_t ky = 0; ky < spec.rows; ++ky) {
    task->in[ky] = static_cast<const uint8_t*>(row.in[ky]) +
                   column * static_cast<int64_t>(task->pixel * BytesOf(packed.input));
  }
  task->row.out = row.out;
  task->row.out_stride = row.out_pixel_stride;
  task->row.residual = row.residual;
  task->row.residual_stride = row.residual_pixel_stride;
  task->row.pixels = row.pixels;
}

// A tile of one row after that of the row above, so that the rows that both read are in L1.
void RunRows(const Depthwise::Packed& packed, const ConvRow* rows, size_t count,
             const Epilogue& epilogue, size_t vector_begin, size_t vector_end) {
  Task tasks[Depthwise::kRowsAtOnce];
  size_t most = 0;
  for (size_t r = 0; r < count; ++r) {
    tasks[r].packed = &packed;
    tasks[r].epilogue = &epilogue;
    tasks[r].vector_begin = vector_begin;
    tasks[r].vector_end = vector_end;
    SetTask(packed, rows[r], &tasks[r]);
    most = HWY_MAX(most, rows[r].pixels);
  }
  // Of some positions a row may have all columns, and the next one every other.
  const Tiles of_neighbours = TilesFor(packed, packed.spec.columns),
              of_others = TilesFor(packed, 0);
  for (size_t first = 0; first < most; first += kPixels) {
    for (size_t r = 0; r < count; ++r) {
      if (first >= rows[r].pixels) continue;
      const Tiles& tiles = tasks[r].apart == 1 ? of_neighbours : of_others;
      tiles.Run(tasks[r], first, HWY_MIN(kPixels, rows[r].pixels - first));
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {

HWY_EXPORT(RunRows);

namespace {

// Vectors of channels that make a block.
constexpr size_t kBlock = 4;

}  // namespace

Depthwise::Depthwise(const DepthwiseSpec& spec, const float* weight, const float* bias,
                     Element input) {
  packed_.spec = spec;
  packed_.input = input;
  packed_.lanes = VectorLanes();
  packed_.depth = spec.rows * spec.columns;
  const size_t lanes = packed_.lanes, vectors = packed_.vectors(), taps = packed_.depth;
  packed_.weights = NewAlignedArray<float>(vectors * taps * lanes);
  packed_.bias = NewAlignedArray<float>(vectors * lanes);
  for (size_t channel = 0; channel < vectors * lanes; ++channel) {
    const bool exists = channel < spec.channels;
    packed_.bias[channel] = exists && bias != nullptr ? bias[channel] : 0.0f;
    float* to = packed_.weights.get() + channel / lanes * taps * lanes + channel % lanes;
    for (size_t tap = 0; tap < taps; ++tap) {
      to[tap * lanes] = exists ? weight[channel * taps + tap] : 0.0f;
    }
  }
}

Depthwise::Depthwise(const DepthwiseSpec& spec, Element input, const int16_t* weight, int zero) {
  packed_.spec = spec;
  packed_.input = input;
  packed_.lanes = VectorLanes();
  const size_t group = GroupOf(input), lanes = packed_.lanes, vectors = packed_.vectors();
  packed_.depth = (spec.rows + group - 1) / group * spec.columns;
  const size_t taps = spec.rows * spec.columns, depth = packed_.depth;
  packed_.words = NewAlignedArray<int32_t>(vectors * depth * lanes);
  packed_.start = NewAlignedArray<int32_t>(vectors * lanes);
  std::fill_n(packed_.words.get(), vectors * depth * lanes, 0);
  std::fill_n(packed_.start.get(), vectors * lanes, 0);
  const uint32_t mask = group == 4 ? 0xFF : 0xFFFF;
  for (size_t channel = 0; channel < spec.channels; ++channel) {
    int32_t* to = packed_.words.get() + channel / lanes * depth * lanes + channel % lanes;
    int64_t sum = 0;
    for (size_t tap = 0; tap < taps; ++tap) {
      const size_t ky = tap / spec.columns, kx = tap % spec.columns;
      const int16_t value = weight[channel * taps + tap];
      sum += value;
      const uint32_t bits = (static_cast<uint32_t>(value) & mask) << ShiftInWord(group, ky % group);
      to[(ky / group * spec.columns + kx) * lanes] |= static_cast<int32_t>(bits);
    }
    packed_.start[channel] = static_cast<int32_t>(-zero * sum);
  }
}

size_t Depthwise::TapRows(int64_t oy, int64_t* iy) const {
  const DepthwiseSpec& of = packed_.spec;
  for (size_t ky = 0; ky < of.rows; ++ky) {
    iy[ky] = oy * static_cast<int64_t>(of.stride) - static_cast<int64_t>(of.row_padding()) +
             static_cast<int64_t>(ky);
  }
  return of.rows;
}

size_t Depthwise::blocks() const { return (packed_.vectors() + kBlock - 1) / kBlock; }

size_t Depthwise::packed_bytes() const {
  return (packed_.depth + 1) * packed_.vectors() * packed_.lanes * sizeof(float);
}

double Depthwise::MacsPerPixel() const {
  return static_cast<double>(packed_.spec.channels * packed_.spec.rows * packed_.spec.columns);
}

void Depthwise::Run(const ConvRow* rows, size_t count, const Epilogue& epilogue, size_t block_begin,
                    size_t block_end, float* /*scratch*/) const {
  const size_t end = std::min(packed_.vectors(), kBlock * block_end);
  for (size_t r = 0; r < count; r += kRowsAtOnce) {
    HWY_DYNAMIC_DISPATCH(RunRows)
    (packed_, rows + r, std::min(kRowsAtOnce, count - r), epilogue, kBlock * block_begin, end);
  }
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
