// The other end of the control socket, for tools. Blocking, with a time limit.
#pragma once

#include <expected>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "io/fd.h"

namespace peregrine {

class ControlClient {
 public:
  // Errors, here and below, are one line for a person: what is wrong, where, what to do.
  static std::expected<ControlClient, std::string> connect(const std::string& path, Duration limit);

  // Sends {"command": ...} and waits for the reply, an object, for at most the limit.
  std::expected<nlohmann::json, std::string> request(std::string_view command);
  using TakePart = std::function<void(const nlohmann::json&)>;
  // The same for a whole request, and with what comes before the reply. The limit holds for each of them.
  std::expected<nlohmann::json, std::string> request(const nlohmann::json& request, const TakePart& take);
  // Whether the server closes the connection within `limit`, as it does when it ends.
  bool wait_closed(Duration limit);

 private:
  ControlClient(Fd fd, std::string path, Duration limit)
      : fd_(std::move(fd)), path_(std::move(path)), limit_(limit) {}
  void send_line(const nlohmann::json& request);
  std::expected<nlohmann::json, std::string> read_object();
  std::expected<std::string, std::string> read_line();

  Fd fd_;
  std::string in_;  // what has come of the next lines
  std::string path_;
  Duration limit_;
};

}  // namespace peregrine
