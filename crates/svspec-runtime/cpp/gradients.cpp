// Gradients that are known before the backward pass asks for them.
#include "boundary.hpp"
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

using svspec::TensorPtr;

namespace {

struct KnownGradients : torch::autograd::Function<KnownGradients> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& value, at::TensorList inputs,
                            at::TensorList gradients) {
    TORCH_CHECK(inputs.size() == gradients.size(), gradients.size(), " gradients for ", inputs.size(), " inputs");
    context->save_for_backward(gradients.vec());
    return value.clone();
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, torch::autograd::variable_list of_value) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "gradients known beforehand have no derivative");
    auto gradients = context->get_saved_variables();
    const auto count = gradients.size();
    torch::autograd::variable_list result(1 + 2 * count);
    // In place: they may be as large as the head's weight, and nothing reads them after this.
    for (size_t i = 0; i < count; i++) result[1 + i] = gradients[i].mul_(of_value[0]);
    return result;
  }
};

}  // namespace

extern "C" {

// `value`, a scalar, as a function of `inputs` with these gradients.
int svspec_with_gradients(TensorPtr value, const TensorPtr* inputs, const TensorPtr* gradients, size_t count, TensorPtr* result) {
  return svspec::guarded([&] {
    *result = new at::Tensor(
        KnownGradients::apply(*value, at::TensorList(svspec::tensors(inputs, count)), at::TensorList(svspec::tensors(gradients, count))));
  });
}

// Switches autocast on or off without touching what it has cast; what was set before is written to `before`.
int svspec_autocast_switch(int device_type, int enabled, int* before) {
  return svspec::guarded([&] {
    auto type = static_cast<at::DeviceType>(device_type);
    *before = at::autocast::is_autocast_enabled(type);
    at::autocast::set_autocast_enabled(type, enabled);
  });
}

}  // extern "C"
