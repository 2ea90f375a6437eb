// The tanh approximation of gelu (arXiv 1606.08415) on CPUs with AVX2: one read and one write of each value, in f32 where it lies in bf16.
//
// 0.5·(1 + tanh(u)) is sigmoid(2u), and that needs one exponential and one division where LibTorch's way takes a tanh to its last bit:
// y = x·s with s = 1 / (1 + 2^t), t = −2·log2(e)·u and u = sqrt(2/π)·(x + 0.044715·x³); dx = g·(s + x·s·(1 − s)·2·du/dx).
#include "boundary.hpp"
#include <ATen/TensorIterator.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <algorithm>
#include <c10/util/BFloat16.h>
#include <cstring>
#include <torch/csrc/autograd/custom_function.h>

using svspec::TensorPtr;

#if defined(__x86_64__) && defined(__GNUC__)
#define SVSPEC_WITH_AVX2 __attribute__((target("avx2,fma")))

namespace {

constexpr int64_t kLanes = 8;
typedef float Values __attribute__((vector_size(32)));
typedef int32_t Integers __attribute__((vector_size(32)));
typedef uint32_t Words __attribute__((vector_size(32)));
typedef uint16_t Halves __attribute__((vector_size(16)));

SVSPEC_WITH_AVX2 inline Values load(const float* from) {
  Values values;
  std::memcpy(&values, from, sizeof values);
  return values;
}

SVSPEC_WITH_AVX2 inline Values load(const c10::BFloat16* from) {
  Halves halves;
  std::memcpy(&halves, from, sizeof halves);
  return reinterpret_cast<Values>(__builtin_convertvector(halves, Words) << 16);
}

SVSPEC_WITH_AVX2 inline void store(float* to, Values values) { std::memcpy(to, &values, sizeof values); }

// To the nearest, of two as near to the even one; what is no number stays so.
SVSPEC_WITH_AVX2 inline void store(c10::BFloat16* to, Values values) {
  const auto bits = reinterpret_cast<Words>(values);
  const auto rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const auto is_number = reinterpret_cast<Words>(values == values);
  const auto halves = __builtin_convertvector((rounded & is_number) | (0x7fc0 & ~is_number), Halves);
  std::memcpy(to, &halves, sizeof halves);
}

// 2^t for |t| ≤ 126: 2 to the nearest integer is put into the exponent, and 2 to the rest, which is half at most, is a polynomial
// whose error is below the last bit's.
SVSPEC_WITH_AVX2 inline Values exp2(Values t) {
  // Added to a small number it leaves that, rounded, in the last bits.
  constexpr float kRounder = 12582912;
  const auto rounded = t + kRounder;
  const auto rest = t - (rounded - kRounder);
  auto power = rest * 0.00015403530f + 0.0013333558f;
  for (const float coefficient : {0.0096181291f, 0.055504109f, 0.24022651f, 0.69314718f, 1.0f}) power = power * rest + coefficient;
  return reinterpret_cast<Values>(reinterpret_cast<Integers>(power) + (reinterpret_cast<Integers>(rounded) << 23));
}

constexpr float kCubic = 0.044715f;
constexpr float kTwoRoots = 1.5957691f;             // 2·sqrt(2/π)
constexpr float kExponent = -kTwoRoots * 1.442695f;  // by log2(e)

// Beyond 8 the sigmoid of 2u is 1 or 0 to the last bit of f32, while 2^t goes on to where f32 ends.
constexpr float kBound = 8;

SVSPEC_WITH_AVX2 inline Values at_least(Values x, float bound) { return x < bound ? Values{} + bound : x; }
SVSPEC_WITH_AVX2 inline Values at_most(Values x, float bound) { return x > bound ? Values{} + bound : x; }

SVSPEC_WITH_AVX2 inline Values value(Values x) {
  const auto from_below = at_least(x, -kBound);
  const auto near = at_most(from_below, kBound);
  return from_below / (1.0f + exp2(near * (near * near * (kExponent * kCubic) + kExponent)));
}

SVSPEC_WITH_AVX2 inline Values gradient(Values g, Values x) {
  const auto near = at_most(at_least(x, -kBound), kBound);
  const auto square = near * near;
  const auto power = exp2(near * (square * (kExponent * kCubic) + kExponent));
  const auto share = 1.0f / (1.0f + power);
  const auto slope = near * (square * (3 * kTwoRoots * kCubic) + kTwoRoots);
  return g * (share + slope * share * (power * share));
}

// One operand of a loop of TensorIterator's: where it starts, and how many bytes lie from one value to the next.
template <typename T>
struct Operand {
  char* start;
  int64_t stride;

