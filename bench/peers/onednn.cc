#include "bench/peers/onednn.h"

#include <omp.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "oneapi/dnnl/dnnl.hpp"

namespace glint::bench {
namespace {

using Dims = dnnl::memory::dims;
using Type = dnnl::memory::data_type;

const dnnl::engine& Cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::memory::desc Any(const Dims& dims, Type type) {
  return {dims, type, dnnl::memory::format_tag::any};
}

// Filled with values from which nothing becomes denormal or infinite.
dnnl::memory Filled(const dnnl::memory::desc& desc) {
  dnnl::memory memory(desc, Cpu());
  void* const data = memory.get_data_handle();
  if (desc.data_type() == Type::f32) {
    std::fill_n(static_cast<float*>(data), desc.get_size() / sizeof(float), 0.01f);
  } else {
    std::fill_n(static_cast<uint8_t*>(data), desc.get_size(), uint8_t{1});
  }
  return memory;
}

// What goes on at the right and at the bottom, so that the output has its size.
int64_t PaddingBehind(const ProductLayer& l, int64_t in, int64_t out) {
  return l.transposed ? (in - 1) * l.stride + l.kernel - l.padding - out
                      : (out - 1) * l.stride + l.kernel - l.padding - in;
}

class Layer final : public OneDnnLayer {
 public:
  Layer(const ProductLayer& l, std::string* kernel) : stream_(Cpu()) {
    const Dims in = {1, l.in_channels, l.in_height, l.in_width};
    const Dims out = {1, l.out_channels, l.out_height, l.out_width};
    const Dims weights = {l.out_channels, l.in_channels, l.kernel, l.kernel};
    const Dims strides = {l.stride, l.stride}, before = {l.padding, l.padding};
    const Dims behind = {PaddingBehind(l, l.in_height, l.out_height),
                         PaddingBehind(l, l.in_width, l.out_width)};
    const auto type = l.bytes ? Type::u8 : Type::f32;
    const auto source = Any(in, type), sink = Any(out, type);
    const auto matrix = Any(weights, l.bytes ? Type::s8 : Type::f32);
    const auto bias = Any({l.out_channels}, Type::f32);
    const dnnl::primitive_attr attributes = Attributes(l);
    constexpr auto kForward = dnnl::prop_kind::forward_inference;
    if (l.transposed) {
      constexpr auto kDirect = dnnl::algorithm::deconvolution_direct;
      Use(dnnl::deconvolution_forward::primitive_desc(
              {kForward, kDirect, source, matrix, bias, sink, strides, before, behind}, attributes,
              Cpu()),
          kernel);
    } else {
      constexpr auto kDirect = dnnl::algorithm::convolution_direct;
      Use(dnnl::convolution_forward::primitive_desc(
              {kForward, kDirect, source, matrix, bias, sink, strides, before, behind}, attributes,
              Cpu()),
          kernel);
    }
  }

  void Run() override {
    primitive_.execute(stream_, arguments_);
    stream_.wait();
  }

 private:
  dnnl::primitive_attr Attributes(const ProductLayer& l) {
    dnnl::primitive_attr attributes;
    if (l.bytes) {
      attributes.set_output_scales(1 << 1,
                                   std::vector<float>(static_cast<size_t>(l.out_channels), 0.01f));
    }
    dnnl::post_ops after;
    for (const After what : l.after) {
      if (what == After::kResidual) {
        after.append_sum(1.0f);
      } else if (what == After::kLeakyRelu) {
        after.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, l.slope, 0);
      } else {
        const dnnl::memory::desc factors({1, l.out_channels, 1, 1}, Type::f32,
                                         dnnl::memory::format_tag::nchw);
        const int place = DNNL_ARG_ATTR_MULTIPLE_POST_OP(after.len()) | DNNL_ARG_SRC_1;
        after.append_binary(dnnl::algorithm::binary_mul, factors);
        arguments_.emplace(place, Filled(factors));
      }
    }
    attributes.set_post_ops(after);
    return attributes;
  }

  template <typename Desc>
  void Use(const Desc& desc, std::string* kernel) {
    *kernel = desc.impl_info_str();
    primitive_ = dnnl::primitive(desc.get());
    arguments_.emplace(DNNL_ARG_SRC, Filled(desc.src_desc()));
    arguments_.emplace(DNNL_ARG_WEIGHTS, Filled(desc.weights_desc()));
    arguments_.emplace(DNNL_ARG_BIAS, Filled(desc.bias_desc()));
    arguments_.emplace(DNNL_ARG_DST, Filled(desc.dst_desc()));
  }

  dnnl::stream stream_;
  dnnl::primitive primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

}  // namespace

std::unique_ptr<OneDnnLayer> OneDnnLayer::Make(const ProductLayer& layer, std::string* kernel) {
  try {
    return std::make_unique<Layer>(layer, kernel);
  } catch (const dnnl::error& error) {
    if (error.status != dnnl_unimplemented) throw;
    return nullptr;
  }
}

std::string OneDnnVersion() {
  const dnnl_version_t* const version = dnnl_version();
  return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

void UseOneThread() { omp_set_num_threads(1); }

}  // namespace glint::bench
