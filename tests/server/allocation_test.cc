// The hit path allocates nothing: every operator new of this program is counted.

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "server/worker_world.h"

namespace {
uint64_t allocations = 0;  // by the thread that tests run on; there is no other
}

// NOLINTBEGIN(cppcoreguidelines-no-malloc): these are what new and delete are made of
void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto to = static_cast<size_t>(alignment);
  if (void* memory = std::aligned_alloc(to, (size + to - 1) / to * to)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
// NOLINTEND(cppcoreguidelines-no-malloc)

namespace peregrine {
namespace {

using testing::query;

template <class S>
class HitPathAllocations : public ::testing::Test {};
using Stores = ::testing::Types<MutexStore, ArenaStore>;
TYPED_TEST_SUITE(HitPathAllocations, Stores);

TYPED_TEST(HitPathAllocations, AMillionHitsTakeNone) {
  constexpr uint64_t hits = 1'000'000, batch = 32;
  testing::WorkerWorld<TypeParam> world;
  world.cache({.qname = "www.example."});
  world.cache({.qname = "www.example.", .dnssec_ok = true});
  const std::vector<uint8_t> cookie = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<uint8_t> queries[] = {query({.edns = false}), query({.opt = {.dnssec_ok = true}}),
                                          query({.opt = {.options = cookie}})};
  const PeerAddress client(Endpoint::parse("127.0.0.1:4000", 0).value());
  MemoryEngine& engine = world.worker.engine(0);
  engine.keep_sent(false);

  const auto serve_batch = [&] {
    for (uint64_t i = 0; i < batch; ++i) engine.deliver(client, queries[i % 3]);
    const uint64_t before = allocations;
    world.worker.serve(0);
    return allocations - before;
  };
  serve_batch();  // what is made once and kept
  uint64_t taken = 0;
  for (uint64_t served = 0; served < hits; served += batch) taken += serve_batch();
  EXPECT_EQ(taken, 0u);
  EXPECT_EQ(world.counters.get(Counter::cache_hits), hits + batch);
}

TEST(Allocations, AreSeen) {
  const uint64_t before = allocations;
  auto octets = std::make_unique<std::vector<uint8_t>>(100);
  EXPECT_GE(allocations - before, 2u) << octets->size();
}

}  // namespace
}  // namespace peregrine
