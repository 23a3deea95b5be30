#include "server/worker_thread.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <system_error>

#include "base/kernel.h"
#include "io/listen.h"
#include "query_builder.h"

namespace peregrine {
namespace {

const Endpoint loopback{IpAddress::v4({127, 0, 0, 1}), 0};

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

// A client's socket, connected to `server`.
Fd client_of(const Endpoint& server) {
  Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const timeval limit{.tv_sec = 10, .tv_usec = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const PeerAddress to(server);
  EXPECT_EQ(connect(fd.get(), &to.generic, to.size()), 0);
  return fd;
}

// Whether `count` queries that were sent at once are all answered, with nothing behind the answers.
void expect_answers(const Fd& client, uint16_t count) {
  for (uint16_t id = 0; id < count; ++id) {
    const auto octets = testing::query({.qname = "localhost.", .id = id, .edns = false});
    ASSERT_EQ(send(client.get(), octets.data(), octets.size(), 0), static_cast<ssize_t>(octets.size()));
  }
  std::vector<bool> answered(count);
  for (uint16_t i = 0; i < count; ++i) {
    std::array<uint8_t, 512> reply;
    ssize_t size = -1;
    do size = recv(client.get(), reply.data(), reply.size(), 0);
    while (size < 0 && errno == EINTR);  // the kernel interrupts us where it takes an io_uring apart
    ASSERT_GT(size, 0) << "answer " << i << ": " << strerror(errno);
    const auto view = MessageView::parse(Bytes(reply).first(static_cast<size_t>(size)));
    ASSERT_TRUE(view.has_value());
    EXPECT_EQ(view->header().count(Section::answer), 1);
    ASSERT_LT(view->header().id(), count);
    EXPECT_FALSE(answered[view->header().id()]);
    answered[view->header().id()] = true;
  }
}

TEST(WorkerThread, AnswersWithEachEngineAndLetsGoOfItsSocket) {
  struct Case {
    bool io_uring, batched_io, pooled;
  };
  InlineExecutor reclaimer;
  const SharedStore store = std::make_unique<MutexStore>(1 << 20);
  for (const Case& c : {Case{false, false, true}, Case{false, true, true}, Case{false, true, false},
                        Case{true, true, true}, Case{true, false, false}}) {
    if (c.io_uring && !io_uring_refused().empty()) GTEST_SKIP() << "no io_uring: " << io_uring_refused();
    FlagSet flags;
    flags.set(Flag::io_uring, c.io_uring, Origin::command_line);
    flags.set(Flag::batched_io, c.batched_io, Origin::command_line);
    Config config;
    config.access.allow = {Prefix::parse("127.0.0.0/8").value()};
    WorkerPlan plan;
    plan.batch = 4;
    plan.pooled_buffers = c.pooled;
    plan.hash_secret = std::make_shared<const HashSecret>(HashKey{1, 2});
    plan.snapshot = make_snapshot(config, {});
    Fd listener = open_udp_listener(loopback, {.reuse_port = false, .buffer_octets = 1 << 20});
    const Endpoint at = local_endpoint(listener.get());
    plan.udp.push_back({std::move(listener), false});
    auto worker = make_worker_thread(std::move(plan), flags, store, reclaimer);
    worker->start();
    SCOPED_TRACE(std::to_string(c.io_uring) + std::to_string(c.batched_io) + std::to_string(c.pooled));
    const Fd client = client_of(at);
    for (const int count : {1, 3, 150, 1}) expect_answers(client, static_cast<uint16_t>(count));
    worker->drain(std::chrono::seconds(5));
    worker.reset();
    EXPECT_EQ(local_endpoint(open_udp_listener(at, {.reuse_port = false, .buffer_octets = 0}).get()), at);
  }
}

}  // namespace
}  // namespace peregrine
