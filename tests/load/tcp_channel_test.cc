#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "load/load_support.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;

using Message = std::vector<uint8_t>;

LoadOptions once_over_tcp(const Endpoint& server) {
  LoadOptions options = once(server);
  options.transport = Transport::tcp;
  return options;
}

Message answer_to(Message query) {
  query[2] |= 0x80;  // QR
  return query;
}

// The server's end of a connection; it waits.
class Peer {
 public:
  explicit Peer(Fd fd) : fd_(std::move(fd)) {
    const int on = 1;
    setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  // Nothing where the client has closed.
  std::optional<Message> read() {
    std::array<uint8_t, 2> size;
    if (!read_all(size)) return std::nullopt;
    Message message(load_u16(size.data()));
    if (!read_all(message)) return std::nullopt;
    return message;
  }
  std::vector<Message> read(size_t count) {
    std::vector<Message> messages;
    while (messages.size() < count) {
      auto message = read();
      if (!message) break;
      messages.push_back(std::move(*message));
    }
    return messages;
  }
  void send_octets(Bytes octets) { send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL); }
  void reply(const Message& message) {
    const Message octets = framed(message);
    send_octets(octets);
  }
  static Message framed(const Message& message) {
    Message octets(2);
    store_u16(octets.data(), static_cast<uint16_t>(message.size()));
    octets.insert(octets.end(), message.begin(), message.end());
    return octets;
  }
  void echo_all() {
    while (const auto query = read()) reply(answer_to(*query));
  }

 private:
  bool read_all(MutableBytes to) {
    return recv(fd_.get(), to.data(), to.size(), MSG_WAITALL) == static_cast<ssize_t>(to.size());
  }
  Fd fd_;
};

// Takes one connection after another, and does with each what it is told.
class Scripted {
 public:
  template <class Behave>
  explicit Scripted(Behave behave)
      : listener_(make_blocking(tcp_socket())), at(local_endpoint(listener_.get())) {
    thread_ = std::thread([this, behave] {
      while (true) {
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        Fd fd(accept(listener_.get(), reinterpret_cast<sockaddr*>(&from), &size));
        if (!fd) return;
        clients.insert(Endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&from)).address);
        Peer peer(std::move(fd));
        behave(peer);
      }
    });
  }
  ~Scripted() { stop(); }
  void stop() {
    shutdown(listener_.get(), SHUT_RDWR);  // accept() fails then
    if (thread_.joinable()) thread_.join();
  }

 private:
  static Fd make_blocking(Fd fd) {
    fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK);
    return fd;
  }
  Fd listener_;

 public:
  Endpoint at;
  std::set<IpAddress> clients;  // after stop()

 private:
  std::thread thread_;
};

TEST(TcpChannel, EveryNameGetsItsAnswerOnce) {
  Running server(run_tcp_echo, tcp_socket());
  const MadeUpQueries queries({.count = 5000}, {});
  const auto result = load(once_over_tcp(server.at), queries, Expectation::question());
  EXPECT_EQ(result->sent, 5000u);
  EXPECT_EQ(result->answers(), 5000u);
  EXPECT_EQ(result->lost, 0u);
  EXPECT_EQ(result->latency.count(), 5000u);
  EXPECT_EQ(result->connections, 4u);
  EXPECT_EQ(result->closed, 0u);
}

TEST(TcpChannel, TheEchoAnswersInTheSizeOverUdp) {
  Running udp(run_echo), tcp(run_tcp_echo, tcp_socket());
  const MadeUpQueries queries({.count = 100}, {});
  const auto over_tcp = load(once_over_tcp(tcp.at), queries, Expectation::question());
  EXPECT_EQ(over_tcp->reply_octets, load(once(udp.at), queries, Expectation::question())->reply_octets);
}

