// f32 to bf16 by stochastic rounding: up or down to a neighbour with the probabilities that make the mean exact. The random bits are a
// function of a seed and an entry's place, the same on every device.
#include "boundary.hpp"
#include "parallel.hpp"
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/where.h>
#include <algorithm>
#include <cstring>

using svspec::TensorPtr;

namespace {

constexpr int64_t kLow32 = 0xffffffff;
constexpr int64_t kFirst = 0x7feb352d, kSecond = 0x846ca68b;

// Entries that are rounded together.
constexpr int64_t kBlock = 1 << 13;

// A bijection of 32 bits in which every input bit reaches every output bit.
inline uint32_t mix(uint32_t x) {
  x = (x ^ (x >> 16)) * static_cast<uint32_t>(kFirst);
  x = (x ^ (x >> 15)) * static_cast<uint32_t>(kSecond);
  return x ^ (x >> 16);
}

inline uint32_t random_bits(uint64_t seed, int64_t place) {
  return mix(mix(static_cast<uint32_t>(place) ^ static_cast<uint32_t>(seed)) + static_cast<uint32_t>(seed >> 32)) & 0xffff;
}

// The same of tensors of numbers below 2^32; products wrap, and keep their low bits.
at::Tensor mix(at::Tensor x) {
  x = (at::bitwise_xor(x, at::bitwise_right_shift(x, 16)) * kFirst).bitwise_and_(kLow32);
  x = (at::bitwise_xor(x, at::bitwise_right_shift(x, 15)) * kSecond).bitwise_and_(kLow32);
  return at::bitwise_xor(x, at::bitwise_right_shift(x, 16));
}

at::Tensor random_bits(uint64_t seed, int64_t count, at::TensorOptions options) {
  const auto place = at::arange(count, options.dtype(at::kLong)).bitwise_and_(kLow32);
  const auto low = static_cast<int64_t>(seed & kLow32), high = static_cast<int64_t>(seed >> 32);
  return mix((mix(at::bitwise_xor(place, low)) + high).bitwise_and_(kLow32)).bitwise_and_(0xffff).to(at::kInt);
}

inline uint16_t rounded(float value, uint32_t random) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  // Infinities and NaNs have no neighbours.
  if ((bits & 0x7f800000) == 0x7f800000) return static_cast<uint16_t>((bits >> 16) | ((bits & 0xffff) != 0 ? 0x40 : 0));
  return static_cast<uint16_t>((bits + random) >> 16);
}

void on_cpu(const at::Tensor& to, const at::Tensor& from, uint64_t seed) {
  auto* out = static_cast<uint16_t*>(to.mutable_data_ptr());
  const auto* in = from.const_data_ptr<float>();
  const auto num_entries = from.numel();
  svspec::each_number((num_entries + kBlock - 1) / kBlock, [=](int64_t block) {
    const auto end = std::min(num_entries, (block + 1) * kBlock);
    for (auto i = block * kBlock; i < end; i++) out[i] = rounded(in[i], random_bits(seed, i));
  });
}

void by_operators(const at::Tensor& to, const at::Tensor& from, uint64_t seed) {
  const auto random = random_bits(seed, from.numel(), from.options()).view(from.sizes());
  const auto bits = (from.view(at::kInt) + random).bitwise_and_(-65536).view(at::kFloat);
  to.copy_(at::where(at::isfinite(from), bits, from));
}

}  // namespace

extern "C" {

// Writes `from`, contiguous f32, to `to`, contiguous bf16 of the same shape. `portable` takes the way of devices without a kernel here.
int svspec_round_stochastically(TensorPtr to, TensorPtr from, uint64_t seed, int portable) {
  return svspec::guarded([&] {
    at::NoGradGuard no_grad;
    TORCH_CHECK(to->scalar_type() == at::kBFloat16 && from->scalar_type() == at::kFloat, "f32 is rounded to bf16, not ",
                from->scalar_type(), " to ", to->scalar_type());
    TORCH_CHECK(to->is_contiguous() && from->is_contiguous() && to->sizes() == from->sizes(), "two contiguous tensors of one shape");
    to->device().is_cpu() && !portable ? on_cpu(*to, *from, seed) : by_operators(*to, *from, seed);
  });
}

}  // extern "C"
