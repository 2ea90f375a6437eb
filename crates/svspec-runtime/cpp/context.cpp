// Process-wide state of LibTorch: autocast, determinism, random generators.
#include "boundary.hpp"
#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/autocast_mode.h>

using svspec::TensorPtr;

static c10::Device device(int type, int index) {
  // The CPU has no index.
  return type == 0 ? c10::Device(c10::kCPU) : c10::Device(static_cast<c10::DeviceType>(type), index);
}

extern "C" {

const char* svspec_last_error() { return svspec::last_error().c_str(); }

// Device types are LibTorch's: 0 the CPU, 1 CUDA. Enters autocast to bf16; what was set before is written to `enabled` and `dtype`.
int svspec_autocast_enter(int device_type, int* enabled, int* dtype) {
  return svspec::guarded([&] {
    auto type = static_cast<at::DeviceType>(device_type);
    *enabled = at::autocast::is_autocast_enabled(type);
    *dtype = static_cast<int>(at::autocast::get_autocast_dtype(type));
    at::autocast::set_autocast_enabled(type, true);
    at::autocast::set_autocast_dtype(type, at::kBFloat16);
    at::autocast::increment_nesting();
  });
}

// Leaves autocast. Dropping the last level drops the cache of weights cast to bf16, which the optimizer is about to change.
int svspec_autocast_exit(int device_type, int enabled, int dtype) {
  return svspec::guarded([&] {
    auto type = static_cast<at::DeviceType>(device_type);
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(type, enabled);
    at::autocast::set_autocast_dtype(type, static_cast<at::ScalarType>(dtype));
  });
}

// Asks for deterministic kernels; an operator that has none warns once. Fresh memory is not filled: nothing here reads it.
int svspec_set_deterministic() {
  return svspec::guarded([&] {
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
    at::globalContext().setDeterministicFillUninitializedMemory(false);
  });
}

// The state of a device's default generator, as a tensor of bytes on the CPU.
int svspec_rng_state(int device_type, int index, TensorPtr* state) {
  return svspec::guarded([&] {
    auto generator = at::globalContext().defaultGenerator(device(device_type, index));
    std::lock_guard<std::mutex> lock(generator.mutex());
    *state = new at::Tensor(generator.get_state());
  });
}

int svspec_set_rng_state(int device_type, int index, TensorPtr state) {
  return svspec::guarded([&] {
    auto generator = at::globalContext().defaultGenerator(device(device_type, index));
    std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(*state);
  });
}


// The most bytes that tensors have taken at once on an accelerator.
int svspec_peak_bytes(int device_type, int index, int64_t* bytes) {
  return svspec::guarded([&] {
    auto stats = at::getDeviceAllocator(static_cast<at::DeviceType>(device_type))->getDeviceStats(static_cast<c10::DeviceIndex>(index));
    *bytes = stats.allocated_bytes[0].peak;
  });
}

}  // extern "C"
