// The store in which processes find each other, and the collectives they take part in: c10d's, with its time-outs.
#include "boundary.hpp"
#include "group.hpp"
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <c10/util/Logging.h>
#include <chrono>
#include <cstdlib>

using svspec::Group;
using svspec::TensorPtr;
using svspec::Work;
using std::chrono::milliseconds;

namespace {

// Keys and values that all processes see.
struct Store {
  c10::intrusive_ptr<c10d::Store> store;
};

// The last values read, until this thread's next reading.
std::vector<std::vector<uint8_t>>& last_values() {
  static thread_local std::vector<std::vector<uint8_t>> values;
  return values;
}

// Gloo and NCCL take tensors by reference and keep them; a gradient of theirs is no concern of autograd.
std::vector<at::Tensor> one(TensorPtr tensor) { return {tensor->detach()}; }

}  // namespace

extern "C" {

// Keeps c10d from writing warnings to standard error, whose readers get them as errors, in one line, unless TORCH_CPP_LOG_LEVEL says
// what they want to read.
void svspec_quiet_c10d() {
  if (std::getenv("TORCH_CPP_LOG_LEVEL")) {
    c10::initLogging();
  } else {
    FLAGS_caffe2_log_level = 3;
  }
}

// Connects to the store at host:port, or serves it there (0: any port that is free); `bound` is the port. Does not wait for others.
int svspec_store_open(const char* host, uint16_t port, int serves, int64_t timeout_ms, Store** store, uint16_t* bound) {
  return svspec::guarded([&] {
    c10d::TCPStoreOptions options;
    options.port = port;
    options.isServer = serves != 0;
    options.waitWorkers = false;
    options.timeout = milliseconds(timeout_ms);
    auto opened = c10::make_intrusive<c10d::TCPStore>(host, options);
    *bound = opened->getPort();
    *store = new Store{opened};
  });
}

// The same store, all keys under `prefix`.
int svspec_store_under(Store* store, const char* prefix, Store** under) {
  return svspec::guarded([&] { *under = new Store{c10::make_intrusive<c10d::PrefixStore>(prefix, store->store)}; });
}

int svspec_store_set(Store* store, const char* key, const uint8_t* value, size_t length) {
  return svspec::guarded([&] { store->store->set(key, std::vector<uint8_t>(value, value + length)); });
}

// Waits for the key's value; it stays this thread's until the next reading.
int svspec_store_get(Store* store, const char* key, int64_t timeout_ms, const uint8_t** value, size_t* length) {
  return svspec::guarded([&] {
    store->store->wait({key}, milliseconds(timeout_ms));
    last_values() = {store->store->get(key)};
    *value = last_values()[0].data();
    *length = last_values()[0].size();
  });
}

// The values of `count` keys that have been set, asked for at once; they stay this thread's until the next reading.
int svspec_store_get_all(Store* store, const char* const* keys, size_t count, const uint8_t** values, size_t* lengths) {
  return svspec::guarded([&] {
    last_values() = store->store->multiGet({keys, keys + count});
    if (last_values().size() != count) throw std::runtime_error("the store has not answered for every key");
    for (size_t i = 0; i < count; i++) {
      values[i] = last_values()[i].data();
      lengths[i] = last_values()[i].size();
    }
  });
}

void svspec_store_free(Store* store) { delete store; }

// A group over Gloo. This process is reached at `address`: an interface's name if `is_interface`, else a host's name or address.
int svspec_group_gloo(Store* store, int rank, int world, int64_t timeout_ms, const char* address, int is_interface, Group** group) {
  return svspec::guarded([&] {
    auto options = c10d::ProcessGroupGloo::Options::create(milliseconds(timeout_ms));
    options->devices.push_back(is_interface ? c10d::ProcessGroupGloo::createDeviceForInterface(address)
                                            : c10d::ProcessGroupGloo::createDeviceForHostname(address));
    // The store's own patience is for rendezvous.
    store->store->setTimeout(milliseconds(timeout_ms));
    *group = new Group{c10::make_intrusive<c10d::ProcessGroupGloo>(store->store, rank, world, options)};
  });
}

void svspec_group_free(Group* group) { delete group; }

// In place, in all processes: the sum of theirs.
int svspec_group_all_reduce(Group* group, TensorPtr tensor, Work** work) {
  return svspec::guarded([&] {
    auto list = one(tensor);
    *work = new Work{group->backend->allreduce(list)};
  });
}

// In place, in every process: the tensor of process `root`.
int svspec_group_broadcast(Group* group, TensorPtr tensor, int root, Work** work) {
  return svspec::guarded([&] {
    c10d::BroadcastOptions options;
    options.rootRank = root;
    auto list = one(tensor);
    *work = new Work{group->backend->broadcast(list, options)};
  });
}

int svspec_group_send(Group* group, TensorPtr tensor, int to, int tag, Work** work) {
  return svspec::guarded([&] {
    auto list = one(tensor);
    *work = new Work{group->backend->send(list, to, tag)};
  });
}

int svspec_group_receive(Group* group, TensorPtr tensor, int from, int tag, Work** work) {
  return svspec::guarded([&] {
    auto list = one(tensor);
    *work = new Work{group->backend->recv(list, from, tag)};
  });
}

// Waits until the collective has ended, at most for the group's time-out, and frees it.
int svspec_work_wait(Work* work) {
  std::unique_ptr<Work> owned(work);
  return svspec::guarded([&] {
    if (!owned->work->wait()) throw std::runtime_error("the collective was aborted");
  });
}

}  // extern "C"
