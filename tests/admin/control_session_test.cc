#include "admin/control_session.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <optional>

namespace peregrine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A session over a socket pair, its loop driven by hand on a virtual clock.
class ControlSessionTest : public testing::Test, public ControlSession::Host {
 protected:
  ControlSessionTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    client_ = Fd(ends[0]);
    session_.emplace(loop_, Fd(ends[1]), 7, *this);
    session_->start();
  }

  void on_line(uint64_t session, std::string line) override {
    EXPECT_EQ(session, 7u);
    lines_.push_back(std::move(line));
  }
  void on_end(uint64_t session) override {
    EXPECT_EQ(session, 7u);
    session_.reset();
  }

  void send(std::string_view octets) {
    ASSERT_EQ(::send(client_.get(), octets.data(), octets.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(octets.size()));
    turn();
  }
  void turn() {
    for (int i = 0; i < 3; ++i) loop_.run_once(Duration::zero());
  }
  // What came from the session; nullopt once it has closed.
  std::optional<std::string> received() {
    std::string all(1 << 20, '\0');
    const ssize_t size = recv(client_.get(), all.data(), all.size(), 0);
    if (size == 0) return std::nullopt;
    all.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return all;
  }
  void advance(Duration by) {
    clock_.advance(by);
    turn();
  }

  VirtualClock clock_;
  Loop loop_{clock_};
  Fd client_;
  std::vector<std::string> lines_;
  std::optional<ControlSession> session_;
};

TEST_F(ControlSessionTest, GivesALineAndSendsTheReply) {
  send("{\"command\"");
  EXPECT_TRUE(lines_.empty());
  send(":\"status\"}\n");
  EXPECT_EQ(lines_, std::vector<std::string>{R"({"command":"status"})"});
  session_->reply("yes");
  EXPECT_EQ(received(), "yes\n");
}

TEST_F(ControlSessionTest, TakesTheNextLineOnlyAfterTheReply) {
  send("a\nb\n\nc\n");
  EXPECT_EQ(lines_, (std::vector<std::string>{"a"}));
  session_->reply("1");
  EXPECT_EQ(lines_, (std::vector<std::string>{"a", "b"}));
  session_->reply("2");
  session_->reply("3");
  EXPECT_EQ(lines_, (std::vector<std::string>{"a", "b", "", "c"}));
  session_->reply("4");
  EXPECT_EQ(received(), "1\n2\n3\n4\n");
}

TEST_F(ControlSessionTest, TakesALastLineWithoutNewline) {
  send("a");
  shutdown(client_.get(), SHUT_WR);
  turn();
  EXPECT_EQ(lines_, std::vector<std::string>{"a"});
  session_->reply("1");
  EXPECT_FALSE(session_.has_value());
  EXPECT_EQ(received(), "1\n");
  EXPECT_EQ(received(), std::nullopt);
}

TEST_F(ControlSessionTest, EndsWhenTheOtherEndCloses) {
  client_ = Fd();
  turn();
  EXPECT_FALSE(session_.has_value());
}

TEST_F(ControlSessionTest, EndsWhenTheOtherEndClosesBeforeTheReply) {
  send("a\n");
  client_ = Fd();
  turn();
  EXPECT_EQ(lines_.size(), 1u);
  EXPECT_FALSE(session_.has_value());
}

TEST_F(ControlSessionTest, TakesWhatWasSentBeforeTheOtherEndClosed) {
  ASSERT_EQ(::send(client_.get(), "a\n", 2, MSG_NOSIGNAL), 2);
  client_ = Fd();
  turn();
  EXPECT_EQ(lines_, std::vector<std::string>{"a"});
  EXPECT_FALSE(session_.has_value());
}

TEST_F(ControlSessionTest, ALineMayHave64KiB) {
  const std::string longest(max_control_line, 'x');
  send(longest + "\n");
  ASSERT_EQ(lines_.size(), 0u) << "it comes in more than one read";
  turn();
  turn();
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(lines_[0], longest);
}

TEST_F(ControlSessionTest, ALongerLineIsRefusedAndTheLast) {
  for (const char* end : {"\n", "", "\nstatus\n"}) {
    SCOPED_TRACE(end);
    std::array<int, 2> ends{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    client_ = Fd(ends[0]);
    session_.emplace(loop_, Fd(ends[1]), 7, *this);
    session_->start();
    send(std::string(max_control_line + 1, 'x') + end);
    turn();
    turn();
    EXPECT_FALSE(session_.has_value());
    EXPECT_TRUE(lines_.empty());
    const auto reply = received();
    ASSERT_TRUE(reply.has_value());
    EXPECT_NE(reply->find(R"("ok":false)"), std::string::npos) << *reply;
    EXPECT_EQ(reply->back(), '\n');
  }
}

TEST_F(ControlSessionTest, EndsWhenNoWholeLineComesInTime) {
  for (int i = 0; i < 9; ++i) {
    advance(seconds(1));
    send("x");
  }
  ASSERT_TRUE(session_.has_value());
  advance(ControlSession::idle - seconds(9) + milliseconds(2));
  EXPECT_FALSE(session_.has_value());
}

TEST_F(ControlSessionTest, WaitsForASlowReplyAndThenAnew) {
  advance(seconds(9));
  send("a\n");
  advance(seconds(3600));
  ASSERT_TRUE(session_.has_value());
  session_->reply("1");
  advance(seconds(9));
  ASSERT_TRUE(session_.has_value());
  advance(seconds(2));
  EXPECT_FALSE(session_.has_value());
}

TEST_F(ControlSessionTest, EndsWhenTheReplyIsNotTaken) {
  send("a\n");
  session_->reply(std::string(8 << 20, 'r'));
  ASSERT_TRUE(session_.has_value());
  advance(ControlSession::idle + milliseconds(2));
  EXPECT_FALSE(session_.has_value());
}

TEST_F(ControlSessionTest, ALargeReplyArrivesWhole) {
  send("a\n");
  const std::string large(3 << 20, 'r');
  session_->reply(large);
  std::string all;
  while (all.size() < large.size() + 1) {
    const auto more = received();
    ASSERT_TRUE(more.has_value());
    all += *more;
    turn();
  }
  EXPECT_EQ(all, large + "\n");
  EXPECT_TRUE(session_.has_value());
}

}  // namespace
}  // namespace peregrine