TEST(TcpChannel, AnOpenLoopSendsWhatIsDue) {
  Running server(run_tcp_echo, tcp_socket());
  const MadeUpQueries queries({.count = 10}, {});
  LoadOptions options = once_over_tcp(server.at);
  options.draw.order = Order::uniform;
  options.rate = 5000;
  options.duration = 100ms;
  const auto result = load(options, queries, Expectation::question());
  EXPECT_EQ(result->sent, 500u);
  EXPECT_EQ(result->answers(), 500u);
}

TEST(TcpChannel, TakesRepliesHoweverTheyAreCut) {
  Scripted server([](Peer& peer) {
    while (const auto query = peer.read()) {
      for (uint8_t octet : Peer::framed(answer_to(*query))) peer.send_octets(Bytes(&octet, 1));
    }
  });
  const MadeUpQueries queries({.count = 20}, {});
  LoadOptions options = once_over_tcp(server.at);
  options.sockets = 1;
  EXPECT_EQ(load(options, queries, Expectation::question())->answers(), 20u);
}

TEST(TcpChannel, RepliesMayComeInAnyOrder) {
  Scripted server([](Peer& peer) {
    while (true) {
      auto batch = peer.read(8);
      if (batch.empty()) return;
      std::ranges::reverse(batch);
      for (const Message& query : batch) peer.reply(answer_to(query));
    }
  });
  const MadeUpQueries queries({.count = 8}, {});
  LoadOptions options = once_over_tcp(server.at);
  options.sockets = 1;
  const auto result = load(options, queries, Expectation::question());
  EXPECT_EQ(result->answers(), 8u);
  EXPECT_EQ(result->unexpected, 0u);
}

TEST(TcpChannel, WhatWasUnderWayOnAClosedConnectionIsLost) {
  Scripted server([](Peer& peer) {
    const auto batch = peer.read(8);
    for (size_t i = 0; i < 3 && i < batch.size(); ++i) peer.reply(answer_to(batch[i]));
    if (batch.size() < 8) return;
    const Message fourth = Peer::framed(answer_to(batch[3]));
    peer.send_octets(Bytes(fourth).first(fourth.size() / 2));
  });
  const MadeUpQueries queries({.count = 8}, {});
  LoadOptions options = once_over_tcp(server.at);
  options.sockets = 1;
  const auto result = load(options, queries, Expectation::question());
  EXPECT_EQ(result->sent, 8u);
  EXPECT_EQ(result->answers(), 3u);
  EXPECT_EQ(result->lost, 5u);
  EXPECT_EQ(result->closed, 1u);
}

TEST(TcpChannel, AClosedConnectionIsOpenedAgain) {
  Scripted server([](Peer& peer) {
    for (const Message& query : peer.read(4)) peer.reply(answer_to(query));
  });
  const MadeUpQueries queries({.count = 16}, {});
  LoadOptions options = once_over_tcp(server.at);
  options.sockets = 1;
  options.window = 4;
  const auto result = load(options, queries, Expectation::question());
  EXPECT_EQ(result->sent, 16u);
  EXPECT_EQ(result->answers() + result->lost, 16u);
  EXPECT_GE(result->answers(), 8u);  // of each connection four, and at least two were needed
  EXPECT_GE(result->connections, 2u);
}

TEST(TcpChannel, AServerThatClosesAtOnceIsNoEndlessLoop) {
  Scripted server([](Peer&) {});
  const MadeUpQueries queries({.count = 4}, {});
  LoadOptions options = once_over_tcp(server.at);
  options.sockets = 1;
  options.window = 1;
  const auto result = load(options, queries, Expectation::question());
  EXPECT_EQ(result->answers(), 0u);
  EXPECT_EQ(result->lost, 4u);
}

TEST(TcpChannel, AReplyToNothingIsUnexpected) {
  Scripted server([](Peer& peer) {
    while (const auto query = peer.read()) {
      Message wrong = answer_to(*query);
      wrong[1] ^= 0x80;  // another id
      peer.reply(wrong);
      peer.reply({});
      peer.reply({0, 0, 0x80});
      peer.reply(answer_to(*query));
    }
  });
  const MadeUpQueries queries({.count = 2}, {});
  LoadOptions options = once_over_tcp(server.at);
  options.sockets = 1;
  options.window = 1;
  const auto result = load(options, queries, Expectation::question());
  EXPECT_EQ(result->answers(), 2u);
  EXPECT_EQ(result->unexpected, 6u);
}

