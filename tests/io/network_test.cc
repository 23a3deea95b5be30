#include "io/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/listen.h"
#include "io/loop.h"
#include "io/tcp_stream.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr ListenOptions alone{.reuse_port = false, .buffer_octets = 0};
const IpAddress loopback = IpAddress::v4({127, 0, 0, 1});

std::vector<uint8_t> octets_of(std::string_view text) { return {text.begin(), text.end()}; }

struct Received {
  uint16_t port;
  Endpoint from;
  std::string octets;
};

struct Handler final : DatagramHandler {
  void on_datagram(UdpPort& port, const Endpoint& from, Bytes octets) override {
    got.push_back({port.number(), from, {octets.begin(), octets.end()}});
    if (then) then(port);
  }
  std::vector<Received> got;
  std::function<void(UdpPort&)> then;
};

class NetworkTest : public testing::Test {
 protected:
  // Rounds of the loop until `over`; a test that never gets there fails by its own expectations.
  template <class F>
  void run_until(F over) {
    for (int i = 0; i < 1000 && !over(); ++i) loop_.run_once(10ms);
    EXPECT_TRUE(over());
  }
  Instant soon() { return clock_.precise() + 5s; }

  SystemClock clock_;
  Loop loop_{clock_};
  std::unique_ptr<Network> network_ = make_system_network(loop_);
  Handler handler_;
};

TEST_F(NetworkTest, SendsAndReceivesDatagrams) {
  for (const Family family : {Family::v4, Family::v6}) {
    auto a = network_->open_udp(family, 0, handler_);
    auto b = network_->open_udp(family, 0, handler_);
    if (family == Family::v6 && !a) continue;  // no IPv6 here
    ASSERT_TRUE(a && b);
    const IpAddress host = family == Family::v4 ? loopback : *IpAddress::parse("::1");
    if (!(*a)->send({host, (*b)->number()}, octets_of("ping")) && family == Family::v6) continue;
    handler_.got.clear();
    run_until([&] { return !handler_.got.empty(); });
    ASSERT_EQ(handler_.got.size(), 1u);
    EXPECT_EQ(handler_.got[0].port, (*b)->number());
    EXPECT_EQ(handler_.got[0].from, (Endpoint{host, (*a)->number()}));
    EXPECT_EQ(handler_.got[0].octets, "ping");
  }
}

TEST_F(NetworkTest, DeliversAllThatWaits) {
  auto a = network_->open_udp(Family::v4, 0, handler_);
  auto b = network_->open_udp(Family::v4, 0, handler_);
  ASSERT_TRUE(a && b);
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE((*a)->send({loopback, (*b)->number()}, octets_of(std::to_string(i))));
  run_until([&] { return handler_.got.size() == 100; });
  EXPECT_EQ(handler_.got.back().octets, "99");
}

TEST_F(NetworkTest, AHandlerMayCloseAnyPort) {
  std::map<uint16_t, std::unique_ptr<UdpPort>> ports;
  for (int i = 0; i < 2; ++i) {
    auto port = network_->open_udp(Family::v4, 0, handler_);
    ASSERT_TRUE(port);
    const uint16_t number = (*port)->number();
    ports[number] = std::move(*port);
  }
  auto sender = network_->open_udp(Family::v4, 0, handler_);
  ASSERT_TRUE(sender);
  for (const auto& [number, port] : ports) ASSERT_TRUE((*sender)->send({loopback, number}, octets_of("x")));
  handler_.then = [&](UdpPort&) { ports.clear(); };
  run_until([&] { return !handler_.got.empty(); });
  loop_.run_once(0s);
  EXPECT_EQ(handler_.got.size(), 1u);
}

TEST_F(NetworkTest, RefusesATakenPort) {
  auto a = network_->open_udp(Family::v4, 0, handler_);
  ASSERT_TRUE(a);
  const auto again = network_->open_udp(Family::v4, (*a)->number(), handler_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), Error::network);
  const uint16_t number = (*a)->number();
  a->reset();
  EXPECT_TRUE(network_->open_udp(Family::v4, number, handler_));
}

TEST_F(NetworkTest, SaysWhyADatagramCannotBeSent) {
  auto a = network_->open_udp(Family::v4, 0, handler_);
  ASSERT_TRUE(a);
  const auto to_nobody = (*a)->send({loopback, 0}, octets_of("x"));
  ASSERT_FALSE(to_nobody);
  EXPECT_EQ(to_nobody.error(), Error::network);
  const auto too_long = (*a)->send({loopback, 9}, std::vector<uint8_t>(65535));
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error(), Error::network);
}

