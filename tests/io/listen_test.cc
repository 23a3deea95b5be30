#include "io/listen.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

namespace peregrine {
namespace {

using testing::HasSubstr;

const Endpoint loopback{IpAddress::v4({127, 0, 0, 1}), 0};
constexpr ListenOptions shared{.reuse_port = true, .buffer_octets = 0};
constexpr ListenOptions alone{.reuse_port = false, .buffer_octets = 0};

int option(const Fd& fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  EXPECT_EQ(getsockopt(fd.get(), level, name, &value, &length), 0);
  return value;
}

Endpoint at(const Fd& fd) { return local_endpoint(fd.get()); }

template <class F>
ListenError error_of(F f) {
  try {
    f();
  } catch (const ListenError& e) {
    return e;
  }
  ADD_FAILURE() << "no ListenError";
  return {"", 0};
}

TEST(Listen, OpensUdp) {
  const Fd fd = open_udp_listener(loopback, alone);
  EXPECT_NE(at(fd).port, 0);
  EXPECT_EQ(at(fd).address, loopback.address);
  EXPECT_EQ(option(fd, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
  EXPECT_EQ(option(fd, IPPROTO_IP, IP_PKTINFO), 0);
  EXPECT_EQ(option(fd, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_OMIT);
  EXPECT_NE(fcntl(fd.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Listen, AsksForPacketInfoOnTheWildcardAddress) {
  const Fd fd = open_udp_listener({IpAddress{}, 0}, alone);
  EXPECT_EQ(option(fd, IPPROTO_IP, IP_PKTINFO), 1);
}

TEST(Listen, OpensTcp) {
  const Fd fd = open_tcp_listener(loopback, alone);
  EXPECT_NE(at(fd).port, 0);
  EXPECT_EQ(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
  EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_NE(fcntl(fd.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(Listen, KeepsIPv6Apart) {
  const Endpoint any6{*IpAddress::parse("::"), 0};
  try {
    const Fd udp = open_udp_listener(any6, alone);
    EXPECT_EQ(option(udp, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    EXPECT_EQ(option(udp, IPPROTO_IPV6, IPV6_RECVPKTINFO), 1);
    EXPECT_EQ(option(udp, IPPROTO_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_OMIT);
    const Fd tcp = open_tcp_listener(any6, alone);
    EXPECT_EQ(option(tcp, IPPROTO_IPV6, IPV6_V6ONLY), 1);
  } catch (const ListenError& e) {
    EXPECT_EQ(e.error_number, EAFNOSUPPORT) << e.what();
  }
}

TEST(Listen, SeveralSocketsShareAPort) {
  const Fd first = open_udp_listener(loopback, shared);
  const Fd second = open_udp_listener(at(first), shared);
  EXPECT_EQ(at(first), at(second));
  const Fd tcp = open_tcp_listener(loopback, shared);
  EXPECT_EQ(at(open_tcp_listener(at(tcp), shared)), at(tcp));
}

TEST(Listen, SaysThatAPortIsTaken) {
  const Fd udp = open_udp_listener(loopback, alone);
  const auto error = error_of([&] { open_udp_listener(at(udp), alone); });
  EXPECT_EQ(error.error_number, EADDRINUSE);
  EXPECT_THAT(error.what(),
              HasSubstr("cannot listen on " + at(udp).to_string() + " (UDP): address already in use; "));
  EXPECT_THAT(error.what(), HasSubstr("server.listen"));
  const Fd tcp = open_tcp_listener(loopback, alone);
  EXPECT_THAT(error_of([&] { open_tcp_listener(at(tcp), alone); }).what(),
              HasSubstr("(TCP): address already in use"));
}

TEST(Listen, SaysThatAnAddressIsNotOurs) {
  const auto error = error_of([] { open_udp_listener(*Endpoint::parse("192.0.2.1:0", 0), alone); });
  EXPECT_EQ(error.error_number, EADDRNOTAVAIL);
  EXPECT_THAT(error.what(), HasSubstr("no interface of this machine"));
}

TEST(EnsurePortFree, FindsAnotherServerThoughThePortCouldBeShared) {
  const Fd udp = open_udp_listener(loopback, shared);
  EXPECT_EQ(error_of([&] { ensure_port_free(at(udp), Transport::udp); }).error_number, EADDRINUSE);
  const Fd tcp = open_tcp_listener(loopback, shared);
  EXPECT_EQ(error_of([&] { ensure_port_free(at(tcp), Transport::tcp); }).error_number, EADDRINUSE);
}

TEST(EnsurePortFree, AcceptsAFreePortAndLeavesItFree) {
  Fd udp = open_udp_listener(loopback, shared);
  const Endpoint free = at(udp);
  udp.close();
  ensure_port_free(free, Transport::udp);
  ensure_port_free(free, Transport::tcp);
  EXPECT_EQ(at(open_udp_listener(free, alone)), free);
  ensure_port_free(loopback, Transport::udp);
}

TEST(OpenListeners, OneSocketEachOnOnePort) {
  for (const ListenOptions& options : {shared, alone}) {
    const Listeners opened = open_listeners(loopback, {.each = 3}, options);
    ASSERT_EQ(opened.udp.size(), 3U);
    ASSERT_EQ(opened.tcp.size(), 3U);
    EXPECT_NE(opened.at.port, 0);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(at(opened.udp[i]), opened.at);
      EXPECT_EQ(at(opened.tcp[i]), opened.at);
    }
  }
}

TEST(OpenListeners, OnlyWhatIsWanted) {
  EXPECT_THAT(open_listeners(loopback, {.udp = false}, alone).udp, testing::IsEmpty());
  EXPECT_THAT(open_listeners(loopback, {.tcp = false}, alone).tcp, testing::IsEmpty());
}

TEST(OpenListeners, TheKernelsChoiceIsFreeForBothTransports) {
  // Ports that are free for UDP but not for TCP: sooner or later the kernel chooses one.
  std::vector<Fd> taken;
  for (int i = 0; i < 800; ++i) {
    taken.push_back(open_tcp_listener(loopback, alone));
    EXPECT_NE(open_listeners(loopback, {}, alone).at.port, 0);
  }
}

TEST(OpenListeners, APortThatWasNamedIsNotExchanged) {
  const Fd tcp = open_tcp_listener(loopback, alone);
  EXPECT_EQ(error_of([&] { open_listeners(at(tcp), {}, alone); }).error_number, EADDRINUSE);
}

struct RecordingSink final : LogSink {
  void write(LogLevel, std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

TEST(Listen, WarnsOnceOfClippedBuffers) {
  RecordingSink sink;
  set_log_sink(&sink);
  const ListenOptions huge{.reuse_port = false, .buffer_octets = 1 << 30};
  const Fd a = open_udp_listener(loopback, huge);
  const Fd b = open_udp_listener(loopback, huge);
  set_log_sink(nullptr);
  EXPECT_GT(option(a, SOL_SOCKET, SO_RCVBUF), 0);
  EXPECT_LE(sink.lines.size(), 1u);  // none where the test may pass the limit
  for (const std::string& line : sink.lines) EXPECT_THAT(line, HasSubstr("net.core."));
}

TEST(LocalEndpoint, FailsForWhatIsNoSocket) { EXPECT_THROW(local_endpoint(-1), ListenError); }

TEST(RaiseDescriptorLimit, ReachesTheHardLimit) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit lowered = before;
  lowered.rlim_cur = std::min<rlim_t>(before.rlim_cur, 256);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &lowered), 0);
  EXPECT_EQ(raise_descriptor_limit(), before.rlim_max);
  rlimit now{};
  getrlimit(RLIMIT_NOFILE, &now);
  EXPECT_EQ(now.rlim_cur, before.rlim_max);
  setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace peregrine
