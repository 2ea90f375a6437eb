// What tensors take of the CPU's memory, counted where LibTorch allocates it: every tensor's storage, an operator's own results and
// buffers included. Not counted is what libraries allocate for themselves, such as oneDNN's packed copies of matrices.
#include "boundary.hpp"
#include <atomic>
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <limits>
#include <malloc.h>

namespace {

std::atomic<int64_t> held{0};
std::atomic<int64_t> most{0};

void free_counted(void* data) {
  held -= static_cast<int64_t>(malloc_usable_size(data));
  c10::GetDefaultCPUAllocator()->raw_deleter()(data);
}

class CountingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t size) override {
    void* data = c10::GetDefaultCPUAllocator()->allocate(size).release_context();
    const auto now = held += static_cast<int64_t>(malloc_usable_size(data));
    auto known = most.load();
    while (known < now && !most.compare_exchange_weak(known, now)) {
    }
    return {data, data, &free_counted, c10::Device(c10::kCPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &free_counted; }

  void copy_data(void* to, const void* from, size_t size) const override { default_copy_data(to, from, size); }
};

}  // namespace

extern "C" {

// What a step gives back is kept for the next one, which takes the same again: memory that goes to the system and comes back is
// cleared by it, page by page, in up to a tenth of a step's time.
void svspec_keep_cpu_memory() {
  // Only glibc knows these; where it refuses, memory goes back as before.
  mallopt(M_MMAP_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

// From here on the CPU's tensors are counted. Those that are there already are not, also when they go.
int svspec_count_cpu_memory() {
  return svspec::guarded([] {
    static CountingAllocator counting;
    c10::SetCPUAllocator(&counting, /*priority=*/1);
  });
}

// The most bytes that counted tensors have held at once.
int64_t svspec_cpu_peak_bytes() { return most; }

}  // extern "C"
