// RMS normalisation on the CPU: one read and one write of each row forward, two reads and one write backward. Kept for the backward
// pass are y, which what follows tends to keep as well, and r, but not x; a row is one thread's, however many there are.
#include "boundary.hpp"
#include "rms_norm.hpp"
#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <algorithm>
#include <torch/csrc/autograd/custom_function.h>

using svspec::Computed;
using svspec::TensorPtr;

namespace {

// Calls `row` with where each operand's row starts. A loop of TensorIterator's: `strides` are bytes, first of all operands along
// `inner`, then along `outer`.
template <int kOperands, typename Row>
inline void each_row(char** starts, const int64_t* strides, int64_t inner, int64_t outer, const Row& row) {
  for (int64_t j = 0; j < outer; j++) {
    char* at[kOperands];
    for (int k = 0; k < kOperands; k++) at[k] = starts[k] + j * strides[kOperands + k];
    for (int64_t i = 0; i < inner; i++) {
      row(at);
      for (int k = 0; k < kOperands; k++) at[k] += strides[k];
    }
  }
}

template <typename T>
T* as(char* start) {
  return reinterpret_cast<T*>(start);
}

// `x` itself where the last `num_axes` dimensions of each row lie together, and a copy where they do not. Other strides are free.
at::Tensor with_dense_rows(const at::Tensor& x, int64_t num_axes) {
  int64_t dense = 1;
  for (int64_t axis = x.dim() - 1; axis >= x.dim() - num_axes; axis--) {
    if (x.size(axis) != 1 && x.stride(axis) != dense) return x.contiguous();
    dense *= x.size(axis);
  }
  return x;
}

// The first value of each row.
at::Tensor row_starts(const at::Tensor& x, int64_t num_axes) {
  const auto num_leading = x.dim() - num_axes;
  return x.as_strided(x.sizes().slice(0, num_leading), x.strides().slice(0, num_leading));
}

// Calls `row` for every row, side by side in blocks that are worth a thread; `size` is a row's.
template <int kOperands, typename Row>
void parallel_rows(at::TensorIteratorConfig& operands, int64_t size, const Row& row) {
  const auto grain = std::max<int64_t>(1, at::internal::GRAIN_SIZE / std::max<int64_t>(1, size));
  operands.resize_outputs(false).build().for_each(
      [&](char** starts, const int64_t* strides, int64_t inner, int64_t outer) {
        each_row<kOperands>(starts, strides, inner, outer, row);
      },
      grain);
}

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static at::Tensor forward(
      torch::autograd::AutogradContext* context, const at::Tensor& given, int64_t num_axes, double eps, bool to_product) {
    TORCH_CHECK(num_axes > 0 && num_axes <= given.dim(), "rms_norm over ", num_axes, " of ", given.dim(), " dimensions");
    const auto type = given.scalar_type();
    const auto computed = svspec::computed_type(type);
    const auto x = with_dense_rows(given, num_axes);
    const auto leading = x.sizes().slice(0, x.dim() - num_axes);
    const auto size = c10::multiply_integers(x.sizes().slice(x.dim() - num_axes));
    const auto type_of_y = to_product && svspec::products_read_bf16(type) ? at::kBFloat16 : computed;
    auto y = at::empty(x.sizes(), x.options().dtype(type_of_y));
    auto factor = at::empty(leading, x.options().dtype(computed));
    auto operands = at::TensorIteratorConfig();
    operands.check_all_same_dtype(false)
        .add_owned_output(row_starts(y, num_axes))
        .add_output(factor)
        .add_owned_const_input(row_starts(x, num_axes));
    svspec::with_types(type, y.scalar_type(), [&](auto in, auto out) {
      typedef decltype(in) X;
      typedef decltype(out) Y;
      typedef typename Computed<X>::Type C;
      parallel_rows<3>(operands, size, [=](char** at) {
        svspec::forward_row(as<Y>(at[0]), as<C>(at[1]), as<const X>(at[2]), size, static_cast<C>(eps));
      });
    });
    context->saved_data["num_axes"] = num_axes;
    context->saved_data["type"] = type;
    context->save_for_backward({y, factor});
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "rms_norm has no second derivative");
    const auto num_axes = context->saved_data["num_axes"].toInt();
    const auto type = context->saved_data["type"].toScalarType();
    const auto saved = context->get_saved_variables();
    const auto &y = saved[0], &factor = saved[1];
    const auto g = with_dense_rows(gradients[0], num_axes);
    const auto size = c10::multiply_integers(y.sizes().slice(y.dim() - num_axes));
    auto dx = at::empty(y.sizes(), y.options().dtype(type));
    auto operands = at::TensorIteratorConfig();
    operands.check_all_same_dtype(false)
        .add_owned_output(row_starts(dx, num_axes))
        .add_owned_const_input(row_starts(g, num_axes))
        .add_owned_const_input(row_starts(y, num_axes))
        .add_const_input(factor);
    svspec::with_types(type, y.scalar_type(), [&](auto in, auto out) {
      typedef decltype(in) X;
      typedef decltype(out) Y;
      typedef typename Computed<X>::Type C;
      parallel_rows<4>(operands, size, [=](char** at) {
        svspec::backward_row<X, Y>(as<X>(at[0]), nullptr, as<const Y>(at[1]), as<const Y>(at[2]), *as<const C>(at[3]), size);
      });
    });
    return {dx, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

extern "C" {

// `x` over the root of its mean square over the last `num_axes` dimensions together; f32, f64 or bf16, on the CPU. What comes out
// is bf16 where `to_product` says that matrix products read it and autocast has these in bf16; else f32 of bf16.
int svspec_rms_norm(TensorPtr x, int64_t num_axes, double eps, bool to_product, TensorPtr* y) {
  return svspec::guarded([&] { *y = new at::Tensor(RmsNorm::apply(*x, num_axes, eps, to_product)); });
}

}  // extern "C"
