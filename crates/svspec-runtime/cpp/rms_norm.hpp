// One row of RMS normalisation on the CPU, and of its derivative.
//
// With r = 1 / sqrt(mean(x²) + eps): y = x·r, and dx = r·(g − y·mean(g·y)). A row is summed by one thread and in one order, and in f32
// where it lies in bf16, which is read and written as it is.
#pragma once
#include "lanes.hpp"
#include <cmath>

namespace svspec {

// The mean of a[i]·b[i]. Four sums of vectors, so that no addition waits for the one before it.
template <typename A, typename B, typename C = typename Computed<A>::Type>
inline C mean_product(const A* a, const B* b, int64_t size) {
  constexpr auto kLanes = Lanes<C>::kCount;
  typename Lanes<C>::Vector first = {}, second = {}, third = {}, fourth = {};
  int64_t i = 0;
  for (; i + 4 * kLanes <= size; i += 4 * kLanes) {
    first += load(a + i) * load(b + i);
    second += load(a + i + kLanes) * load(b + i + kLanes);
    third += load(a + i + 2 * kLanes) * load(b + i + 2 * kLanes);
    fourth += load(a + i + 3 * kLanes) * load(b + i + 3 * kLanes);
  }
  const auto sums = (first + second) + (third + fourth);
  C sum = 0;
  for (int64_t lane = 0; lane < kLanes; lane++) sum += sums[lane];
  for (; i < size; i++) sum += static_cast<C>(a[i]) * static_cast<C>(b[i]);
  return sum / static_cast<C>(size);
}

template <typename Y, typename X, typename C = typename Computed<X>::Type>
inline void forward_row(Y* y, C* factor, const X* x, int64_t size, C eps) {
  const C r = 1 / std::sqrt(mean_product(x, x, size) + eps);
  int64_t i = 0;
  for (; i + Lanes<C>::kCount <= size; i += Lanes<C>::kCount) store(y + i, load(x + i) * r);
  for (; i < size; i++) y[i] = static_cast<Y>(static_cast<C>(x[i]) * r);
  *factor = r;
}

// `beside` is the gradient that comes from what else reads the row, to be added; null if there is none.
template <typename X, typename Y, typename C = typename Computed<X>::Type>
inline void backward_row(X* dx, const X* beside, const Y* g, const Y* y, C r, int64_t size) {
  const C along = mean_product(g, y, size);
  int64_t i = 0;
  for (; i + Lanes<C>::kCount <= size; i += Lanes<C>::kCount) {
    auto of_x = (load(g + i) - load(y + i) * along) * r;
    if (beside) of_x += load(beside + i);
    store(dx + i, of_x);
  }
  for (; i < size; i++) {
    const auto of_x = (static_cast<C>(g[i]) - static_cast<C>(y[i]) * along) * r;
    dx[i] = static_cast<X>(beside ? of_x + static_cast<C>(beside[i]) : of_x);
  }
}

}  // namespace svspec
