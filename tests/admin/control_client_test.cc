#include "admin/control_client.h"

#include <gtest/gtest.h>

#include <thread>

#include "admin/control_support.h"

namespace peregrine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Takes one connection, reads a line, sends `reply`, closes (or keeps it open until the end).
class FakeServer {
 public:
  FakeServer(const std::string& path, std::string reply, bool close_after = true)
      : socket_(*ControlSocket::open(path)),
        thread_([this, reply, close_after] { serve(reply, close_after); }) {}
  ~FakeServer() { thread_.join(); }

 private:
  void serve(const std::string& reply, bool close_after) {
    Fd fd;
    while (!fd) fd = Fd(accept(socket_.fd(), nullptr, nullptr));
    char octet = 0;
    while (octet != '\n' && recv(fd.get(), &octet, 1, 0) == 1) {
    }
    send(fd.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
    if (!close_after) recv(fd.get(), &octet, 1, 0);  // until the client has gone
  }
  ControlSocket socket_;
  std::thread thread_;
};

TEST(ControlClient, SaysThatNobodyListens) {
  const TempDir dir;
  const auto client = ControlClient::connect(dir / "control.sock", seconds(5));
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error(), "no server is listening on " + dir / "control.sock" +
                                "; is it running, and with which server.state_dir?");
}

TEST(ControlClient, SaysThatAPathIsTooLong) {
  const auto client = ControlClient::connect(std::string(200, 'x'), seconds(5));
  ASSERT_FALSE(client.has_value());
  EXPECT_NE(client.error().find("107 octets"), std::string::npos);
}

TEST(ControlClient, AsksAServer) {
  const TempDir dir;
  const RunningServer running(small_config(dir.path()));
  auto client = ControlClient::connect(running.socket(), seconds(60));
  ASSERT_TRUE(client.has_value()) << client.error();
  for (int i = 0; i < 2; ++i) {
    const auto reply = client->request("status");
    ASSERT_TRUE(reply.has_value()) << reply.error();
    EXPECT_EQ(reply->at("ok"), true);
  }
  const auto unknown = client->request("nonsense");
  ASSERT_TRUE(unknown.has_value());
  EXPECT_EQ(unknown->at("ok"), false);
}

TEST(ControlClient, SaysThatNoAnswerCame) {
  const TempDir dir;
  const FakeServer server(dir / "s", "", /*close_after=*/false);
  auto client = ControlClient::connect(dir / "s", milliseconds(100));
  ASSERT_TRUE(client.has_value());
  const auto reply = client->request("status");
  ASSERT_FALSE(reply.has_value());
  EXPECT_NE(reply.error().find("within 0.1 s"), std::string::npos) << reply.error();
}

TEST(ControlClient, SaysThatTheServerClosed) {
  const TempDir dir;
  for (const char* partial : {"", "{\"ok\":tr"}) {
    const FakeServer server(dir / "s", partial);
    auto client = ControlClient::connect(dir / "s", seconds(60));
    ASSERT_TRUE(client.has_value());
    const auto reply = client->request("status");
    ASSERT_FALSE(reply.has_value());
    EXPECT_NE(reply.error().find("closed"), std::string::npos) << reply.error();
    EXPECT_TRUE(client->wait_closed(seconds(60)));
  }
}

TEST(ControlClient, SaysThatTheAnswerIsNotPeregrines) {
  const TempDir dir;
  for (const char* answer : {"220 mail.example ESMTP\n", "[]\n", "\n"}) {
    const FakeServer server(dir / "s", answer);
    auto client = ControlClient::connect(dir / "s", seconds(60));
    ASSERT_TRUE(client.has_value());
    const auto reply = client->request("status");
    ASSERT_FALSE(reply.has_value());
    EXPECT_NE(reply.error().find("not Peregrine"), std::string::npos) << reply.error();
  }
}

TEST(ControlClient, WaitClosedGivesUp) {
  const TempDir dir;
  const FakeServer server(dir / "s", "{}\n", /*close_after=*/false);
  auto client = ControlClient::connect(dir / "s", seconds(60));
  ASSERT_TRUE(client.has_value());
  EXPECT_TRUE(client->request("status").has_value());
  EXPECT_FALSE(client->wait_closed(milliseconds(10)));
}

}  // namespace
}  // namespace peregrine
