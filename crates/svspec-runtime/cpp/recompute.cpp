// Activation recomputation (arXiv 1604.06174): of a function, only its input is kept, and the backward pass computes the rest again.
#include "boundary.hpp"
#include <ATen/autocast_mode.h>
#include <memory>
#include <stdexcept>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

using svspec::TensorPtr;

namespace {

// Autocast as it is for one type of device.
struct Autocast {
  at::DeviceType type;
  bool enabled;
  at::ScalarType dtype;

  static Autocast of(at::DeviceType type) {
    return {type, at::autocast::is_autocast_enabled(type), at::autocast::get_autocast_dtype(type)};
  }

  void set() const {
    at::autocast::set_autocast_enabled(type, enabled);
    at::autocast::set_autocast_dtype(type, dtype);
  }
};

// Autocast as it was, while this lives: the backward pass runs outside of it, on a GPU in another thread.
class WithAutocast {
 public:
  explicit WithAutocast(const Autocast& wanted) : before_(Autocast::of(wanted.type)) {
    wanted.set();
    at::autocast::increment_nesting();
  }
  ~WithAutocast() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    before_.set();
  }
  WithAutocast(const WithAutocast&) = delete;
  WithAutocast& operator=(const WithAutocast&) = delete;

 private:
  Autocast before_;
};

// No weight's cast is kept while this lives: one that is made without a gradient must not serve a pass that has one.
class WithoutCastCache {
 public:
  WithoutCastCache() : before_(at::autocast::is_autocast_cache_enabled()) { at::autocast::set_autocast_cache_enabled(false); }
  ~WithoutCastCache() { at::autocast::set_autocast_cache_enabled(before_); }
  WithoutCastCache(const WithoutCastCache&) = delete;
  WithoutCastCache& operator=(const WithoutCastCache&) = delete;

 private:
  bool before_;
};

// The caller's function with its state, which is dropped with the last reference.
struct Body : torch::CustomClassHolder {
  using Call = int (*)(void* state, TensorPtr x, TensorPtr* y);
  using Drop = void (*)(void* state);

  Body(Call call, Drop drop, void* state) : call_(call), drop_(drop), state_(state) {}
  ~Body() override { drop_(state_); }

  at::Tensor operator()(at::Tensor x) const {
    TensorPtr y = nullptr;
    if (call_(state_, &x, &y) != 0) throw std::runtime_error(svspec::last_error());
    return *std::unique_ptr<at::Tensor>(y);
  }

  Autocast autocast{};

 private:
  Call call_;
  Drop drop_;
  void* state_;
};

struct Recompute : torch::autograd::Function<Recompute> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, at::TensorList params,
                            const c10::intrusive_ptr<Body>& body) {
    body->autocast = Autocast::of(x.device().type());
    context->saved_data["body"] = at::IValue::make_capsule(body);
    auto kept = torch::autograd::variable_list{x};
    kept.insert(kept.end(), params.begin(), params.end());
    context->save_for_backward(std::move(kept));
    WithoutCastCache no_cache;
    return (*body)(x);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, torch::autograd::variable_list of_y) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "what is recomputed has no second derivative");
    auto inputs = context->get_saved_variables();
    const auto capsule = context->saved_data["body"].toCapsule();
    const auto& body = static_cast<const Body&>(*capsule);
    at::AutoGradMode with_gradients(true);
    inputs[0] = inputs[0].detach().requires_grad_();
    at::Tensor y;
    {
      WithAutocast as_forward(body.autocast);
      y = body(inputs[0]);
    }
    auto gradients = torch::autograd::grad({y}, inputs, of_y, /*retain_graph=*/false, /*create_graph=*/false, /*allow_unused=*/true);
    gradients.emplace_back();
    return gradients;
  }
};

}  // namespace

extern "C" {

// What a function that Rust calls says of its failure.
void svspec_set_last_error(const char* message) { svspec::last_error() = message; }

// `y = call(state, x)`, a function of `x` and `params`, whose inner results are not kept. `drop(state)` is called once, at the latest
// when nothing can ask for the gradient any more.
int svspec_recompute(TensorPtr x, const TensorPtr* params, size_t count, Body::Call call, Body::Drop drop, void* state, TensorPtr* y) {
  return svspec::guarded([&] {
    const auto body = c10::make_intrusive<Body>(call, drop, state);
    *y = new at::Tensor(Recompute::apply(*x, at::TensorList(svspec::tensors(params, count)), body));
  });
}

}  // extern "C"
