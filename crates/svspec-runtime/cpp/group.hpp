// Processes that work together, as c10d has them.
#pragma once
#include <torch/csrc/distributed/c10d/Backend.hpp>

namespace svspec {

// The processes of a run, numbered, and what they reduce and send by: Gloo or NCCL.
struct Group {
  c10::intrusive_ptr<c10d::Backend> backend;
};

// A collective under way.
struct Work {
  c10::intrusive_ptr<c10d::Work> work;
};

}  // namespace svspec