  T* at(int64_t i) const { return reinterpret_cast<T*>(start + i * stride); }
  bool is_dense() const { return stride == sizeof(T); }

  // The values from `i` on, `count` of them at most; 0 for the rest.
  SVSPEC_WITH_AVX2 Values read(int64_t i, int64_t count) const {
    if (count >= kLanes && is_dense()) return load(at(i));
    T some[kLanes] = {};
    for (int64_t lane = 0; lane < std::min(count, kLanes); lane++) some[lane] = *at(i + lane);
    return load(some);
  }

  SVSPEC_WITH_AVX2 void write(int64_t i, int64_t count, Values values) const {
    if (count >= kLanes && is_dense()) return store(at(i), values);
    T some[kLanes];
    store(some, values);
    for (int64_t lane = 0; lane < std::min(count, kLanes); lane++) *at(i + lane) = some[lane];
  }
};

template <typename T>
SVSPEC_WITH_AVX2 void values(Operand<T> y, Operand<T> x, int64_t count) {
  for (int64_t i = 0; i < count; i += kLanes) y.write(i, count - i, value(x.read(i, count - i)));
}

template <typename T>
SVSPEC_WITH_AVX2 void gradients(Operand<T> dx, Operand<T> g, Operand<T> x, int64_t count) {
  for (int64_t i = 0; i < count; i += kLanes) dx.write(i, count - i, gradient(g.read(i, count - i), x.read(i, count - i)));
}

template <typename Body>
void with_type(at::ScalarType type, const Body& body) {
  return type == at::kFloat ? body(float(0)) : body(c10::BFloat16(0));
}

struct GeluTanh : torch::autograd::Function<GeluTanh> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x) {
    auto y = at::empty_like(x);
    with_type(x.scalar_type(), [&](auto zero) {
      typedef decltype(zero) T;
      auto operands = at::TensorIteratorConfig().add_output(y).add_const_input(x).build();
      operands.for_each([](char** starts, const int64_t* strides, int64_t count) {
        values<T>({starts[0], strides[0]}, {starts[1], strides[1]}, count);
      });
    });
    context->save_for_backward({x});
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, torch::autograd::variable_list of_y) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "gelu_tanh of f32 and bf16 has no second derivative");
    const auto x = context->get_saved_variables()[0];
    auto dx = at::empty_like(x);
    with_type(x.scalar_type(), [&](auto zero) {
      typedef decltype(zero) T;
      auto operands = at::TensorIteratorConfig().add_output(dx).add_const_input(of_y[0]).add_const_input(x).build();
      operands.for_each([](char** starts, const int64_t* strides, int64_t count) {
        gradients<T>({starts[0], strides[0]}, {starts[1], strides[1]}, {starts[2], strides[2]}, count);
      });
    });
    return {dx};
  }
};

bool has_kernel_for(const at::Tensor& x) {
  static const bool has_registers = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return has_registers && x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

at::Tensor gelu_tanh(const at::Tensor& x) { return has_kernel_for(x) ? GeluTanh::apply(x) : at::gelu(x, "tanh"); }

}  // namespace

#else

namespace {

at::Tensor gelu_tanh(const at::Tensor& x) { return at::gelu(x, "tanh"); }

}  // namespace

#endif

extern "C" {

// By LibTorch where there is no kernel above: of other types, elsewhere than on the CPU, and on CPUs without AVX2.
int svspec_gelu_tanh(TensorPtr x, TensorPtr* y) {
  return svspec::guarded([&] { *y = new at::Tensor(gelu_tanh(*x)); });
}

}  // extern "C"
