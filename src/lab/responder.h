// The servers of a plan, all in one thread, each on sockets of its own.
#pragma once

#include <deque>
#include <memory>
#include <queue>
#include <vector>

#include "base/random.h"
#include "io/loop.h"
#include "io/sessions.h"
#include "io/udp.h"
#include "lab/authority.h"

namespace peregrine {

// Of each server's addresses; those without TCP are of silent servers.
struct LabSocket {
  size_t server;
  Fd udp, tcp;
};
struct LabSockets {
  std::vector<LabSocket> each;
  uint16_t port = 0;
  bool has_v6 = false;
};
// All on one port; 0 for one that is free for all. Throws ListenError where IPv4 addresses cannot be had;
// where IPv6 cannot, there are no sockets of it.
LabSockets open_lab_sockets(const InternetPlan& plan, uint16_t port);

// Any server answers the question for this name (CLASS CH, TYPE TXT) with how many messages all have been
// sent.
inline constexpr std::string_view count_name = "queries.lab.";

class LabResponder {
 public:
  // Throws std::system_error. `authority` outlives it.
  LabResponder(Loop& loop, const Authority& authority, LabSockets sockets);
  ~LabResponder();

  uint64_t queries() const { return queries_; }

 private:
  class Datagrams;
  class TcpServer;
  // What is to be done when its time has come.
  struct Later {
    Instant due;
    uint64_t number;  // those of one instant in their order
    std::function<void()> send;
    bool operator>(const Later& other) const {
      return due != other.due ? due > other.due : number > other.number;
    }
  };

  size_t reply(size_t server, Bytes query, Transport transport);  // into reply_; 0: none
  size_t tell_count(const MessageView& query);
  void after(Duration delay, std::function<void()> send);
  void send_due();

  Loop& loop_;
  const Authority& authority_;
  Random random_;
  Counters counters_;
  uint64_t queries_ = 0, numbered_ = 0;
  std::vector<uint8_t> reply_;
  std::priority_queue<Later, std::vector<Later>, std::greater<>> later_;
  Timer timer_;
  std::vector<std::unique_ptr<Datagrams>> udp_;
  std::vector<std::unique_ptr<TcpServer>> tcp_;
};

}  // namespace peregrine
