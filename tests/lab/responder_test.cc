#include "lab/responder.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include "base/log.h"
#include "io/listen.h"
#include "io/tcp_stream.h"
#include "lab/plan_builder.h"
#include "wire/message_writer.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 20s;

// Two servers on loopback: one with a conduct, one without fault.
class LabResponderTest : public testing::Test {
 protected:
  void serve(const Conduct& conduct) {
    PlanBuilder builder{PlanOptions{.on_loopback = true}};
    const size_t odd = builder.server(conduct, Reach::v4), good = builder.server({}, Reach::v4);
    builder.zone(".", "the root", {{"a.root.", odd}}).add("odd 300 A 192.0.2.1");
    builder.zone_at("example.", "", {good}).add("www 300 A 192.0.2.2");
    authority.emplace(std::move(builder).finish());
    LabSockets sockets = open_lab_sockets(authority->plan(), 0);
    port = sockets.port;
    responder.emplace(loop, *authority, std::move(sockets));
  }

  Endpoint at(size_t server) const {
    return {.address = authority->plan().servers[server].addresses.front(), .port = port};
  }

  static std::vector<uint8_t> query(std::string_view name, Type type = Type::a, Class qclass = Class::in) {
    std::array<uint8_t, 512> octets;
    MessageWriter writer(octets);
    writer.id(7);
    writer.question(*DnameBuf::from_text(name), type, qclass);
    return {writer.message().begin(), writer.message().end()};
  }

  void send(size_t server, Bytes octets) {
    sockaddr_storage to{};
    const uint32_t length = at(server).to_sockaddr(to);
    ASSERT_GT(sendto(client.get(), octets.data(), octets.size(), 0, reinterpret_cast<sockaddr*>(&to), length),
              0);
  }
  // The next datagram; of which server.
  std::optional<Endpoint> receive() {
    const Instant deadline = clock.precise() + patience;
    while (clock.precise() < deadline) {
      loop.run_once(1ms);
      sockaddr_storage from{};
      socklen_t length = sizeof from;
      const ssize_t size = recvfrom(client.get(), reply.data(), reply.size(), MSG_DONTWAIT,
                                    reinterpret_cast<sockaddr*>(&from), &length);
      if (size < 0) continue;
      reply_size = static_cast<size_t>(size);
      return Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&from));
    }
    return std::nullopt;
  }
  MessageView view() const { return MessageView::parse(Bytes(reply).first(reply_size)).value(); }

  SystemClock clock;
  Loop loop{clock};
  std::optional<Authority> authority;
  std::optional<LabResponder> responder;
  uint16_t port = 0;
  Fd client =
      open_udp_listener(*Endpoint::parse("127.0.0.1:0", 0), {.reuse_port = false, .buffer_octets = 0});
  std::vector<uint8_t> reply = std::vector<uint8_t>(max_message_size);
  size_t reply_size = 0;
};

TEST_F(LabResponderTest, EachServerAnswersFromItsOwnAddress) {
  serve({});
  send(1, query("www.example."));
  EXPECT_EQ(receive(), at(1));
  EXPECT_EQ(view().header().count(Section::answer), 1);
  send(0, query("www.example."));
  EXPECT_EQ(receive(), at(0));
  EXPECT_EQ(view().header().count(Section::answer), 0);  // a referral
  EXPECT_EQ(responder->queries(), 2U);
}

TEST_F(LabResponderTest, ADelayedAnswerComesAfterOneAskedForLater) {
  serve({.delay = 50ms});
  const Instant began = clock.precise();
  send(0, query("odd."));
  send(1, query("www.example."));
  EXPECT_EQ(receive(), at(1));
  EXPECT_EQ(receive(), at(0));
  EXPECT_GE(clock.precise() - began, 50ms);
  EXPECT_EQ(view().header().count(Section::answer), 1);
}

TEST_F(LabResponderTest, WhatIsLostIsCountedButNotAnswered) {
  serve({.loss = 1});
  send(0, query("odd."));
  send(1, query("www.example."));
  EXPECT_EQ(receive(), at(1));
  send(1, query("www.example."));  // by then the first has been taken
  EXPECT_EQ(receive(), at(1));
  EXPECT_EQ(responder->queries(), 3U);
}

TEST_F(LabResponderTest, ASilentServerHasNoTcp) {
  serve({.silent = true});
  sockaddr_storage to{};
  const uint32_t length = at(0).to_sockaddr(to);
  const Fd tcp(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_NE(connect(tcp.get(), reinterpret_cast<sockaddr*>(&to), length), 0);
}

Task<void> ask_over_tcp(Loop& loop, Endpoint to, std::vector<uint8_t> octets, std::optional<Buffer>& answer,
                        bool& ended) {
  const Instant deadline = loop.clock().precise() + patience;
  auto stream = co_await connect_tcp(loop, to, deadline);
  if (stream) {
    const auto sent = co_await write_message(**stream, octets, deadline);
    auto got = co_await read_message(**stream, deadline);
    if (sent && got) answer = std::move(*got);
  }
  ended = true;
}

TEST_F(LabResponderTest, AnswersOverTcpWithItsDelay) {
  serve({.delay = 20ms, .truncates = true});
  const Instant began = clock.precise();
  std::optional<Buffer> answer;
  bool ended = false;
  spawn(ask_over_tcp(loop, at(0), query("odd."), answer, ended));
  while (!ended) loop.run_once(1ms);
  ASSERT_TRUE(answer);
  EXPECT_GE(clock.precise() - began, 20ms);
  const auto told = MessageView::parse(*answer).value();
  EXPECT_FALSE(told.header().tc());
  EXPECT_EQ(told.header().count(Section::answer), 1);
}

TEST_F(LabResponderTest, TellsHowManyMessagesThereWere) {
  serve({});
  for (int i = 0; i < 3; ++i) {
    send(1, query("www.example."));
    EXPECT_EQ(receive(), at(1));
  }
  send(0, query(count_name, Type::txt, Class::ch));
  EXPECT_EQ(receive(), at(0));
  const MessageView told = view();
  const RrView rr = *told.section(Section::answer).begin();
  EXPECT_EQ(std::string(rr.rdata.begin(), rr.rdata.end()),
            "\x01"
            "3");
}

TEST_F(LabResponderTest, APortThatIsTakenIsSaid) {
  serve({});
  EXPECT_THROW(open_lab_sockets(authority->plan(), port), ListenError);
}

}  // namespace
}  // namespace peregrine