TEST(TcpChannel, AReplyWithAnotherQuestionIsWrong) {
  Scripted server([](Peer& peer) {
    while (const auto query = peer.read()) {
      Message wrong = answer_to(*query);
      wrong[header_size + 1] ^= 0x20;  // the case of the first letter
      peer.reply(wrong);
    }
  });
  const MadeUpQueries queries({.count = 3}, {});
  const auto result = load(once_over_tcp(server.at), queries, Expectation::question());
  EXPECT_EQ(result->answers(), 0u);
  EXPECT_EQ(result->verdicts[static_cast<size_t>(Verdict::question)], 3u);
}

TEST(TcpChannel, ASilentServerDoesNotShutTheWindowForEver) {
  Scripted server([](Peer& peer) { peer.read(1000); });
  const MadeUpQueries queries({.count = 100}, {});
  LoadOptions options = once_over_tcp(server.at);
  options.sockets = 1;
  options.window = 10;
  options.timeout = 5ms;
  const auto result = load(options, queries, Expectation::question());
  EXPECT_EQ(result->sent, 100u);
  EXPECT_EQ(result->lost, 100u);
  EXPECT_EQ(result->connections, 1u);
}

TEST(TcpChannel, NobodyThereIsAnError) {
  Endpoint nobody;
  {
    const Fd closed_again = tcp_socket();
    nobody = local_endpoint(closed_again.get());
  }
  const MadeUpQueries queries({.count = 1}, {});
  try {
    load(once_over_tcp(nobody), queries, Expectation::question());
    FAIL() << "it connected";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ECONNREFUSED);
    EXPECT_TRUE(std::string(error.what()).starts_with("cannot connect to " + nobody.to_string()));
  }
}

TEST(TcpChannel, AConnectionMayBeUsedUp) {
  Running server(run_tcp_echo, tcp_socket());
  const MadeUpQueries queries({.count = 10}, {});
  LoadOptions options = once_over_tcp(server.at);
  options.sockets = 1;
  options.queries_per_connection = 3;
  const auto result = load(options, queries, Expectation::question());
  EXPECT_EQ(result->answers(), 10u);
  EXPECT_EQ(result->connections, 4u);
  EXPECT_EQ(result->closed, 0u);
}

TEST(TcpChannel, EachConnectionTakesItsPartOfTheWindow) {
  std::atomic<size_t> fewest = 1000;
  Scripted server([&](Peer& peer) {
    const auto batch = peer.read(5);
    fewest = std::min(fewest.load(), batch.size());
    for (const Message& query : batch) peer.reply(answer_to(query));
    peer.echo_all();
  });
  const MadeUpQueries queries({.count = 10}, {});
  LoadOptions options = once_over_tcp(server.at);
  options.sockets = 2;
  options.window = 10;
  options.timeout = 200ms;
  const auto result = load(options, queries, Expectation::question());
  server.stop();
  EXPECT_EQ(result->sent, 10u);
  EXPECT_EQ(fewest, 5u);
}

TEST(TcpChannel, ClientsHaveAddressesOfTheirOwn) {
  Scripted server([](Peer& peer) { peer.echo_all(); });
  const MadeUpQueries queries({.count = 1}, {});
  LoadOptions options = once_over_tcp(server.at);
  options.sockets = 1;
  options.own_addresses = true;
  options.queries_per_connection = 1;
  EXPECT_EQ(load(options, queries, Expectation::question())->answers(), 1u);
  server.stop();
  EXPECT_EQ(server.clients, std::set{IpAddress::parse("127.1.0.1").value()});
}

}  // namespace
}  // namespace peregrine
