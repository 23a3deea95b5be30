#include "io/task.h"

#include <array>
#include <new>

namespace peregrine {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PEREGRINE_FRAMES_POOLED 0
#endif
#endif
#ifndef PEREGRINE_FRAMES_POOLED
#define PEREGRINE_FRAMES_POOLED 1
#endif

// Under AddressSanitizer every frame is its own allocation, so that a use after its end is seen.
constexpr bool pooled = PEREGRINE_FRAMES_POOLED;
constexpr size_t grain = 128;
constexpr size_t classes = 16;  // 128, 256, ... 2048 octets
constexpr size_t kept_per_class = 64;

struct FreeFrame {
  FreeFrame* next;
};

struct FreeList {
  FreeFrame* head = nullptr;
  size_t count = 0;
};

// Trivially destructible, so that frames released by other thread-local destructors find it alive.
struct Pool {
  std::array<FreeList, classes> lists;
  bool closed;
};
thread_local constinit Pool pool{};

struct PoolCloser {
  ~PoolCloser() {
    pool.closed = true;
    for (FreeList& list : pool.lists) {
      while (list.head != nullptr) ::operator delete(std::exchange(list.head, list.head->next));
      list.count = 0;
    }
  }
  void touch() {}
};
thread_local PoolCloser closer;

constexpr size_t class_of(size_t size) { return (size - 1) / grain; }

// Owns itself: starts at once and frees its frame when it ends.
struct Detached {
  struct promise_type {
    static void* operator new(size_t size) { return FramePool::allocate(size); }
    static void operator delete(void* frame, size_t size) noexcept { FramePool::release(frame, size); }
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

Detached run_detached(Task<void> task) { co_await task; }

}  // namespace

void* FramePool::allocate(size_t size) {
  const size_t c = class_of(size);
  if (!pooled || c >= classes) return ::operator new(size);
  FreeList& list = pool.lists[c];
  if (list.head == nullptr) return ::operator new((c + 1) * grain);
  --list.count;
  return std::exchange(list.head, list.head->next);
}

void FramePool::release(void* frame, size_t size) noexcept {
  const size_t c = class_of(size);
  if (!pooled || c >= classes || pool.closed || pool.lists[c].count == kept_per_class) {
    ::operator delete(frame);
    return;
  }
  closer.touch();
  FreeList& list = pool.lists[c];
  list.head = ::new (frame) FreeFrame{list.head};
  ++list.count;
}

size_t FramePool::kept() {
  size_t total = 0;
  for (const FreeList& list : pool.lists) total += list.count;
  return total;
}

void spawn(Task<void> task) { run_detached(std::move(task)); }

}  // namespace peregrine
