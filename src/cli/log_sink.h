// The server's log on standard error, written by a thread of its own: who logs never waits for the terminal.
#pragma once

#include <memory>

#include "base/log.h"

namespace peregrine {

// While one of these lives it is the process's log sink. One line each: time, level, text without control
// characters; colours only on a terminal. When more lines wait than it holds the oldest are dropped, and the
// end says how many. The destructor writes what waits. Throws std::system_error where no thread can be made.
class AsyncLog final : public LogSink {
 public:
  explicit AsyncLog(size_t waiting_lines = 8192);
  ~AsyncLog() override;
  void write(LogLevel level, std::string_view line) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace peregrine
