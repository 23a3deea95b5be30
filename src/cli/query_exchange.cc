#include "cli/query_exchange.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "io/fd.h"
#include "resolve/match.h"
#include "wire/message_view.h"

namespace peregrine {
namespace {

constexpr unsigned max_sends = 3;
constexpr size_t max_message = 65'535;

enum class Wait : uint8_t { ready, timeout };

Wait wait_for(int fd, short events, Instant deadline) {
  SystemClock clock;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.precise()).count();
    if (left <= 0) return Wait::timeout;
    pollfd poll_fd{.fd = fd, .events = events, .revents = 0};
    const int limit = static_cast<int>(std::min<int64_t>(left, std::numeric_limits<int>::max()));
    if (poll(&poll_fd, 1, limit) > 0) return Wait::ready;
  }
}

class Asker {
 public:
  Asker(const Endpoint& server, Bytes query, Duration limit)
      : server_(server),
        query_(query),
        limit_(limit),
        start_(SystemClock().now()),
        deadline_(start_ + limit) {}

  std::expected<QueryReply, std::string> ask(bool over_tcp) {
    auto reply = over_tcp ? ask_tcp() : ask_udp();
    if (!reply) return reply;
    if (!over_tcp && Header::read(reply->message)->tc()) {
      const unsigned ignored = reply->ignored;
      reply = ask_tcp();
      if (!reply) return reply;
      reply->was_truncated = true;
      reply->ignored = ignored;
    }
    reply->time = SystemClock().now() - start_;
    return reply;
  }

 private:
  std::unexpected<std::string> failed(int error) const {
    std::string why = server_.to_string() + ": " + std::strerror(error);
    if (error == ECONNREFUSED) why += "; is a server running there?";
    return std::unexpected(why);
  }
  std::unexpected<std::string> silent() const {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(limit_).count();
    return std::unexpected("no reply from " + server_.to_string() + " within " + std::to_string(ms) + " ms");
  }

  // A socket that talks to the server only: the kernel drops what others send.
  std::expected<Fd, std::string> connect_socket(int type) const {
    sockaddr_storage address{};
    const socklen_t size = server_.to_sockaddr(address);
    Fd fd(socket(address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return failed(errno);
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0) return fd;
    if (errno != EINPROGRESS) return failed(errno);
    if (wait_for(fd.get(), POLLOUT, deadline_) == Wait::timeout) return silent();
    int error = 0;
    socklen_t error_size = sizeof error;
    getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &error_size);
    if (error != 0) return failed(error);
    return fd;
  }

  bool is_reply(Bytes received) const {
    const auto header = Header::read(received);
    if (!header || header->id() != load_u16(query_.data())) return false;
    const Match matched = match(received, query_, /*exact_case=*/false);
    return matched == Match::reply || matched == Match::no_question;
  }

  std::expected<QueryReply, std::string> ask_udp() {
    auto fd = connect_socket(SOCK_DGRAM);
    if (!fd) return std::unexpected(fd.error());
    QueryReply reply;
    for (unsigned sent = 1; sent <= max_sends; ++sent) {
      if (send(fd->get(), query_.data(), query_.size(), MSG_NOSIGNAL) < 0 && errno != EAGAIN)
        return failed(errno);
      const Instant until = start_ + limit_ * sent / max_sends;
      while (wait_for(fd->get(), POLLIN, until) == Wait::ready) {
        reply.message.resize(max_message);
        const ssize_t size = recv(fd->get(), reply.message.data(), reply.message.size(), 0);
        if (size < 0 && errno != EAGAIN && errno != EINTR) return failed(errno);
        if (size < 0) continue;
        reply.message.resize(static_cast<size_t>(size));
        if (is_reply(reply.message)) return reply;
        ++reply.ignored;
      }
    }
    if (reply.ignored == 0) return silent();
    return std::unexpected("only messages that are no reply to this query came from " + server_.to_string());
  }

  std::expected<QueryReply, std::string> ask_tcp() {
    auto fd = connect_socket(SOCK_STREAM);
    if (!fd) return std::unexpected(fd.error());
    std::vector<uint8_t> framed(2 + query_.size());
    store_u16(framed.data(), static_cast<uint16_t>(query_.size()));
    std::ranges::copy(query_, framed.begin() + 2);
    if (send(fd->get(), framed.data(), framed.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(framed.size())) {
      return failed(errno);
    }
    QueryReply reply;
    reply.over_tcp = true;
    std::vector<uint8_t> length(2);
    if (auto read = read_all(*fd, length); !read) return std::unexpected(read.error());
    reply.message.resize(load_u16(length.data()));
    if (auto read = read_all(*fd, reply.message); !read) return std::unexpected(read.error());
    if (!is_reply(reply.message)) {
      return std::unexpected("what " + server_.to_string() + " sent over TCP is no reply to this query");
    }
    return reply;
  }

  std::expected<void, std::string> read_all(const Fd& fd, MutableBytes into) const {
    while (!into.empty()) {
      if (wait_for(fd.get(), POLLIN, deadline_) == Wait::timeout) return silent();
      const ssize_t size = recv(fd.get(), into.data(), into.size(), 0);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (size < 0) return failed(errno);
      if (size == 0)
        return std::unexpected(server_.to_string() + " closed the TCP connection before its reply was whole");
      into = into.subspan(static_cast<size_t>(size));
    }
    return {};
  }

  const Endpoint& server_;
  const Bytes query_;
  const Duration limit_;
  const Instant start_, deadline_;
};

}  // namespace

std::expected<QueryReply, std::string> ask_server(const Endpoint& server, Bytes query, bool over_tcp,
                                                  Duration limit) {
  return Asker(server, query, limit).ask(over_tcp);
}

}  // namespace peregrine
