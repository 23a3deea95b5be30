// Clients on streams: DNS over TCP as a server (RFC 7766): pipelining, replies in any order, idle timeout,
// caps.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/counters.h"
#include "io/loop.h"
#include "io/stream.h"

namespace peregrine {

// Names a session without keeping it: one that has ended is not found again, though its index be used anew.
struct SessionId {
  uint32_t index = 0;
  uint32_t generation = 0;
  bool operator==(const SessionId&) const = default;
};

class SessionHandler {
 public:
  virtual ~SessionHandler() = default;
  // A whole message of `size` octets at the start of a buffer of 65,535 that the handler may write into,
  // valid during the call. Replies go by Sessions::send, now or later. Every message ends by a last send() or
  // by drop_one().
  virtual void on_message(SessionId session, const Endpoint& peer, MutableBytes buffer, size_t size) = 0;
  // Whether `peer` may use the places of clients. Else it is a stranger: it gets one of a few places of their
  // own, so that it can be told that it is refused and yet keeps nobody out. Asked when a session begins, and
  // again of all by Sessions::limits().
  virtual bool is_client(const Endpoint& peer) const {
    (void)peer;
    return true;
  }
};

struct SessionLimits {
  // Sessions of clients at a time; beyond it a new one is closed at once. Strangers have a sixteenth as many
  // places besides, at least one.
  size_t total = 1024;
  size_t per_client = 64;             // of one IPv4 address, IPv6 /64 or link-local address
  size_t pipelined = 100;             // messages taken from a session and not answered: reading pauses
  size_t unsent_octets = 256 * 1024;  // replies waiting for a slow reader: the session is closed beyond it
  Duration idle = std::chrono::seconds(10);   // without a message and with none to answer
  Duration write = std::chrono::seconds(10);  // for one reply to be taken by the reader
};

class Sessions {
 public:
  Sessions(Clock& clock, Timers& timers, SessionLimits limits, SessionHandler& handler, Counters& counters);
  ~Sessions();                                 // close_all(); not from within on_message
  void adopt(std::unique_ptr<Stream> stream);  // from now on served, or closed when a cap is reached
  // A reply; `last` false promises more for the same query. False where the session is gone.
  bool send(SessionId session, Bytes message, bool last = true);
  void drop_one(SessionId session);  // a message that will get no reply counts as answered
  // For what is adopted from now on, and waits that begin from now on. Strangers who have become too many are
  // closed. Not from within on_message.
  void limits(const SessionLimits& limits);
  void drain();         // reads no more; each ends when its replies are out
  void close_all();     // at once
  size_t size() const;  // of clients and strangers

 private:
  struct Session;
  struct State;
  std::unique_ptr<State> state_;
};

// Accepts on a listening socket and hands streams to `sessions`. Out of descriptors: pauses for a moment and
// counts.
class TcpListener final : public Watcher {
 public:
  // Throws std::system_error where the descriptor cannot be watched.
  TcpListener(Loop& loop, Fd listener, Sessions& sessions, Counters& counters);
  ~TcpListener() override;
  void ready(uint32_t epoll_events) override;
  void stop();  // accepts no more

 private:
  void accept_later();
  void accept_again();
  Loop& loop_;
  Fd listener_;
  Sessions& sessions_;
  Counters& counters_;
  Timer resume_;
};

}  // namespace peregrine
