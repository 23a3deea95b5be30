// What the server tells its operator. Never called on the hit path.
#pragma once

#include <cstdint>
#include <string_view>

namespace peregrine {

enum class LogLevel : uint8_t { debug, info, warning, error };

// Receives every line. Called from any thread; must not block for long and must not throw.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(LogLevel level, std::string_view line) = 0;
};

// Replaces the process's sink, which at first is standard error; null goes back to that. `sink` must outlive
// all logging.
void set_log_sink(LogSink* sink);

// Lines below `least` are dropped from now on. At first: info. Thread-safe.
void set_log_level(LogLevel least);

void log(LogLevel level, std::string_view line);
inline void log_debug(std::string_view line) { log(LogLevel::debug, line); }
inline void log_info(std::string_view line) { log(LogLevel::info, line); }
inline void log_warning(std::string_view line) { log(LogLevel::warning, line); }
inline void log_error(std::string_view line) { log(LogLevel::error, line); }

}  // namespace peregrine
