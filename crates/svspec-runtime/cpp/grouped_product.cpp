// Rows, sorted by group, times the matrix of each group, in one call: LibTorch's own kernel, which needs no count of rows on the
// host. As matrix products are, it is subject to autocast.
#include "boundary.hpp"
#include <ATen/autocast_mode.h>
#include <ATen/ops/_grouped_mm.h>

using svspec::TensorPtr;

namespace {

// The kernel wants rows that start at multiples of so many bytes.
constexpr int64_t kAlignment = 16;

bool is_taken(const at::Tensor& x, const at::Tensor& weight) {
  const auto kind = x.scalar_type();
  // On a GPU other kinds go through a loop that waits for the counts, as ours does.
  const bool has_kernel = kind == at::kBFloat16 || (x.is_cpu() && kind == at::kFloat);
  const auto bytes = [&](int64_t entries) { return entries * static_cast<int64_t>(x.element_size()); };
  return has_kernel && weight.scalar_type() == kind && bytes(weight.size(1)) % kAlignment == 0 &&
         bytes(weight.size(2)) % kAlignment == 0;
}

at::Tensor cast(const at::Tensor& tensor) {
  const auto type = tensor.device().type();
  if (!at::autocast::is_autocast_enabled(type)) return tensor;
  return at::autocast::cached_cast(at::autocast::get_autocast_dtype(type), tensor, type);
}

}  // namespace

extern "C" {

// `x` is [rows, in], `weight` [groups, out, in], `ends` the row after the last one of each group, i32. `y` is left as it is where
// there is no such kernel.
int svspec_grouped_product(TensorPtr x, TensorPtr weight, TensorPtr ends, TensorPtr* y) {
  return svspec::guarded([&] {
    const at::Tensor rows = cast(*x).contiguous(), matrices = cast(*weight).contiguous();
    if (!is_taken(rows, matrices)) return;
    *y = new at::Tensor(at::_grouped_mm(rows, matrices.transpose(1, 2), *ends));
  });
}

}
