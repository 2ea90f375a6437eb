// Values of f64, f32 and bf16, read and written a register at a time.
#pragma once
#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <c10/util/BFloat16.h>
#include <cstring>

namespace svspec {

// What values are computed in, whatever they lie in memory as.
template <typename T>
struct Computed {
  typedef T Type;
};
template <>
struct Computed<c10::BFloat16> {
  typedef float Type;
};

// Values that fit a register of any machine that LibTorch runs on; wider ones gain nothing where memory is what is waited for.
template <typename C>
struct Lanes {
  static constexpr int64_t kCount = 16 / sizeof(C);
  typedef C Vector __attribute__((vector_size(16)));
};

typedef uint16_t Halves __attribute__((vector_size(8)));
typedef uint32_t Words __attribute__((vector_size(16)));

template <typename T>
inline typename Lanes<T>::Vector load(const T* from) {
  typename Lanes<T>::Vector values;
  std::memcpy(&values, from, sizeof values);
  return values;
}

inline Lanes<float>::Vector load(const c10::BFloat16* from) {
  Halves halves;
  std::memcpy(&halves, from, sizeof halves);
  return reinterpret_cast<Lanes<float>::Vector>(__builtin_convertvector(halves, Words) << 16);
}

template <typename T>
inline void store(T* to, typename Lanes<T>::Vector values) {
  std::memcpy(to, &values, sizeof values);
}

// To the nearest, of two as near to the even one; what is no number stays so.
inline void store(c10::BFloat16* to, Lanes<float>::Vector values) {
  const auto bits = reinterpret_cast<Words>(values);
  const auto rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const auto is_number = reinterpret_cast<Words>(values == values);
  const auto halves = __builtin_convertvector((rounded & is_number) | (0x7fc0 & ~is_number), Halves);
  std::memcpy(to, &halves, sizeof halves);
}

// Calls `body` with a value of the type of each tensor's values: f64 in and out, or f32 and bf16 in either place.
template <typename Body>
void with_types(at::ScalarType in, at::ScalarType out, const Body& body) {
  const float single = 0;
  const c10::BFloat16 half = 0;
  if (in == at::kDouble) return body(double(0), double(0));
  if (in == at::kFloat) return out == at::kFloat ? body(single, single) : body(single, half);
  return out == at::kFloat ? body(half, single) : body(half, half);
}

// The type in which values of `type` are computed: f64 its own, else f32.
inline at::ScalarType computed_type(at::ScalarType type) {
  TORCH_CHECK(type == at::kFloat || type == at::kDouble || type == at::kBFloat16, "f32, f64 or bf16, not ", type);
  return type == at::kDouble ? at::kDouble : at::kFloat;
}

// Whether matrix products on the CPU read values of `type` as bf16: under autocast to it, which leaves f64 alone.
inline bool products_read_bf16(at::ScalarType type) {
  return type != at::kDouble && at::autocast::is_autocast_enabled(at::kCPU) &&
      at::autocast::get_autocast_dtype(at::kCPU) == at::kBFloat16;
}

}  // namespace svspec
