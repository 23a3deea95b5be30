#include "admin/control_session.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace peregrine {
namespace {

bool is_temporary(int error) { return error == EAGAIN || error == EINTR; }

}  // namespace

ControlSession::ControlSession(Loop& loop, Fd fd, uint64_t id, Host& host)
    : loop_(loop), fd_(std::move(fd)), id_(id), host_(host), idle_timer_([this] { host_.on_end(id_); }) {}

ControlSession::~ControlSession() { loop_.unwatch(fd_.get()); }

void ControlSession::ready(uint32_t epoll_events) {
  // What was sent before the other end closed still counts.
  if (epoll_events & EPOLLIN) {
    receive();
  } else if (epoll_events & (EPOLLHUP | EPOLLERR)) {
    broken_ = true;
  }
  step();
}

void ControlSession::reply(const std::string& line) {
  waits_for_reply_ = false;
  out_ += line;
  out_ += '\n';
  step();
}

void ControlSession::reply_part(const std::string& lines, std::function<void()> sent) {
  out_ += lines;
  part_sent_ = std::move(sent);
  step();
}

void ControlSession::receive() {
  std::array<char, 16 * 1024> chunk;
  const ssize_t size = recv(fd_.get(), chunk.data(), chunk.size(), 0);
  if (size > 0) {
    in_.append(chunk.data(), static_cast<size_t>(size));
  } else if (size == 0) {
    at_eof_ = true;
  } else if (!is_temporary(errno)) {
    broken_ = true;
  }
}

// Whether all is out.
bool ControlSession::send_out() {
  while (!out_.empty() && !broken_) {
    const ssize_t size = send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
    if (size >= 0) {
      out_.erase(0, static_cast<size_t>(size));
    } else if (errno == EAGAIN) {
      return false;
    } else if (errno != EINTR) {
      broken_ = true;
    }
  }
  return true;
}

// The next line of what has come. Too long a one is answered here, and is the last.
bool ControlSession::take_line(std::string& line) {
  const size_t end = in_.find('\n');
  if (std::min(end, in_.size()) > max_control_line) {
    out_ = R"({"ok":false,"error":"the request is longer than )" + std::to_string(max_control_line) +
           " octets\"}\n";
    closing_ = true;
    return false;
  }
  const bool is_last = end == in_.npos && at_eof_ && !in_.empty();
  if (end == in_.npos && !is_last) return false;
  line = in_.substr(0, end);
  in_.erase(0, is_last ? in_.size() : end + 1);
  return true;
}

void ControlSession::step() {
  while (true) {
    const bool all_out = send_out();
    if (broken_) return host_.on_end(id_);
    if (!all_out) return want(EPOLLOUT);
    if (closing_) return host_.on_end(id_);
    if (part_sent_) std::exchange(part_sent_, nullptr)();
    if (waits_for_reply_) return want(0);
    std::string line;
    if (take_line(line)) {
      waits_for_reply_ = true;
      host_.on_line(id_, std::move(line));
    } else if (!closing_) {
      return at_eof_ ? host_.on_end(id_) : want(EPOLLIN);
    }
  }
}

// The idle time runs while we wait for the other end, from when that began.
void ControlSession::want(uint32_t epoll_events) {
  if (wanted_ == epoll_events) return;
  wanted_ = epoll_events;
  if (!loop_.watch(fd_.get(), epoll_events, *this)) return host_.on_end(id_);
  if (epoll_events != 0) {
    loop_.timers().arm(idle_timer_, loop_.clock().now() + idle);
  } else {
    loop_.timers().disarm(idle_timer_);
  }
}

}  // namespace peregrine
