#include "load/generator.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <set>

#include "load/load_support.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;

TEST(Generator, EveryNameGetsItsAnswerOnce) {
  Running server(run_name_responder);
  const MadeUpQueries queries({.count = 5000}, {});
  const auto result = load(once(server.at), queries, Expectation::address_of_name());
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
  const MadeUpQueries queries({.count = 1000}, {});
  const auto echo = load(once(server.at), queries, Expectation::question());
  Running real(run_name_responder);
  const auto answer = load(once(real.at), queries, Expectation::answer());
  EXPECT_EQ(echo->answers(), 1000u);
  EXPECT_EQ(echo->reply_octets, answer->reply_octets);
}

TEST(Generator, WrongAnswersAreCountedByTheirFault) {
  Running server(run_name_responder);
  const MadeUpQueries queries({.count = 100}, {});
  const auto result = load(once(server.at), queries, Expectation::address(1));
  EXPECT_EQ(result->answers(), 0u);
  EXPECT_EQ(result->wrong(), 100u);
  EXPECT_EQ(result->verdicts[static_cast<size_t>(Verdict::rdata)], 100u);
}

TEST(Generator, AnOpenLoopSendsWhatIsDue) {
  Running server(run_name_responder);
  const MadeUpQueries queries({.count = 10}, {});
  LoadOptions options = once(server.at);
  options.draw.order = Order::uniform;
  options.rate = 5000;
  options.duration = 100ms;
  const auto result = load(options, queries, Expectation::answer());
  EXPECT_EQ(result->sent, 500u);
  EXPECT_EQ(result->answers(), 500u);
}

TEST(Generator, AClosedLoopEndsInTime) {
  Running server(run_name_responder);
  const MadeUpQueries queries({.count = 10}, {});
  LoadOptions options = once(server.at);
  options.draw.order = Order::zipf;
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
  const MadeUpQueries queries({.count = 20}, {});
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
  const MadeUpQueries queries({.count = 100}, {});
  LoadOptions options = once(local_endpoint(silent.get()));
  options.window = 10;
  options.timeout = 5ms;
  const auto result = load(options, queries, Expectation::answer());
  EXPECT_EQ(result->sent, 100u);
  EXPECT_EQ(result->lost, 100u);
}

TEST(Generator, ClientsHaveAddressesOfTheirOwn) {
  const Fd server = udp_socket();
  const MadeUpQueries queries({.count = 300}, {});
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

TEST(Generator, AMixIsCheckedAgainstTheUpstreamsRule) {
  Running server(run_name_responder);
  const MadeUpQueries queries({.count = 100, .once_first = 100}, {});
  LoadOptions options = once(server.at);
  options.draw = {.order = Order::once, .denied_share = 0.5, .once_share = 0.5};
  const auto result = load(options, queries, Expectation::address_of_name());
  EXPECT_EQ(result->answers(), result->sent);
  EXPECT_GT(result->rcodes[static_cast<size_t>(Rcode::nxdomain)], 0u);
  EXPECT_GT(result->rcodes[static_cast<size_t>(Rcode::noerror)], 0u);
  EXPECT_GT(result->sent, 100u);
}

TEST(Generator, ReportsItsProgress) {
  Running server(run_name_responder);
  const MadeUpQueries queries({.count = 10}, {});
  LoadOptions options = once(server.at);
  options.draw.order = Order::uniform;
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
