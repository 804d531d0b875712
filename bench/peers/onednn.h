// A layer of a model as oneDNN runs it: weights packed beforehand, every tensor in the layout that
// oneDNN likes best, activation, factors and residual done as it stores.
// Used by bench/peers_bench.cc, where oneDNN was found at build time.
// Thread rules: one thread; UseOneThread() first.
#ifndef GLINT_BENCH_PEERS_ONEDNN_H_
#define GLINT_BENCH_PEERS_ONEDNN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace glint::bench {

// What is done to a sum as it is stored, in this order.
enum class After { kLeakyRelu, kChannelFactors, kResidual };

struct ProductLayer {
  int64_t in_channels = 0, in_height = 0, in_width = 0;
  int64_t out_channels = 0, out_height = 0, out_width = 0;
  int64_t kernel = 1, stride = 1, padding = 0;
  bool transposed = false;
  bool bytes = false;  // u8 times s8 to u8; else float32
  std::vector<After> after;
  float slope = 0;  // of kLeakyRelu
};

class OneDnnLayer {
 public:
  // The implementation's name goes to *kernel; nothing where oneDNN has none for the layer. Another
  // failure, such as too little memory, is its exception.
  static std::unique_ptr<OneDnnLayer> Make(const ProductLayer& layer, std::string* kernel);
  virtual ~OneDnnLayer() = default;
  virtual void Run() = 0;
};

std::string OneDnnVersion();  // "oneDNN 2.6.3"
void UseOneThread();

}  // namespace glint::bench

#endif  // GLINT_BENCH_PEERS_ONEDNN_H_
