#include "cli/log_sink.h"

#include <spdlog/async.h>
#include <spdlog/sinks/ansicolor_sink.h>

#include <cstdlib>
#include <string>
#include <system_error>

#include "cli/text.h"

namespace peregrine {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

spdlog::color_mode colours() {
  const char* no_color = std::getenv("NO_COLOR");  // no-color.org
  return no_color && *no_color ? spdlog::color_mode::never : spdlog::color_mode::automatic;
}

std::shared_ptr<spdlog::details::thread_pool> make_writer(size_t waiting_lines) {
  try {
    return std::make_shared<spdlog::details::thread_pool>(waiting_lines, 1);
  } catch (const spdlog::spdlog_ex& error) {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again), error.what());
  }
}

}  // namespace

struct AsyncLog::State {
  explicit State(size_t waiting_lines)
      : writer(make_writer(waiting_lines)),
        logger(std::make_shared<spdlog::async_logger>(
            "peregrine", std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(colours()), writer,
            spdlog::async_overflow_policy::overrun_oldest)) {
    logger->set_level(spdlog::level::trace);  // log() has dropped what is not wanted
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$: %v");
  }
  std::shared_ptr<spdlog::details::thread_pool> writer;  // joins at the end, when all is written
  std::shared_ptr<spdlog::async_logger> logger;
};

AsyncLog::AsyncLog(size_t waiting_lines) : state_(std::make_unique<State>(waiting_lines)) {
  set_log_sink(this);
}

AsyncLog::~AsyncLog() {
  set_log_sink(nullptr);
  const size_t dropped = state_->writer->overrun_counter();
  state_.reset();
  if (dropped != 0) log_warning(std::to_string(dropped) + " lines of the log were dropped");
}

void AsyncLog::write(LogLevel level, std::string_view line) {
  state_->logger->log(to_spdlog(level), safe_for_terminal(line));
}

}  // namespace peregrine
