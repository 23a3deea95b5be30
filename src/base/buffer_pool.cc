#include "base/buffer_pool.h"

#include <new>

namespace peregrine {
namespace {

constexpr std::align_val_t line{64};

// Every size is an even number of cache lines: one more, and neighbours stand an odd number apart, so that
// their first lines do not compete for the same sets of the cache.
size_t octets_of(size_t size) { return size + static_cast<size_t>(line); }

void* make(size_t octets) { return ::operator new(octets, line); }
void destroy(void* buffer) { ::operator delete(buffer, line); }

}  // namespace

BufferPool& BufferPool::of_this_thread() {
  thread_local BufferPool pool;
  return pool;
}

BufferPool::~BufferPool() { limits({.small = 0, .medium = 0, .large = 0}); }

size_t BufferPool::class_of(size_t size) {
  size_t i = 0;
  while (i < sizes.size() && size > sizes[i]) ++i;
  return i;
}

void BufferPool::limits(const BufferLimits& limits) {
  const std::array<unsigned, sizes.size()> wanted = {limits.small, limits.medium, limits.large};
  for (size_t i = 0; i < classes_.size(); ++i) {
    Class& kept = classes_[i];
    while (kept.free.size() > wanted[i]) {
      destroy(kept.free.back());
      kept.free.pop_back();
    }
    kept.free.reserve(wanted[i]);  // so that give_back() needs no memory
    kept.limit = wanted[i];
  }
}

void* BufferPool::take(size_t size) {
  const size_t i = class_of(size);
  if (i == sizes.size()) return make(size);
  Class& from = classes_[i];
  if (from.free.empty()) return make(octets_of(sizes[i]));
  void* buffer = from.free.back();
  from.free.pop_back();
  return buffer;
}

void BufferPool::give_back(void* buffer, size_t size) noexcept {
  const size_t i = class_of(size);
  if (i == sizes.size() || classes_[i].free.size() >= classes_[i].limit) return destroy(buffer);
  classes_[i].free.push_back(buffer);
}

size_t BufferPool::kept(size_t size) const {
  const size_t i = class_of(size);
  return i == sizes.size() ? 0 : classes_[i].free.size();
}

}  // namespace peregrine
