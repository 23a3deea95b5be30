// Keeps what is logged while it lives. From any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/guarded.h"
#include "base/log.h"

namespace peregrine {

class LogRecorder final : public LogSink {
 public:
  LogRecorder() { set_log_sink(this); }
  ~LogRecorder() { set_log_sink(nullptr); }
  LogRecorder(const LogRecorder&) = delete;
  LogRecorder& operator=(const LogRecorder&) = delete;

  void write(LogLevel level, std::string_view line) override { lines_.lock()->emplace_back(level, line); }
  std::vector<std::pair<LogLevel, std::string>> lines() { return *lines_.lock(); }
  std::vector<std::string> of(LogLevel wanted) {
    std::vector<std::string> found;
    for (const auto& [level, line] : lines())
      if (level == wanted) found.push_back(line);
    return found;
  }

 private:
  Guarded<std::vector<std::pair<LogLevel, std::string>>> lines_;
};

}  // namespace peregrine
