#include "io/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace peregrine {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FRAMES_POOLED false
#endif
#endif
#ifndef FRAMES_POOLED
#define FRAMES_POOLED true
#endif

// Counts how many of its kind live.
struct Counted {
  explicit Counted(int& l) : live(&l) { ++*live; }
  Counted(const Counted& other) : live(other.live) { ++*live; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --*live; }
  int* live;
};

Task<int> number(int n) { co_return n; }

Task<int> weigh(Counted a, std::string text) { co_return static_cast<int>(text.size()) + *a.live; }

Task<void> raise(bool* flag) {
  *flag = true;
  co_return;
}

TEST(Task, DoesNotRunUntilAwaited) {
  bool ran = false;
  {
    Task<void> never = raise(&ran);
  }
  EXPECT_FALSE(ran);
  spawn(raise(&ran));
  EXPECT_TRUE(ran);
}

Task<void> store(Task<int> task, int* out) { *out = co_await task; }

TEST(Task, GivesItsValue) {
  int got = 0;
  spawn(store(number(42), &got));
  EXPECT_EQ(got, 42);
}

Task<std::unique_ptr<int>> make_unique_number(int n) { co_return std::make_unique<int>(n); }
Task<void> take_unique(std::unique_ptr<int>* out) { *out = co_await make_unique_number(7); }

TEST(Task, GivesMoveOnlyValues) {
  std::unique_ptr<int> got;
  spawn(take_unique(&got));
  ASSERT_TRUE(got);
  EXPECT_EQ(*got, 7);
}

// Some compilers destroy the temporaries of a co_await expression twice.
Task<void> await_with_temporaries(int* live, int* sum, Promise<int>* gate) {
  *sum = co_await weigh(Counted(*live), std::string(40, 'x')) + co_await *gate +
         co_await weigh(Counted(*live), std::string(50, 'y'));
}

TEST(Task, DestroysTemporariesOfAwaitExpressionsOnce) {
  int live = 0;
  int sum = 0;
  Promise<int> gate;
  spawn(await_with_temporaries(&live, &sum, &gate));
  EXPECT_EQ(sum, 0);
  EXPECT_GE(live, 0);
  gate.deliver(1000);
  EXPECT_EQ(live, 0);
  EXPECT_GE(sum, 1000 + 40 + 50 + 2);
}

Task<void> switch_on_await(Promise<Error>* first, std::string* out) {
  switch (co_await *first) {
    case Error::timeout:
      switch (co_await number(2)) {
        case 1:
          *out = "one";
          break;
        case 2:
          *out = "two";
          break;
        default:
          *out = "many";
      }
      break;
    default:
      *out = "other";
  }
}

TEST(Task, SwitchesOnAnAwaitedValue) {
  Promise<Error> first;
  std::string out;
  spawn(switch_on_await(&first, &out));
  EXPECT_EQ(out, "");
  first.deliver(Error::timeout);
  EXPECT_EQ(out, "two");
}

Task<Result<int>> wait_for(Promise<Result<int>>* promise, int* live) {
  const Counted held(*live);
  auto got = co_await *promise;
  if (!got) co_return std::unexpected(got.error());
  co_return *got + 1;
}

Task<void> outer_wait(Promise<Result<int>>* promise, int* live, Result<int>* out) {
  const Counted held(*live);
  *out = co_await wait_for(promise, live);
}

TEST(Task, CancellationRunsEveryFrameToItsEnd) {
  int live = 0;
  Result<int> out = 0;
  Promise<Result<int>> promise;
  spawn(outer_wait(&promise, &live, &out));
  EXPECT_EQ(live, 2);
  promise.deliver(std::unexpected(Error::cancelled));
  EXPECT_EQ(live, 0);
  ASSERT_FALSE(out.has_value());
  EXPECT_EQ(out.error(), Error::cancelled);
}

Task<void> add_many(int times, int64_t* sum) {
  for (int i = 0; i < times; ++i) *sum += co_await number(i);
}

TEST(Task, ManyAwaitsOfReadyTasksDoNotGrowTheStack) {
  int64_t sum = 0;
  constexpr int times = 100'000;
  spawn(add_many(times, &sum));
  EXPECT_EQ(sum, int64_t{times} * (times - 1) / 2);
}