// Lets the process open no more descriptors while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

using Connected = std::optional<Result<std::unique_ptr<Stream>>>;

Task<void> connect_to(Network& network, Endpoint to, Instant deadline, Connected* out) {
  auto stream = co_await network.connect(to, deadline);
  *out = std::move(stream);
}

TEST_F(NetworkTest, SaysThatNoDescriptorsAreLeft) {
  auto open_and_connect = [&](Connected* connected) {
    spawn(connect_to(*network_, {loopback, 0}, soon(), connected));
    return network_->open_udp(Family::v4, 0, handler_);
  };
  Connected before, connected;
  EXPECT_TRUE(open_and_connect(&before));
  run_until([&] { return before.has_value(); });
  EXPECT_EQ(before->error(), Error::unreachable);

  const NoDescriptors none;
  const auto port = open_and_connect(&connected);
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error(), Error::limit);
  ASSERT_TRUE(connected && !connected->has_value());
  EXPECT_EQ(connected->error(), Error::limit);
}

Task<void> read_text(Stream& stream, Instant deadline, std::optional<Result<std::string>>* out) {
  std::array<uint8_t, 100> buffer;
  const auto got = co_await stream.read(buffer, deadline);
  if (!got) {
    *out = std::unexpected(got.error());
    co_return;
  }
  *out = std::string(buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(*got));
}

Task<void> write_octets(Stream& stream, std::vector<uint8_t> octets, Instant deadline,
                        std::optional<Result<>>* out) {
  *out = co_await stream.write(octets, deadline);
}

Task<void> read_to_end(Stream& stream, size_t* sum, bool* over) {
  std::vector<uint8_t> buffer(1 << 16);
  for (;;) {
    const auto got = co_await stream.read(buffer, Instant::max());
    if (!got || *got == 0) break;
    *sum += *got;
  }
  *over = true;
}

