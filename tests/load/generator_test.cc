#include "load/generator.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <set>
#include <thread>

#include "io/listen.h"
#include "load/responders.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;

constexpr auto patient = 30s;  // a busy machine loses nothing by its slowness

// On a free port.
Fd udp_socket() {
  return open_udp_listener(Endpoint::parse("127.0.0.1:0", 0).value(), {.reuse_port = false});
}

// A responder on a thread and a free port, while it lives.
class Running {
 public:
  template <class Run>
  explicit Running(Run run) {
    Fd socket = udp_socket();
    at = local_endpoint(socket.get());
    thread_ = std::thread(
        [this, run, s = std::move(socket)]() mutable { run(std::move(s), ResponderOptions{}, stop_); });
  }
  ~Running() {
    stop_ = true;
    thread_.join();
  }
  Endpoint at;

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

LoadOptions once(const Endpoint& server) {
  return {.server = server,
          .duration = patient,
          .window = 64,
          .sockets = 4,
          .timeout = patient,
          .order = Order::once};
}

std::unique_ptr<LoadResult> load(const LoadOptions& options, const QueryList& queries,
                                 const Expectation& expectation) {
  auto result = std::make_unique<LoadResult>();
  run_load(options, queries, expectation, *result);
  return result;
}

TEST(Generator, EveryNameGetsItsAnswerOnce) {
  Running server(run_name_responder);
  const QueryList queries = generate_queries(0, 5000, {});
  const auto result = load(once(server.at), queries, Expectation::address_of_name(queries));
  EXPECT_EQ(result->sent, 5000u);
  EXPECT_EQ(result->answers(), 5000u);
  EXPECT_EQ(result->wrong(), 0u);
  EXPECT_EQ(result->lost, 0u);
  EXPECT_EQ(result->rcodes[0], 5000u);
  EXPECT_EQ(result->latency.count(), 5000u);
  EXPECT_GT(result->rate(), 0);
}

TEST(Generator, TheEchoAnswersInTheSizeOfAnARecord) {
  Running server(run_echo);
  const QueryList queries = generate_queries(0, 1000, {});
  const auto echo = load(once(server.at), queries, Expectation::question());
  Running real(run_name_responder);
  const auto answer = load(once(real.at), queries, Expectation::answer());
  EXPECT_EQ(echo->answers(), 1000u);
  EXPECT_EQ(echo->reply_octets, answer->reply_octets);
}

TEST(Generator, WrongAnswersAreCountedByTheirFault) {
  Running server(run_name_responder);
  const QueryList queries = generate_queries(0, 100, {});
  const auto result = load(once(server.at), queries, Expectation::address(queries, 1));
  EXPECT_EQ(result->answers(), 0u);
  EXPECT_EQ(result->wrong(), 100u);
  EXPECT_EQ(result->verdicts[static_cast<size_t>(Verdict::rdata)], 100u);
}

TEST(Generator, AnOpenLoopSendsWhatIsDue) {
  Running server(run_name_responder);
  const QueryList queries = generate_queries(0, 10, {});
  LoadOptions options = once(server.at);
  options.order = Order::uniform;
  options.rate = 5000;
  options.duration = 100ms;
  const auto result = load(options, queries, Expectation::answer());
  EXPECT_EQ(result->sent, 500u);
  EXPECT_EQ(result->answers(), 500u);
}

TEST(Generator, AClosedLoopEndsInTime) {
  Running server(run_name_responder);
  const QueryList queries = generate_queries(0, 10, {});
  LoadOptions options = once(server.at);
  options.order = Order::zipf;
  options.duration = 50ms;
  const auto result = load(options, queries, Expectation::answer());
  EXPECT_GT(result->answers(), 0u);
  EXPECT_EQ(result->answers(), result->sent);
  EXPECT_GE(result->elapsed, 50ms);
}

TEST(Generator, WithoutAServerEverythingIsLost) {
  Endpoint nobody;
  {
    const Fd closed_again = udp_socket();
    nobody = local_endpoint(closed_again.get());
  }
  const QueryList queries = generate_queries(0, 20, {});
  LoadOptions options = once(nobody);
  options.duration = 200ms;
  options.timeout = 20ms;
  const auto result = load(options, queries, Expectation::answer());
  EXPECT_EQ(result->answers(), 0u);
  EXPECT_EQ(result->lost, result->sent);
  EXPECT_GT(result->refused, 0u);
}

TEST(Generator, ASilentServerDoesNotShutTheWindowForEver) {
  const Fd silent = udp_socket();
  const QueryList queries = generate_queries(0, 100, {});
  LoadOptions options = once(local_endpoint(silent.get()));
  options.window = 10;
  options.timeout = 5ms;
  const auto result = load(options, queries, Expectation::answer());
  EXPECT_EQ(result->sent, 100u);
  EXPECT_EQ(result->lost, 100u);
}

TEST(Generator, ClientsHaveAddressesOfTheirOwn) {
  const Fd server = udp_socket();
  const QueryList queries = generate_queries(0, 300, {});
  LoadOptions options = once(local_endpoint(server.get()));
  options.sockets = 300;
  options.own_addresses = true;
  options.window = 300;
  options.batch = 1;
  options.timeout = 5ms;
  load(options, queries, Expectation::answer());
  std::set<IpAddress> clients;
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  std::array<uint8_t, 512> buffer;
  while (recvfrom(server.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size) >
         0) {
    clients.insert(Endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&from)).address);
    size = sizeof from;
  }
  EXPECT_EQ(clients.size(), 300u);
  EXPECT_TRUE(clients.contains(IpAddress::parse("127.1.0.1").value()));
  EXPECT_TRUE(clients.contains(IpAddress::parse("127.1.1.44").value()));
}

TEST(Generator, ReportsItsProgress) {
  Running server(run_name_responder);
  const QueryList queries = generate_queries(0, 10, {});
  LoadOptions options = once(server.at);
  options.order = Order::uniform;
  options.duration = 350ms;
  const auto result = std::make_unique<LoadResult>();
  std::vector<LoadProgress> reports;
  run_load(options, queries, Expectation::answer(), *result,
           [&](const LoadProgress& p) { reports.push_back(p); });
  ASSERT_FALSE(reports.empty());
  for (const LoadProgress& report : reports) {
    EXPECT_GT(report.done, 0);
    EXPECT_LE(report.done, 1);
    EXPECT_LE(report.answers, result->answers());
  }
}

}  // namespace
}  // namespace peregrine
