// Gradients summed over processes while backward still computes: each goes into a bucket as it arrives, and a bucket that is
// full is on its way.
#include "boundary.hpp"
#include "group.hpp"
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <memory>
#include <stdexcept>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include <torch/csrc/autograd/variable.h>

using svspec::Group;
using svspec::TensorPtr;

namespace {

// Several gradients in one tensor, and so in one collective.
struct Bucket {
  at::Tensor flat;
  // The process that gets the sum; -1: all of them.
  int root;
  size_t num_slots = 0;
  size_t missing = 0;
  c10::intrusive_ptr<c10d::Work> work;
};

// A gradient's place in its bucket.
struct Slot {
  at::Tensor parameter;
  // Where backward delivers the gradient, and what it calls then.
  std::shared_ptr<torch::autograd::Node> accumulator;
  uintptr_t hook;
  size_t bucket;
  at::Tensor view;
  bool has_arrived = false;
};

// What the hooks share. Autograd calls them one at a time.
struct Sums {
  c10::intrusive_ptr<c10d::Backend> backend;
  std::vector<Slot> slots;
  std::vector<Bucket> buckets;
  bool is_first = true;
  bool is_last = true;
  size_t next_bucket = 0;

  void arrive(size_t index) {
    at::NoGradGuard no_grad;
    Slot& slot = slots.at(index);
    if (slot.has_arrived) throw std::runtime_error("a gradient arrived twice in one backward pass");
    slot.has_arrived = true;
    at::Tensor& gradient = slot.parameter.mutable_grad();
    if (is_first) {
      slot.view.copy_(gradient);
    } else {
      slot.view.add_(gradient);
    }
    gradient.reset();
    buckets[slot.bucket].missing -= 1;
    if (is_last) launch();
  }

  // Starts full buckets in order: collectives meet their like in other processes by their number.
  void launch() {
    for (; next_bucket < buckets.size() && buckets[next_bucket].missing == 0; next_bucket++) {
      Bucket& bucket = buckets[next_bucket];
      std::vector<at::Tensor> list{bucket.flat};
      if (bucket.root < 0) {
        bucket.work = backend->allreduce(list);
      } else {
        c10d::ReduceOptions options;
        options.rootRank = bucket.root;
        bucket.work = backend->reduce(list, options);
      }
    }
  }
};

struct Reducer {
  std::shared_ptr<Sums> sums;

  ~Reducer() {
    for (Slot& slot : sums->slots) slot.accumulator->del_post_hook(slot.hook);
  }
};

}  // namespace

extern "C" {

// Hooks on `count` parameters, called when backward (not `grad`) has the whole gradient of one. Gradient i goes to bucket `bucket[i]`, whose sum goes to process `root[bucket]`, or to all
// where that is -1. `sum[i]` becomes the tensor in which the gradient's sum will be.
int svspec_reducer_new(Group* group, const TensorPtr* parameter, size_t count, const size_t* bucket, const int* root, size_t num_buckets,
                       Reducer** reducer, TensorPtr* sum) {
  return svspec::guarded([&] {
    auto sums = std::make_shared<Sums>();
    sums->backend = group->backend;
    std::vector<int64_t> sizes(num_buckets, 0);
    for (size_t i = 0; i < count; i++) sizes.at(bucket[i]) += parameter[i]->numel();
    for (size_t b = 0; b < num_buckets; b++) {
      // Every process has the same parameters, and so every bucket one.
      sums->buckets.push_back(Bucket{at::Tensor(), root[b]});
    }
    std::vector<int64_t> filled(num_buckets, 0);
    for (size_t i = 0; i < count; i++) {
      Bucket& own = sums->buckets[bucket[i]];
      const at::Tensor& tensor = *parameter[i];
      if (!own.flat.defined()) own.flat = at::zeros({sizes[bucket[i]]}, tensor.options().dtype(at::kFloat).requires_grad(false));
      auto view = own.flat.narrow(0, filled[bucket[i]], tensor.numel()).view(tensor.sizes());
      filled[bucket[i]] += tensor.numel();
      own.num_slots += 1;
      auto accumulator = torch::autograd::impl::grad_accumulator(tensor);
      std::weak_ptr<Sums> weak = sums;
      auto hook = std::make_unique<torch::autograd::utils::LambdaPostHook>(
          [weak, i](const torch::autograd::variable_list& outputs, const torch::autograd::variable_list&) {
            if (auto alive = weak.lock()) alive->arrive(i);
            return outputs;
          });
      auto key = accumulator->add_post_hook(std::move(hook));
      sums->slots.push_back(Slot{tensor, std::move(accumulator), key, bucket[i], view});
    }
    for (size_t i = 0; i < count; i++) sum[i] = new at::Tensor(sums->slots[i].view);
    *reducer = new Reducer{sums};
  });
}

// Before a backward pass: the first of a step overwrites the sums, and during the last full buckets are started.
int svspec_reducer_begin(Reducer* reducer, int is_first, int is_last) {
  return svspec::guarded([&] {
    Sums& sums = *reducer->sums;
    sums.is_first = is_first != 0;
    sums.is_last = is_last != 0;
    sums.next_bucket = 0;
    for (Slot& slot : sums.slots) slot.has_arrived = false;
    for (Bucket& bucket : sums.buckets) bucket.missing = bucket.num_slots;
  });
}

// After a backward pass: parameters that it did not reach have gradients of zero.
int svspec_reducer_end(Reducer* reducer) {
  return svspec::guarded([&] {
    at::NoGradGuard no_grad;
    Sums& sums = *reducer->sums;
    for (Slot& slot : sums.slots) {
      if (slot.has_arrived) continue;
      if (sums.is_first) slot.view.zero_();
      sums.buckets[slot.bucket].missing -= 1;
    }
    if (sums.is_last) sums.launch();
  });
}

// Waits for every bucket; the sums are whole then. All are waited for, even after one has failed, so that none is written to later.
int svspec_reducer_wait(Reducer* reducer) {
  return svspec::guarded([&] {
    std::exception_ptr first;
    for (Bucket& bucket : reducer->sums->buckets) {
      try {
        if (bucket.work && !bucket.work->wait()) throw std::runtime_error("the collective was aborted");
      } catch (...) {
        if (!first) first = std::current_exception();
      }
      bucket.work.reset();
    }
    if (first) std::rethrow_exception(first);
  });
}

// After a step that every process took for the parameters whose sums it got: all get its new values. The buckets carry them.
int svspec_reducer_spread(Reducer* reducer) {
  return svspec::guarded([&] {
    at::NoGradGuard no_grad;
    Sums& sums = *reducer->sums;
    for (Slot& slot : sums.slots) {
      if (sums.buckets[slot.bucket].root == sums.backend->getRank()) slot.view.copy_(slot.parameter);
    }
    for (Bucket& bucket : sums.buckets) {
      c10d::BroadcastOptions options;
      options.rootRank = bucket.root;
      std::vector<at::Tensor> list{bucket.flat};
      bucket.work = sums.backend->broadcast(list, options);
    }
  });
}

// Takes over what `svspec_reducer_spread` has brought.
int svspec_reducer_take(Reducer* reducer) {
  return svspec::guarded([&] {
    at::NoGradGuard no_grad;
    Sums& sums = *reducer->sums;
    for (Slot& slot : sums.slots) {
      if (sums.buckets[slot.bucket].root != sums.backend->getRank()) slot.parameter.copy_(slot.view);
    }
  });
}

void svspec_reducer_free(Reducer* reducer) { delete reducer; }

}  // extern "C"
