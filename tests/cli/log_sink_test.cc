#include "cli/log_sink.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

namespace peregrine {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

// Standard error as a pipe.
class StderrPipe {
 public:
  StderrPipe() : saved_(dup(STDERR_FILENO)) {
    EXPECT_EQ(pipe(ends_.data()), 0);
    std::fflush(stderr);
    dup2(ends_[1], STDERR_FILENO);
  }
  ~StderrPipe() { restore(); }
  // Fills the pipe, so that the next writer waits.
  void fill() {
    fcntl(ends_[1], F_SETFL, O_NONBLOCK);
    const std::string full(4096, '.');
    while (write(ends_[1], full.data(), full.size()) > 0) {
    }
    while (write(ends_[1], ".", 1) > 0) {
    }
    fcntl(ends_[1], F_SETFL, 0);
  }
  // All until the last writer has closed: call restore() on another thread, or before.
  std::string read_all() {
    std::string all;
    std::array<char, 4096> chunk;
    for (ssize_t n; (n = read(ends_[0], chunk.data(), chunk.size())) > 0;)
      all.append(chunk.data(), static_cast<size_t>(n));
    return all;
  }
  void restore() {
    if (saved_ < 0) return;
    dup2(saved_, STDERR_FILENO);
    close(saved_);
    close(ends_[1]);
    saved_ = -1;
  }

 private:
  int saved_;
  std::array<int, 2> ends_{};
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0, end; (end = text.find('\n', at)) != text.npos; at = end + 1) {
    lines.push_back(text.substr(at, end - at));
  }
  return lines;
}

TEST(AsyncLog, WritesALineForEachWithTimeAndLevel) {
  StderrPipe err;
  {
    const AsyncLog log;
    set_log_level(LogLevel::debug);
    log_debug("one");
    log_info("two");
    log_warning("three {} %s");
    log_error("four");
    set_log_level(LogLevel::info);
    log_debug("unseen");
  }
  err.restore();
  const auto lines = lines_of(err.read_all());
  ASSERT_EQ(lines.size(), 4u);
  const std::string time =
      "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}[+-][0-9]{2}:[0-9]{2} ";
  EXPECT_THAT(lines[0], ContainsRegex(time + "debug: one$"));
  EXPECT_THAT(lines[1], ContainsRegex(time + "info: two$"));
  EXPECT_THAT(lines[2], ContainsRegex(time + "warning: three \\{\\} %s$"));
  EXPECT_THAT(lines[3], ContainsRegex(time + "error: four$"));
}

TEST(AsyncLog, ALineStaysOneLine) {
  StderrPipe err;
  {
    const AsyncLog log;
    log_info("query for a\n2026-01-01 error: forged\x1b[2J");
    log_info(std::string(10'000, 'x'));
  }
  err.restore();
  const auto lines = lines_of(err.read_all());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], HasSubstr("a\\x0a2026-01-01 error: forged\\x1b[2J"));
  EXPECT_EQ(lines[1].find('\x1b'), std::string::npos) << "no colours where there is no terminal";
}

TEST(AsyncLog, IsTheSinkWhileItLivesOnly) {
  StderrPipe err;
  {
    const AsyncLog log;
  }
  log_info("plain");
  err.restore();
  EXPECT_EQ(err.read_all(), "info: plain\n");
}

TEST(AsyncLog, NobodyWaitsForAFullPipeAndWhatIsDroppedIsCounted) {
  StderrPipe err;
  err.fill();
  auto log = std::make_unique<AsyncLog>(4);
  for (int i = 0; i < 100; ++i) log_info("line " + std::to_string(i));  // the writer waits in its first write
  std::string all;
  std::thread reader([&] { all = err.read_all(); });
  log.reset();
  err.restore();
  reader.join();
  EXPECT_THAT(all, HasSubstr("line 99\n"));
  EXPECT_THAT(all, ContainsRegex("warning: 9[0-9] lines of the log were dropped"));
}

TEST(AsyncLog, TakesLinesOfManyThreads) {
  StderrPipe err;
  std::string all;
  std::thread reader([&] { all = err.read_all(); });
  {
    const AsyncLog log;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 500; ++i) log_info("same line");
      });
    }
    for (auto& thread : threads) thread.join();
  }
  err.restore();
  reader.join();
  const auto lines = lines_of(all);
  EXPECT_EQ(lines.size(), 2000u);
  for (const std::string& line : lines) ASSERT_THAT(line, testing::EndsWith(" info: same line"));
}

}  // namespace
}  // namespace peregrine
