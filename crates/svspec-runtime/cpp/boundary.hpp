// What every file here shares: tensors as tch passes them, and exceptions turned into a status and a message.
#pragma once
#include <ATen/core/Tensor.h>
#include <exception>
#include <string>
#include <vector>

namespace svspec {

// tch's Tensor owns a pointer to one of these.
using TensorPtr = at::Tensor*;

inline std::string& last_error() {
  static thread_local std::string message;
  return message;
}

// Runs `body`; 0 when it returns, -1 with the message kept when it throws.
template <typename Body>
int guarded(Body&& body) {
  try {
    body();
    return 0;
  } catch (const std::exception& error) {
    last_error() = error.what();
    return -1;
  }
}

inline std::vector<at::Tensor> tensors(const TensorPtr* pointers, size_t count) {
  std::vector<at::Tensor> list;
  list.reserve(count);
  for (size_t i = 0; i < count; i++) list.push_back(*pointers[i]);
  return list;
}

}  // namespace svspec
