// One connection of the control socket: lines in, one line back for each.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "io/fd.h"
#include "io/loop.h"

namespace peregrine {

inline constexpr size_t max_control_line = 64 * 1024;  // octets, without the newline

// Takes the next line only when the reply to the last one is out. Ends when the other end closes, sends a
// line that is too long, or makes us wait for longer than the idle time, be it for a whole line or to take a
// reply. On the loop's thread.
class ControlSession final : public Watcher {
 public:
  class Host {
   public:
    virtual ~Host() = default;
    // reply() is due, later: not before this has returned.
    virtual void on_line(uint64_t session, std::string line) = 0;
    virtual void on_end(uint64_t session) = 0;  // destroys the session
  };

  static constexpr Duration idle = std::chrono::seconds(10);

  ControlSession(Loop& loop, Fd fd, uint64_t id, Host& host);
  ~ControlSession() override;
  void start() { step(); }
  void ready(uint32_t epoll_events) override;
  void reply(const std::string& line);  // without the newline
  // Lines that go before the reply, each with its newline; sent() is called when all of them are out, which
  // may be at once, and never where the session ends before.
  void reply_part(const std::string& lines, std::function<void()> sent);

 private:
  static constexpr uint32_t nothing_yet = ~0u;

  void receive();
  bool send_out();
  void step();
  bool take_line(std::string& line);
  void want(uint32_t epoll_events);

  Loop& loop_;
  Fd fd_;
  const uint64_t id_;
  Host& host_;
  Timer idle_timer_;
  std::string in_, out_;
  std::function<void()> part_sent_;
  uint32_t wanted_ = nothing_yet;
  bool waits_for_reply_ = false, at_eof_ = false, broken_ = false, closing_ = false;
};

}  // namespace peregrine
