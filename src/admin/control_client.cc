#include "admin/control_client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "admin/control_socket.h"

namespace peregrine {
namespace {

constexpr size_t max_reply = 16u << 20;  // octets; a configuration is at most 1 MiB

std::string seconds_text(Duration time) {
  const auto tenths = std::chrono::ceil<std::chrono::duration<int64_t, std::deci>>(time).count();
  return std::to_string(tenths / 10) + (tenths % 10 ? "." + std::to_string(tenths % 10) : "") + " s";
}

std::string connect_error(const std::string& path, int error) {
  if (error == ENOENT || error == ECONNREFUSED) {
    return "no server is listening on " + path + "; is it running, and with which server.state_dir?";
  }
  if (error == EACCES || error == EPERM) {
    return "no permission to use " + path + "; only the server's user and root may";
  }
  return "cannot connect to " + path + ": " + std::strerror(error);
}

// Whether the descriptor can be read before `deadline`.
bool wait_readable(int fd, Instant deadline) {
  SystemClock clock;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.precise()).count();
    if (left <= 0) return false;
    pollfd poll_fd{.fd = fd, .events = POLLIN, .revents = 0};
    const int limit = static_cast<int>(std::min<int64_t>(left, std::numeric_limits<int>::max()));
    if (poll(&poll_fd, 1, limit) > 0) return true;
  }
}

}  // namespace

std::expected<ControlClient, std::string> ControlClient::connect(const std::string& path, Duration limit) {
  const auto address = unix_address(path);
  if (!address) return std::unexpected("the path of a control socket has at most 107 octets: " + path);
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(connect_error(path, errno));
  // A server that is stopped in a debugger must not keep us: a full queue blocks connect() and a full buffer
  // send().
  const auto micros = std::chrono::ceil<std::chrono::microseconds>(limit).count();
  const timeval send_limit{.tv_sec = micros / 1'000'000, .tv_usec = micros % 1'000'000};
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &send_limit, sizeof send_limit);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return std::unexpected(connect_error(path, errno));
  }
  return ControlClient(std::move(fd), path, limit);
}

std::expected<nlohmann::json, std::string> ControlClient::request(std::string_view command) {
  send_line({{"command", command}});
  return read_object();
}

std::expected<nlohmann::json, std::string> ControlClient::request(const nlohmann::json& request,
                                                                  const TakePart& take) {
  send_line(request);
  while (true) {
    auto object = read_object();
    if (!object || object->contains("ok")) return object;
    take(*object);
  }
}

void ControlClient::send_line(const nlohmann::json& request) {
  // Octets that are no UTF-8 must not throw: the server will not know them.
  const std::string line = request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  // Where this fails the server may have said why before it closed: who reads will see.
  [[maybe_unused]] const ssize_t sent = send(fd_.get(), line.data(), line.size(), MSG_NOSIGNAL);
}

std::expected<nlohmann::json, std::string> ControlClient::read_object() {
  const auto text = read_line();
  if (!text) return std::unexpected(text.error());
  nlohmann::json object = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return std::unexpected("what answers on " + path_ + " is not Peregrine");
  return object;
}

std::expected<std::string, std::string> ControlClient::read_line() {
  const Instant deadline = SystemClock().now() + limit_;
  std::array<char, 64 * 1024> chunk;
  size_t looked_at = 0;
  while (in_.size() <= max_reply) {
    if (const size_t end = in_.find('\n', looked_at); end != in_.npos) {
      std::string line = in_.substr(0, end);
      in_.erase(0, end + 1);
      return line;
    }
    looked_at = in_.size();
    if (!wait_readable(fd_.get(), deadline)) {
      return std::unexpected("no answer from the server on " + path_ + " within " + seconds_text(limit_));
    }
    const ssize_t size = recv(fd_.get(), chunk.data(), chunk.size(), 0);
    if (size <= 0) {
      return std::unexpected("the server on " + path_ +
                             " closed the connection without an answer; is it stopping?");
    }
    in_.append(chunk.data(), static_cast<size_t>(size));
  }
  return std::unexpected("the answer on " + path_ + " is too long");
}

bool ControlClient::wait_closed(Duration limit) {
  const Instant deadline = SystemClock().now() + limit;
  std::array<char, 256> chunk;
  while (wait_readable(fd_.get(), deadline)) {
    if (recv(fd_.get(), chunk.data(), chunk.size(), 0) <= 0) return true;
  }
  return false;
}

}  // namespace peregrine
