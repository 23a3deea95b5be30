// Buffers of a few sizes, kept for their next use: last in, first out, so that the one that comes next is the
// one that is still in the CPU's cache. One pool for each thread; what a thread gives back stays with it. Not
// zeroed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace peregrine {

// How many free buffers of 512, 1024 and 4096 octets a thread keeps. None: each use takes a new buffer, which
// is the baseline of the flag thread_local_buffers.
struct BufferLimits {
  unsigned small = 100;
  unsigned medium = 50;
  unsigned large = 20;
  bool operator==(const BufferLimits&) const = default;
};

class BufferPool {
 public:
  static constexpr std::array<size_t, 3> sizes = {512, 1024, 4096};

  // This thread's. It keeps nothing until limits() says so.
  static BufferPool& of_this_thread();

  BufferPool() = default;
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  void limits(const BufferLimits& limits);  // frees what is over
  // At least `size` octets, aligned to a cache line, of the least size that holds them; over the largest,
  // exactly that. Throws std::bad_alloc, as new does.
  void* take(size_t size);
  void give_back(void* buffer, size_t size) noexcept;  // of take(size), on any thread
  size_t kept(size_t size) const;                      // free buffers of the class that holds `size`

 private:
  struct Class {
    std::vector<void*> free;
    unsigned limit = 0;
  };
  static size_t class_of(size_t size);
  std::array<Class, sizes.size()> classes_;
};

// Standard containers of octets over the pool: growing them does not zero, and what they held is kept for
// others.
template <class T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) {}  // NOLINT(google-explicit-constructor): as the standard asks

  T* allocate(size_t n) {
    if (n > std::numeric_limits<size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(BufferPool::of_this_thread().take(n * sizeof(T)));
  }
  void deallocate(T* p, size_t n) noexcept { BufferPool::of_this_thread().give_back(p, n * sizeof(T)); }
  template <class U>
  void construct(U* p) {
    ::new (static_cast<void*>(p)) U;  // not zeroed
  }
  template <class U, class... Arguments>
  void construct(U* p, Arguments&&... arguments) {
    ::new (static_cast<void*>(p)) U(std::forward<Arguments>(arguments)...);
  }
  friend bool operator==(const PoolAllocator&, const PoolAllocator&) { return true; }
};

using Buffer = std::vector<uint8_t, PoolAllocator<uint8_t>>;

}  // namespace peregrine
