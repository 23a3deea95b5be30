// A process that writes as fast as it can is killed, again and again: what comes back is whole, unexpired,
// and nothing that was removed.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "cache/file_support.h"

namespace peregrine {
namespace {

constexpr uint64_t keys = 30'000;
constexpr uint64_t writers = 2;

// What both processes see.
struct Shared {
  std::atomic<uint64_t> put[keys];      // the latest version that a writer has begun to put
  std::atomic<uint64_t> removed[keys];  // versions up to this were removed, and that is safe
  std::atomic<uint64_t> ticks, removals;
};

WallTime now() { return std::chrono::time_point_cast<seconds>(std::chrono::system_clock::now()); }

FiledStore::Options options_for(const std::string& path, WallTime at) {
  return {.path = path, .capacity = 8 << 20, .now = at};
}

// Each key is one writer's own: so a version that was put after a removal is a later one.
void write_for_ever(FiledStore& filed, Shared& shared, uint64_t writer, uint64_t seed) {
  Random random = Random::from_seed(seed * 100 + writer);
  std::vector<std::pair<uint64_t, uint64_t>> removed;
  std::atomic<bool> safe = true;
  for (;;) {
    const uint64_t number = random.below(keys / writers) * writers + writer;
    const uint64_t version = shared.put[number].load();
    if (!random.one_in(50)) {
      shared.put[number].store(version + 1);
      filed.put(
          {.number = number, .version = version + 1, .stored_at = now(), .size = 64 + random.below(600)},
          seconds{random.one_in(5) ? 1 : 3600});
      continue;
    }
    filed.remove(number);
    removed.emplace_back(number, version);
    if (removed.size() < 20) continue;
    safe.store(false);
    filed.file->when_removals_are_safe([&safe] { safe.store(true), safe.notify_one(); });
    safe.wait(false);
    for (const auto& [key, through] : removed) shared.removed[key].store(through);
    shared.removals.fetch_add(removed.size());
    removed.clear();
  }
}

[[noreturn]] void run_victim(const std::string& path, Shared& shared, uint64_t seed) {
  FiledStore filed(options_for(path, now()));
  if (!filed.file) _exit(1);
  const auto executor = make_thread_executor("cache file");
  filed.file->start(*filed.entries, *executor);
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < writers; ++i)
    threads.emplace_back([&, i] { write_for_ever(filed, shared, i, seed); });
  for (;;) {
    filed.file->tick(now());
    shared.ticks.fetch_add(1);
    usleep(1000);
  }
}

// Everything that a store has after it was loaded, checked against what may be there.
void check(FiledStore& again, WallTime loaded_at, const Shared& shared, uint64_t& present) {
  present = 0;
  again.store.scan([&](const StoredEntry& entry) {
    const auto answer = read_numbered(entry.blob);
    EXPECT_TRUE(answer) << "not whole";
    if (!answer || answer->number >= keys) return ScanAction::keep;
    ++present;
    EXPECT_GT(entry.lifetime.expires_at, loaded_at) << "expired";
    EXPECT_LE(answer->version, shared.put[answer->number].load());
    EXPECT_GT(answer->version, shared.removed[answer->number].load()) << "came back";
    const AnswerKey key = numbered_key(answer->number, *again.secret);
    EXPECT_TRUE(std::ranges::equal(entry.key.octets, key.store_key().octets));
    return ScanAction::keep;
  });
}

TEST(CacheFileKill, WhatComesBackIsWhole) {
  const uint64_t rounds = std::getenv("PEREGRINE_SOAK") ? 200 : 10;
  TempDir dir;
  const std::string path = dir / "cache.file";
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto& shared = *new (memory) Shared;
  Random random = Random::from_seed(1);
  uint64_t present = 0, most = 0, dropped = 0;
  for (uint64_t round = 1; round <= rounds && !testing::Test::HasFailure(); ++round) {
    const uint64_t ticks = shared.ticks.load() + 3 + random.below(40), removals = shared.removals.load();
    const pid_t victim = fork();
    ASSERT_GE(victim, 0);
    if (victim == 0) run_victim(path, shared, round);
    while (shared.ticks.load() < ticks || shared.removals.load() == removals) {
      usleep(100);
      ASSERT_EQ(waitpid(victim, nullptr, WNOHANG), 0) << "it ended by itself";
    }
    usleep(random.below(2000));
    kill(victim, SIGKILL);
    waitpid(victim, nullptr, 0);

    const WallTime later = now() + seconds{2};  // every fifth has expired
    FiledStore again(options_for(path, later));
    ASSERT_TRUE(again.file);
    EXPECT_FALSE(again.stats().set_aside);
    dropped += again.stats().dropped_segments();
    check(again, later, shared, present);
    most = std::max(most, present);
  }
  EXPECT_GT(most, 1000u);
  EXPECT_GT(shared.removals.load(), 20 * rounds);
  RecordProperty("dropped_segments", static_cast<int>(dropped));
  munmap(memory, sizeof(Shared));
}

}  // namespace
}  // namespace peregrine
