// Work side by side on LibTorch's own threads. `at::parallel_for` has none here, since it is compiled with what includes it.
#pragma once
#include <ATen/TensorIterator.h>
#include <ATen/ops/arange.h>

namespace svspec {

// Calls `body` with each number below `count`; each call should be worth a thread's while.
template <typename Body>
void each_number(int64_t count, const Body& body) {
  auto numbers = at::arange(count, at::kLong);
  at::TensorIteratorConfig().resize_outputs(false).check_all_same_dtype(false).add_output(numbers).build().for_each(
      [&](char** starts, const int64_t* strides, int64_t inner, int64_t outer) {
        for (int64_t j = 0; j < outer; j++) {
          for (int64_t i = 0; i < inner; i++) {
            body(*reinterpret_cast<const int64_t*>(starts[0] + i * strides[0] + j * strides[1]));
          }
        }
      },
      1);
}

}  // namespace svspec
