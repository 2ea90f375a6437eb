// Matrix products, and attention, of bf16 tensors on CPUs that have no products in bf16. LibTorch's kernels for these are plain loops,
// which take some fifty times as long as its products in f32.
#include "boundary.hpp"
#include <ATen/CPUFunctions.h>
#include <memory>
#include <torch/library.h>

namespace {

bool is_bf16(const at::Tensor& x) { return x.scalar_type() == at::kBFloat16; }

at::Tensor widened(const at::Tensor& x) { return x.to(at::kFloat); }

at::Tensor rounded(const at::Tensor& x) { return x.to(at::kBFloat16); }

at::Tensor mm(const at::Tensor& a, const at::Tensor& b) {
  if (!is_bf16(a) || !is_bf16(b)) return at::cpu::mm(a, b);
  return rounded(at::cpu::mm(widened(a), widened(b)));
}

at::Tensor bmm(const at::Tensor& a, const at::Tensor& b) {
  if (!is_bf16(a) || !is_bf16(b)) return at::cpu::bmm(a, b);
  return rounded(at::cpu::bmm(widened(a), widened(b)));
}

at::Tensor addmm(const at::Tensor& c, const at::Tensor& a, const at::Tensor& b, const at::Scalar& beta, const at::Scalar& alpha) {
  if (!is_bf16(c) || !is_bf16(a) || !is_bf16(b)) return at::cpu::addmm(c, a, b, beta, alpha);
  return rounded(at::cpu::addmm(widened(c), widened(a), widened(b), beta, alpha));
}

at::Tensor baddbmm(const at::Tensor& c, const at::Tensor& a, const at::Tensor& b, const at::Scalar& beta, const at::Scalar& alpha) {
  if (!is_bf16(c) || !is_bf16(a) || !is_bf16(b)) return at::cpu::baddbmm(c, a, b, beta, alpha);
  return rounded(at::cpu::baddbmm(widened(c), widened(a), widened(b), beta, alpha));
}

// LibTorch's product by group writes each group's into a part of the whole.
at::Tensor& written(const at::Tensor& product, at::Tensor& out) { return out.resize_(product.sizes()).copy_(product); }

at::Tensor& mm_out(const at::Tensor& a, const at::Tensor& b, at::Tensor& out) {
  return is_bf16(a) ? written(mm(a, b), out) : at::cpu::mm_outf(a, b, out);
}

at::Tensor& bmm_out(const at::Tensor& a, const at::Tensor& b, at::Tensor& out) {
  return is_bf16(a) ? written(bmm(a, b), out) : at::cpu::bmm_outf(a, b, out);
}

std::optional<at::Tensor> widened(const std::optional<at::Tensor>& mask) {
  return mask && is_bf16(*mask) ? std::optional(widened(*mask)) : mask;
}

std::tuple<at::Tensor, at::Tensor> attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double dropout, bool is_causal,
                                             const std::optional<at::Tensor>& mask, std::optional<double> scale) {
  const auto forward = at::cpu::_scaled_dot_product_flash_attention_for_cpu;
  if (!is_bf16(q)) return forward(q, k, v, dropout, is_causal, mask, scale);
  const auto [y, log_sums] = forward(widened(q), widened(k), widened(v), dropout, is_causal, widened(mask), scale);
  return {rounded(y), log_sums};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> attention_backward(const at::Tensor& of_y, const at::Tensor& q, const at::Tensor& k,
                                                                  const at::Tensor& v, const at::Tensor& y, const at::Tensor& log_sums,
                                                                  double dropout, bool is_causal, const std::optional<at::Tensor>& mask,
                                                                  std::optional<double> scale) {
  const auto backward = at::cpu::_scaled_dot_product_flash_attention_for_cpu_backward;
  if (!is_bf16(q)) return backward(of_y, q, k, v, y, log_sums, dropout, is_causal, mask, scale);
  const auto [of_q, of_k, of_v] = backward(widened(of_y), widened(q), widened(k), widened(v), widened(y), log_sums, dropout, is_causal,
                                           widened(mask), scale);
  return {rounded(of_q), rounded(of_k), rounded(of_v)};
}

// LibTorch warns of a kernel that takes another's place, which is what is meant.
class Silence final : public c10::WarningHandler {
  void process(const c10::Warning&) override {}
};

}  // namespace

extern "C" {

// From here on products and attention of bf16 tensors on the CPU are made in f32, and each result is rounded to bf16 once; or are
// LibTorch's again.
int svspec_widen_bf16_products(int widened) {
  return svspec::guarded([&] {
    Silence silence;
    c10::WarningUtils::WarningHandlerGuard guard(&silence);
    // What it holds is taken back when it goes, and stays until the process ends otherwise.
    static std::unique_ptr<torch::Library> kernels;
    kernels.reset();
    if (!widened) return;
    kernels = std::make_unique<torch::Library>(torch::Library::IMPL, "aten", c10::DispatchKey::CPU, __FILE__, __LINE__);
    kernels->impl("mm", mm);
    kernels->impl("bmm", bmm);
    kernels->impl("mm.out", mm_out);
    kernels->impl("bmm.out", bmm_out);
    kernels->impl("addmm", addmm);
    kernels->impl("baddbmm", baddbmm);
    kernels->impl("_scaled_dot_product_flash_attention_for_cpu", attention);
    kernels->impl("_scaled_dot_product_flash_attention_for_cpu_backward", attention_backward);
  });
}

}  // extern "C"