// Where the stack stands: the frames of a coroutine's own locals are on the heap.
[[gnu::noinline]] uintptr_t stack_position() {
  return reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
}

Task<int> nested(int depth, uintptr_t* deepest) {
  if (depth == 0) {
    *deepest = stack_position();
    co_return 0;
  }
  const int below = co_await nested(depth - 1, deepest);
  co_return below + 1;
}

TEST(Task, DeepNestingDoesNotGrowTheStack) {
  int depth = 0;
  uintptr_t shallow = 0;
  uintptr_t deep = 0;
  spawn(store(nested(1, &shallow), &depth));
  EXPECT_EQ(depth, 1);
  spawn(store(nested(10'000, &deep), &depth));
  EXPECT_EQ(depth, 10'000);
  EXPECT_LT(shallow > deep ? shallow - deep : deep - shallow, 4096u);
}

Task<int> nested_wait(int depth, Promise<int>* gate) {
  if (depth == 0) co_return co_await *gate;
  const int below = co_await nested_wait(depth - 1, gate);
  co_return below + 1;
}

TEST(Task, DeepChainsOfWaitersResumeWithoutGrowingTheStack) {
  int depth = 0;
  Promise<int> gate;
  spawn(store(nested_wait(100'000, &gate), &depth));
  EXPECT_EQ(depth, 0);
  gate.deliver(0);
  EXPECT_EQ(depth, 100'000);
}

Task<void> await_promise(Promise<int>* promise, int* out) { *out = co_await *promise; }

TEST(Promise, KeepsWhatWasDeliveredBeforeTheAwait) {
  Promise<int> promise;
  promise.deliver(3);
  promise.deliver(4);
  EXPECT_TRUE(promise.delivered());
  int got = 0;
  spawn(await_promise(&promise, &got));
  EXPECT_EQ(got, 3);
  promise.reset();
  EXPECT_FALSE(promise.delivered());
  spawn(await_promise(&promise, &got));
  promise.deliver(5);
  EXPECT_EQ(got, 5);
}

Task<void> own_promise(std::unique_ptr<Promise<int>> promise, Promise<int>** handle, bool* over) {
  *handle = promise.get();
  co_await *promise;
  promise.reset();
  *over = true;
}

TEST(Promise, MayBeDestroyedByWhatItResumes) {
  Promise<int>* handle = nullptr;
  bool over = false;
  spawn(own_promise(std::make_unique<Promise<int>>(), &handle, &over));
  handle->deliver(1);
  EXPECT_TRUE(over);
}

TEST(FramePool, UsesFramesAgainLastInFirstOut) {
  if (!FRAMES_POOLED) GTEST_SKIP() << "frames are not pooled under AddressSanitizer";
  const size_t before = FramePool::kept();
  void* a = FramePool::allocate(300);
  void* b = FramePool::allocate(300);
  FramePool::release(a, 300);
  FramePool::release(b, 300);
  EXPECT_GE(FramePool::kept(), before > 2 ? before - 2 : 2);
  EXPECT_EQ(FramePool::allocate(384), b);  // the same class
  EXPECT_EQ(FramePool::allocate(257), a);
  FramePool::release(a, 257);
  FramePool::release(b, 384);
}

TEST(FramePool, KeepsABoundedNumber) {
  if (!FRAMES_POOLED) GTEST_SKIP() << "frames are not pooled under AddressSanitizer";
  std::vector<void*> frames;
  for (int i = 0; i < 500; ++i) frames.push_back(FramePool::allocate(1900));
  const size_t before = FramePool::kept();
  for (void* frame : frames) FramePool::release(frame, 1900);
  EXPECT_EQ(FramePool::kept(), before + 64);
}

TEST(FramePool, HandsLargeFramesBack) {
  const size_t before = FramePool::kept();
  void* frame = FramePool::allocate(5000);
  FramePool::release(frame, 5000);
  EXPECT_EQ(FramePool::kept(), before);
}

}  // namespace
}  // namespace peregrine
