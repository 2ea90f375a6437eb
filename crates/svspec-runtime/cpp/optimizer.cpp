// The optimizer step and gradient clipping: multi-tensor operators that tch does not generate.
#include "boundary.hpp"
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

using svspec::TensorPtr;

extern "C" {

// In what follows `skip` is an f32 scalar on the tensors' device: where it is 1 nothing changes, whatever the operands hold. It is not waited for.

// One step of AdamW over `count` tensors that share their constants. `step` holds one f32 scalar per tensor, counted up here.
int svspec_fused_adamw(const TensorPtr* param, const TensorPtr* grad, const TensorPtr* first_moment, const TensorPtr* second_moment,
                       const TensorPtr* step, size_t count, double lr, double beta1, double beta2, double weight_decay, double eps,
                       TensorPtr skip) {
  return svspec::guarded([&] {
    at::NoGradGuard no_grad;
    auto steps = svspec::tensors(step, count);
    at::_foreach_add_(steps, 1 - *skip);
    at::_fused_adamw_(svspec::tensors(param, count), svspec::tensors(grad, count), svspec::tensors(first_moment, count),
                      svspec::tensors(second_moment, count), {}, steps, lr, beta1, beta2, weight_decay, eps,
                      /*amsgrad=*/false, /*maximize=*/false, /*grad_scale=*/std::nullopt, /*found_inf=*/*skip);
  });
}

// The L2 norm of a tensor, as a scalar on its device: no synchronisation with the host.
int svspec_norm(TensorPtr tensor, TensorPtr* norm) {
  return svspec::guarded([&] {
    at::NoGradGuard no_grad;
    *norm = new at::Tensor(at::linalg_vector_norm(*tensor, 2));
  });
}

// The L2 norm of each tensor, in one tensor on their device.
int svspec_norms(const TensorPtr* tensor, size_t count, TensorPtr* norms) {
  return svspec::guarded([&] {
    at::NoGradGuard no_grad;
    std::optional<at::ScalarType> kind;
    // A norm has more digits than bf16.
    if (count > 0 && tensor[0]->scalar_type() == at::kBFloat16) kind = at::kFloat;
    *norms = new at::Tensor(at::stack(at::_foreach_norm(svspec::tensors(tensor, count), 2, kind)));
  });
}

// Multiplies every tensor by min(1, max_norm / (norm + 1e-6)), the factor of torch.nn.utils.clip_grad_norm_.
int svspec_scale_to_norm(const TensorPtr* grad, size_t count, TensorPtr norm, double max_norm) {
  return svspec::guarded([&] {
    at::NoGradGuard no_grad;
    auto factor = at::clamp((*norm + 1e-6).reciprocal() * max_norm, std::nullopt, 1.0);
    at::_foreach_mul_(svspec::tensors(grad, count), factor);
  });
}

// Every tensor times `factor`, in place.
int svspec_multiply(const TensorPtr* tensor, size_t count, double factor, TensorPtr skip) {
  return svspec::guarded([&] {
    at::NoGradGuard no_grad;
    if (count == 0) return;
    auto kept = at::where(skip->to(at::kBool), at::ones_like(*skip, at::kDouble), factor);
    at::_foreach_mul_(svspec::tensors(tensor, count), kept.to(tensor[0]->scalar_type()));
  });
}

// Every tensor plus `factor` times the one beside it, in place.
int svspec_add(const TensorPtr* tensor, const TensorPtr* other, size_t count, double factor, TensorPtr skip) {
  return svspec::guarded([&] {
    at::NoGradGuard no_grad;
    auto skips = skip->to(at::kBool);
    for (size_t i = 0; i < count; ++i) tensor[i]->add_(other[i]->masked_fill(skips, 0), factor);
  });
}

// Every tensor moved a share of the way to the one beside it, in place.
int svspec_approach(const TensorPtr* tensor, const TensorPtr* other, size_t count, double share, TensorPtr skip) {
  return svspec::guarded([&] {
    at::NoGradGuard no_grad;
    auto skips = skip->to(at::kBool);
    for (size_t i = 0; i < count; ++i) tensor[i]->lerp_(at::where(skips, *tensor[i], *other[i]), share);
  });
}

}  // extern "C"
