#include "base/log.h"

#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>

namespace peregrine {
namespace {

std::string_view prefix(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug: ";
    case LogLevel::info:
      return "info: ";
    case LogLevel::warning:
      return "warning: ";
    case LogLevel::error:
      return "error: ";
  }
  return "";
}

iovec part(std::string_view text) { return {const_cast<char*>(text.data()), text.size()}; }

void write_to_stderr(LogLevel level, std::string_view line) {
  // One system call, so that the lines of several threads do not mix. There is nowhere to report its failure.
  const std::array<iovec, 3> parts{part(prefix(level)), part(line), part("\n")};
  [[maybe_unused]] ssize_t written = writev(STDERR_FILENO, parts.data(), static_cast<int>(parts.size()));
}

std::atomic<LogSink*> current_sink{nullptr};
std::atomic<LogLevel> least_level{LogLevel::info};

}  // namespace

void set_log_sink(LogSink* sink) { current_sink.store(sink, std::memory_order_release); }

void set_log_level(LogLevel least) { least_level.store(least, std::memory_order_relaxed); }

void log(LogLevel level, std::string_view line) {
  if (level < least_level.load(std::memory_order_relaxed)) return;
  LogSink* sink = current_sink.load(std::memory_order_acquire);
  if (sink == nullptr) return write_to_stderr(level, line);
  sink->write(level, line);
}

}  // namespace peregrine