class TcpTest : public NetworkTest {
 protected:
  void SetUp() override {
    listener_ = open_tcp_listener({loopback, 0}, alone);
    spawn(connect_to(*network_, local_endpoint(listener_.get()), soon(), &connected_));
    run_until([&] { return connected_.has_value(); });
    ASSERT_TRUE(connected_->has_value());
    Fd accepted(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    ASSERT_TRUE(accepted);
    server_ = make_tcp_stream(loop_, std::move(accepted), {loopback, 1});
  }
  Stream& client() { return ***connected_; }
  void close_client() { connected_.reset(); }

  Fd listener_;
  Connected connected_;
  std::unique_ptr<Stream> server_;
  std::optional<Result<std::string>> read_;
  std::optional<Result<>> written_;
};

TEST_F(TcpTest, ReadsWhatIsWritten) {
  EXPECT_EQ(client().peer(), local_endpoint(listener_.get()));
  spawn(read_text(*server_, soon(), &read_));
  EXPECT_FALSE(read_.has_value());
  spawn(write_octets(client(), octets_of("over tcp"), soon(), &written_));
  ASSERT_TRUE(written_.has_value());
  run_until([&] { return read_.has_value(); });
  EXPECT_EQ(**read_, "over tcp");
  // The other way, with the octets there before the read.
  written_.reset();
  read_.reset();
  spawn(write_octets(*server_, octets_of("back"), soon(), &written_));
  spawn(read_text(client(), soon(), &read_));
  run_until([&] { return read_.has_value(); });
  EXPECT_EQ(**read_, "back");
}

TEST_F(TcpTest, WritesMoreThanTheKernelTakesAtOnce) {
  constexpr size_t total = 16 << 20;
  spawn(write_octets(client(), std::vector<uint8_t>(total, 'x'), Instant::max(), &written_));
  EXPECT_FALSE(written_.has_value());
  size_t got = 0;
  bool over = false;
  spawn(read_to_end(*server_, &got, &over));
  run_until([&] { return got == total; });
  EXPECT_TRUE(written_.has_value() && written_->has_value());
  close_client();
  run_until([&] { return over; });
}

TEST_F(TcpTest, TimesOut) {
  spawn(read_text(*server_, clock_.now() + 2ms, &read_));
  spawn(write_octets(*server_, std::vector<uint8_t>(64 << 20), clock_.now() + 2ms, &written_));
  run_until([&] { return read_ && written_; });
  EXPECT_EQ(read_->error(), Error::timeout);
  EXPECT_EQ(written_->error(), Error::timeout);
}

TEST_F(TcpTest, CancelEndsBothWaitsAtOnce) {
  spawn(read_text(*server_, Instant::max(), &read_));
  spawn(write_octets(*server_, std::vector<uint8_t>(64 << 20), Instant::max(), &written_));
  EXPECT_FALSE(read_ || written_);
  server_->cancel();
  EXPECT_EQ(read_->error(), Error::cancelled);
  EXPECT_EQ(written_->error(), Error::cancelled);
  spawn(read_text(*server_, Instant::max(), &read_));
  EXPECT_EQ(read_->error(), Error::cancelled);
}

Task<void> destroy_after_read(std::unique_ptr<Stream>* stream, bool* over) {
  std::array<uint8_t, 10> buffer;
  (void)co_await (*stream)->read(buffer, Instant::max());
  stream->reset();
  *over = true;
}

TEST_F(TcpTest, WhatIsResumedMayDestroyTheStream) {
  bool over = false;
  spawn(destroy_after_read(&server_, &over));
  close_client();
  run_until([&] { return over; });
  EXPECT_FALSE(server_);
}

TEST_F(TcpTest, CancelMayDestroyTheStream) {
  bool over = false;
  spawn(destroy_after_read(&server_, &over));
  Stream& stream = *server_;
  stream.cancel();
  EXPECT_TRUE(over);
}

Task<void> cancel_after_read(Stream& stream) {
  std::array<uint8_t, 10> buffer;
  (void)co_await stream.read(buffer, Instant::max());
  stream.cancel();
}

Task<void> destroy_after_write(std::unique_ptr<Stream>* stream, std::vector<uint8_t> octets, bool* over) {
  (void)co_await (*stream)->write(octets, Instant::max());
  stream->reset();
  *over = true;
}

// The reader cancels, which ends the writer, which destroys the stream, all within one event.
TEST_F(TcpTest, AReaderMayEndTheWriterAndWithItTheStream) {
  bool over = false;
  spawn(cancel_after_read(*server_));
  spawn(destroy_after_write(&server_, std::vector<uint8_t>(64 << 20), &over));
  EXPECT_FALSE(over);
  close_client();
  run_until([&] { return over; });
}

TEST_F(TcpTest, TellsAnEndFromAReset) {
  spawn(read_text(*server_, soon(), &read_));
  close_client();
  run_until([&] { return read_.has_value(); });
  ASSERT_TRUE(read_->has_value());
  EXPECT_EQ(**read_, "");
  // The first write meets a closed socket, whose reset fails the next one; no signal is raised.
  spawn(write_octets(*server_, octets_of("x"), soon(), &written_));
  run_until([&] {
    spawn(write_octets(*server_, octets_of("x"), soon(), &written_));
    return written_ && !written_->has_value();
  });
  EXPECT_EQ(written_->error(), Error::unreachable);
}

TEST_F(NetworkTest, AConnectionThatIsRefused) {
  Fd listener = open_tcp_listener({loopback, 0}, alone);
  const Endpoint gone = local_endpoint(listener.get());
  listener.close();
  Connected connected;
  spawn(connect_to(*network_, gone, soon(), &connected));
  run_until([&] { return connected.has_value(); });
  ASSERT_FALSE(connected->has_value());
  EXPECT_EQ(connected->error(), Error::unreachable);
}

TEST_F(NetworkTest, AConnectionThatIsNotAnsweredTimesOut) {
  // A listener with a full queue drops the SYN.
  Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  const uint32_t length = Endpoint{loopback, 0}.to_sockaddr(storage);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&storage), length), 0);
  ASSERT_EQ(listen(listener.get(), 0), 0);
  const Endpoint full = local_endpoint(listener.get());
  std::vector<Connected> connected(8);
  for (Connected& one : connected) spawn(connect_to(*network_, full, clock_.precise() + 50ms, &one));
  run_until(
      [&] { return std::ranges::all_of(connected, [](const Connected& one) { return one.has_value(); }); });
  EXPECT_FALSE(connected.back()->has_value());
  EXPECT_EQ(connected.back()->error(), Error::timeout);
}

}  // namespace
}  // namespace peregrine
