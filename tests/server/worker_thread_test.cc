#include "server/worker_thread.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <system_error>

namespace peregrine {
namespace {

struct InlineExecutor final : Executor {
  void run(Job job) override { job(); }
};

TEST(WorkerThread, ASocketThatCannotBeWatchedIsAnErrorAtStart) {
  InlineExecutor reclaimer;
  const SharedStore store = std::make_unique<MutexStore>(1 << 20);
  for (const bool batched : {false, true}) {
    FlagSet flags;
    flags.set(Flag::batched_io, batched, Origin::command_line);
    WorkerPlan plan;
    plan.hash_secret = std::make_shared<const HashSecret>(HashKey{1, 2});
    plan.snapshot = make_snapshot({}, {});
    plan.udp.push_back({Fd(open("/dev/null", O_RDONLY | O_CLOEXEC)), false});  // epoll takes no such file
    EXPECT_THROW(make_worker_thread(std::move(plan), flags, store, reclaimer), std::system_error);
  }
}

}  // namespace
}  // namespace peregrine
