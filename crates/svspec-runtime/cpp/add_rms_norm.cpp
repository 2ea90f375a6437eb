// A branch's way into the residual stream on the CPU, and the RMS norm behind it, in one pass: s = x + branch and y = s·r.
//
// Forward it reads both and writes s and y; backward it reads the gradients of s and of y, and y, and writes the gradient of s, which is
// that of x and of the branch. A sum and a norm of their own read and write each row once or twice more on both ways, and a branch in
// bf16 beside a stream in f32 takes a copy in f32.
#include "boundary.hpp"
#include "parallel.hpp"
#include "rms_norm.hpp"
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <algorithm>
#include <torch/csrc/autograd/custom_function.h>
#include <type_traits>

using svspec::Computed;
using svspec::Lanes;
using svspec::TensorPtr;
using svspec::load;
using svspec::store;

namespace {

// Calls `body` with each row's number, side by side in blocks that are worth a thread.
template <typename Body>
void each_row(int64_t num_rows, int64_t size, const Body& body) {
  const auto rows = std::max<int64_t>(1, at::internal::GRAIN_SIZE / std::max<int64_t>(1, size));
  svspec::each_number((num_rows + rows - 1) / rows, [&](int64_t block) {
    const auto end = std::min((block + 1) * rows, num_rows);
    for (auto row = block * rows; row < end; row++) body(row);
  });
}

template <typename X, typename B, typename C = typename Computed<X>::Type>
inline void add_row(X* sum, const X* x, const B* branch, int64_t size) {
  int64_t i = 0;
  for (; i + Lanes<C>::kCount <= size; i += Lanes<C>::kCount) store(sum + i, load(x + i) + load(branch + i));
  for (; i < size; i++) sum[i] = static_cast<X>(static_cast<C>(x[i]) + static_cast<C>(branch[i]));
}

struct AddRmsNorm : torch::autograd::Function<AddRmsNorm> {
  static torch::autograd::variable_list forward(
      torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& branch, int64_t num_axes, double eps,
      bool to_product) {
    const auto type = x.scalar_type(), type_of_branch = branch.scalar_type();
    TORCH_CHECK(num_axes > 0 && num_axes <= x.dim(), "rms_norm over ", num_axes, " of ", x.dim(), " dimensions");
    TORCH_CHECK(branch.sizes() == x.sizes(), "a branch of ", branch.sizes(), " beside ", x.sizes());
    TORCH_CHECK(
        type_of_branch == type || (type_of_branch == at::kBFloat16 && type == at::kFloat), "a branch of ", type_of_branch, " beside ",
        type);
    const auto computed = svspec::computed_type(type);
    const auto leading = x.sizes().slice(0, x.dim() - num_axes);
    const auto num_rows = c10::multiply_integers(leading);
    const auto size = c10::multiply_integers(x.sizes().slice(x.dim() - num_axes));
    const auto stream = x.contiguous(), added = branch.contiguous();
    auto sum = at::empty(x.sizes(), stream.options());
    auto y = at::empty(x.sizes(), stream.options().dtype(to_product && svspec::products_read_bf16(type) ? at::kBFloat16 : computed));
    auto factor = at::empty(leading, stream.options().dtype(computed));
    svspec::with_types(type, y.scalar_type(), [&](auto in, auto out) {
      typedef decltype(in) X;
      typedef decltype(out) Y;
      typedef typename Computed<X>::Type C;
      const auto add_and_normalize = [&](const auto* of_branch) {
        const auto* of_x = stream.const_data_ptr<X>();
        auto* s = sum.mutable_data_ptr<X>();
        auto* of_y = y.mutable_data_ptr<Y>();
        auto* r = factor.mutable_data_ptr<C>();
        each_row(num_rows, size, [=](int64_t row) {
          const auto at = row * size;
          add_row(s + at, of_x + at, of_branch + at, size);
          svspec::forward_row(of_y + at, r + row, s + at, size, static_cast<C>(eps));
        });
      };
      if (type_of_branch == type) return add_and_normalize(added.const_data_ptr<X>());
      if constexpr (std::is_same_v<X, float>) add_and_normalize(added.const_data_ptr<c10::BFloat16>());
    });
    // The gradient of what nothing reads is no tensor of zeros.
    context->set_materialize_grads(false);
    context->saved_data["size"] = size;
    context->saved_data["type"] = type;
    context->saved_data["type_of_branch"] = type_of_branch;
    context->save_for_backward({y, factor});
    return {sum, y};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "rms_norm has no second derivative");
    auto of_sum = gradients[0];
    if (gradients[1].defined()) of_sum = derivative(context, gradients[0], gradients[1].contiguous());
    auto of_branch = of_sum.defined() ? of_sum.to(context->saved_data["type_of_branch"].toScalarType()) : of_sum;
    return {of_sum, of_branch, at::Tensor(), at::Tensor(), at::Tensor()};
  }

 private:
  // The gradient of the sum, from that of its other readers, if it has any, and that of the norm.
  static at::Tensor derivative(torch::autograd::AutogradContext* context, const at::Tensor& of_others, const at::Tensor& of_y) {
    const auto size = context->saved_data["size"].toInt();
    const auto type = context->saved_data["type"].toScalarType();
    const auto saved = context->get_saved_variables();
    const auto &y = saved[0], &factor = saved[1];
    const auto others = of_others.defined() ? of_others.contiguous() : of_others;
    auto of_sum = at::empty(y.sizes(), y.options().dtype(type));
    svspec::with_types(type, y.scalar_type(), [&](auto in, auto out) {
      typedef decltype(in) X;
      typedef decltype(out) Y;
      typedef typename Computed<X>::Type C;
      const auto* beside = others.defined() ? others.const_data_ptr<X>() : nullptr;
      const auto *g = of_y.const_data_ptr<Y>(), *normalized = y.const_data_ptr<Y>();
      const auto* r = factor.const_data_ptr<C>();
      auto* d = of_sum.mutable_data_ptr<X>();
      each_row(factor.numel(), size, [=](int64_t row) {
        const auto at = row * size;
        svspec::backward_row(d + at, beside ? beside + at : nullptr, g + at, normalized + at, r[row], size);
      });
    });
    return of_sum;
  }
};

}  // namespace

extern "C" {

// `x` and `branch`, of the same sizes, added, and the sum over the root of its mean square over the last `num_axes` dimensions
// together. The branch is of the kind of `x`, or bf16 beside f32. Of the norm what is said of `svspec_rms_norm` holds.
int svspec_add_rms_norm(
    TensorPtr x, TensorPtr branch, int64_t num_axes, double eps, bool to_product, TensorPtr* sum, TensorPtr* y) {
  return svspec::guarded([&] {
    const auto both = AddRmsNorm::apply(*x, *branch, num_axes, eps, to_product);
    *sum = new at::Tensor(both[0]);
    *y = new at::Tensor(both[1]);
  });
}

}  // extern "C"
