#include "base/log.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace peregrine {
namespace {

class Recorder final : public LogSink {
 public:
  Recorder() { set_log_sink(this); }
  ~Recorder() override { set_log_sink(nullptr); }
  void write(LogLevel level, std::string_view line) override { lines.emplace_back(level, line); }
  std::vector<std::pair<LogLevel, std::string>> lines;
};

// Standard error as a datagram socket: each write(2) arrives as one datagram.
class StderrCapture {
 public:
  StderrCapture() : saved_(dup(STDERR_FILENO)) {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends_.data()), 0);
    std::fflush(stderr);
    dup2(ends_[1], STDERR_FILENO);
  }
  ~StderrCapture() {
    dup2(saved_, STDERR_FILENO);
    for (int fd : {saved_, ends_[0], ends_[1]}) close(fd);
  }
  // What the next write(2) wrote; "(nothing)" if there was none.
  std::string next() {
    std::array<char, 4096> buffer;
    const ssize_t n = recv(ends_[0], buffer.data(), buffer.size(), MSG_DONTWAIT);
    return n < 0 ? "(nothing)" : std::string(buffer.data(), static_cast<size_t>(n));
  }

 private:
  int saved_;
  std::array<int, 2> ends_{};
};

// Every level passes while one of these lives.
struct EveryLevel {
  EveryLevel() { set_log_level(LogLevel::debug); }
  ~EveryLevel() { set_log_level(LogLevel::info); }
};

TEST(Log, GoesToStandardErrorByOneWriteALine) {
  EveryLevel every_level;
  StderrCapture err;
  log_debug("d");
  log_info("");
  log_warning("two words");
  log_error(std::string(300, 'x'));
  EXPECT_EQ(err.next(), "debug: d\n");
  EXPECT_EQ(err.next(), "info: \n");
  EXPECT_EQ(err.next(), "warning: two words\n");
  EXPECT_EQ(err.next(), "error: " + std::string(300, 'x') + "\n");
  EXPECT_EQ(err.next(), "(nothing)");
}

TEST(Log, DropsLinesBelowTheLevelSet) {
  Recorder recorder;
  log_debug("dropped: info is where it starts");
  set_log_level(LogLevel::warning);
  log_info("dropped");
  log_warning("kept");
  set_log_level(LogLevel::info);
  log_info("kept again");
  ASSERT_EQ(recorder.lines.size(), 2u);
  EXPECT_EQ(recorder.lines[0].second, "kept");
  EXPECT_EQ(recorder.lines[1].second, "kept again");
}

TEST(Log, ASinkTakesEveryLineInsteadOfStandardError) {
  EveryLevel every_level;
  StderrCapture err;
  Recorder sink;
  log_info("one");
  log(LogLevel::error, "two");
  ASSERT_EQ(sink.lines.size(), 2U);
  EXPECT_EQ(sink.lines[0], std::pair(LogLevel::info, std::string("one")));
  EXPECT_EQ(sink.lines[1], std::pair(LogLevel::error, std::string("two")));
  EXPECT_EQ(err.next(), "(nothing)");
}

TEST(Log, WithoutASinkItIsStandardErrorAgain) {
  StderrCapture err;
  {
    Recorder sink;
  }
  log_info("back");
  EXPECT_EQ(err.next(), "info: back\n");
}

}  // namespace
}  // namespace peregrine
