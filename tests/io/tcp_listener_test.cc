#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/listen.h"
#include "io/network.h"
#include "io/session_peers.h"
#include "io/sessions.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class TcpListenerTest : public testing::Test {
 protected:
  TcpListenerTest() {
    Fd listener =
        open_tcp_listener({IpAddress::v4({127, 0, 0, 1}), 0}, {.reuse_port = false, .buffer_octets = 0});
    at_ = local_endpoint(listener.get());
    listener_ = std::make_unique<TcpListener>(loop_, std::move(listener), sessions_, counters_);
    handler_.on_each = [this](const RecordingHandler::Got& g) {
      sessions_.send(g.session, octets_of("re:" + g.text));
    };
  }
  template <class F>
  void run_until(F over) {
    for (int i = 0; i < 1000 && !over(); ++i) loop_.run_once(10ms);
    EXPECT_TRUE(over());
  }

  SystemClock clock_;
  Loop loop_{clock_};
  Counters counters_;
  RecordingHandler handler_;
  Sessions sessions_{clock_, loop_.timers(), {}, handler_, counters_};
  std::unique_ptr<Network> network_ = make_system_network(loop_);
  Endpoint at_;
  std::unique_ptr<TcpListener> listener_;
};

Task<void> converse(Network& network, Endpoint to, std::string question, Client* client) {
  auto stream = co_await network.connect(to, Instant::max());
  if (!stream) co_return;
  client->stream = std::move(*stream);
  (void)co_await write_message(*client->stream, octets_of(question), Instant::max());
  co_await collect(*client->stream, client);
}

TEST_F(TcpListenerTest, ServesManyClients) {
  std::vector<Client> clients(50);
  for (size_t i = 0; i < clients.size(); ++i) spawn(converse(*network_, at_, std::to_string(i), &clients[i]));
  run_until(
      [&] { return std::ranges::all_of(clients, [](const Client& c) { return c.replies.size() == 1; }); });
  for (size_t i = 0; i < clients.size(); ++i)
    EXPECT_THAT(clients[i].replies, ElementsAre("re:" + std::to_string(i)));
  EXPECT_EQ(counters_.get(Counter::tcp_accepted), clients.size());
  EXPECT_EQ(handler_.got[0].peer.address, at_.address);
  sessions_.drain();
  run_until([&] { return std::ranges::all_of(clients, [](const Client& c) { return c.closed; }); });
  EXPECT_EQ(counters_.get(Counter::tcp_closed), clients.size());
}

Task<void> try_connect(Network& network, Endpoint to, bool* refused) {
  const auto stream = co_await network.connect(to, Instant::max());
  *refused = !stream;
}

TEST_F(TcpListenerTest, StopsAccepting) {
  listener_->stop();
  listener_->stop();
  bool refused = false;
  spawn(try_connect(*network_, at_, &refused));
  run_until([&] { return refused; });
}

// How a client saw its connection end.
struct Ending {
  std::unique_ptr<Stream> stream;
  std::string octets;
  std::optional<Error> error;
  bool over = false;
};

Task<void> send_and_read_all(Network& network, Endpoint to, std::string text, Ending* ending) {
  auto stream = co_await network.connect(to, Instant::max());
  if (!stream) co_return;
  ending->stream = std::move(*stream);
  (void)co_await ending->stream->write(octets_of(text), Instant::max());
  std::array<uint8_t, 100> buffer;
  for (;;) {
    const auto got = co_await ending->stream->read(buffer, Instant::max());
    if (!got) ending->error = got.error();
    if (!got || *got == 0) break;
    ending->octets.append(buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(*got));
  }
  ending->over = true;
}

TEST_F(TcpListenerTest, ClosesWithoutAResetThoughMoreWasSentThanRead) {
  sessions_.limits({.pipelined = 1});
  handler_.on_each = nullptr;
  Ending ending;
  const std::string query("\0\x01q", 3);
  std::string queries;
  for (int i = 0; i < 10'000; ++i) queries += query;
  spawn(send_and_read_all(*network_, at_, queries, &ending));
  run_until([&] { return handler_.got.size() == 1; });
  loop_.run_once(0s);  // the client goes on while the session reads no more
  sessions_.drain();
  sessions_.send(handler_.got[0].session, octets_of("re"));
  run_until([&] { return ending.over; });
  EXPECT_EQ(ending.octets, std::string("\0\x02re", 4));
  EXPECT_FALSE(ending.error) << to_string(*ending.error);
}

TEST_F(TcpListenerTest, PausesWithoutDescriptorsAndGoesOn) {
  Client before, waiting;
  spawn(converse(*network_, at_, "x", &before));
  run_until([&] { return before.replies.size() == 1; });
  spawn(converse(*network_, at_, "y", &waiting));
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit none{.rlim_cur = 0, .rlim_max = limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  run_until([&] { return counters_.get(Counter::tcp_refused) > 0; });
  loop_.run_once(0s);
  EXPECT_EQ(counters_.get(Counter::tcp_refused), 1u);
  setrlimit(RLIMIT_NOFILE, &limit);
  run_until([&] { return waiting.replies.size() == 1; });
  sessions_.close_all();
  run_until([&] { return before.closed && waiting.closed; });
}

}  // namespace
}  // namespace peregrine
