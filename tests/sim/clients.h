// The clients: each query gets exactly one reply, in time.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "io/memory_stream.h"
#include "io/udp.h"
#include "sim/oracle.h"

namespace peregrine::sim {

// Those on UDP. A query may be sent more than once, by a client that lost patience: then it gets as many
// replies.
class UdpClients {
 public:
  struct Sender {
    Endpoint from;
    LocalAddress at;  // which of our addresses it writes to
  };
  UdpClients(Stage& stage, Oracle& oracle) : stage_(stage), oracle_(oracle) {}
  // False where that sender has used that id: another one is to be chosen.
  bool ask(const Sender& sender, const ClientQuery& query, Duration patience);
  void ask_again(const Sender& sender, const ClientQuery& query, Duration patience);
  void reply(const MemoryEngine::Sent& sent);
  void check_complete();  // when all replies must be there
  uint64_t sent() const { return sent_; }

 private:
  struct Asked {
    ClientQuery query;
    LocalAddress at;
    std::vector<Instant> deadlines;  // of the replies that are still to come
    Oracle::Terms terms;
  };
  Stage& stage_;
  Oracle& oracle_;
  std::map<std::pair<Endpoint, uint16_t>, Asked> asked_;
  uint64_t sent_ = 0;
};

// One on TCP: its own pace, pieces of messages, replies in any order.
class TcpClient : public std::enable_shared_from_this<TcpClient> {
 public:
  enum class Ending : uint8_t { close, stay, vanish };  // vanish: at any time
  struct Habits {
    Ending ending = Ending::close;
    Duration longest_pause = std::chrono::seconds(2);
    bool in_pieces = false;
    Duration reading_pause{};  // before each read
  };
  TcpClient(Stage& stage, Oracle& oracle, const Habits& habits, uint64_t seed)
      : stage_(stage), oracle_(oracle), habits_(habits), dice_(seed) {}
  void start(std::unique_ptr<Stream> stream, std::vector<ClientQuery> queries);
  void hush() { hushed_ = true; }  // sends no more
  void vanish();
  void check_complete();

 private:
  using Self = std::shared_ptr<TcpClient>;
  static Task<void> write(Self self);
  static Task<void> read(Self self);
  void take(Bytes reply);

  Stage& stage_;
  Oracle& oracle_;
  Habits habits_;
  Dice dice_;
  std::unique_ptr<Stream> stream_;
  std::vector<ClientQuery> queries_;
  struct Asked {
    const ClientQuery* query;
    Instant at;
  };
  std::multimap<uint16_t, Asked> unanswered_;
  unsigned running_ = 0;
  bool hushed_ = false, written_ = false, vanished_ = false;
};

}  // namespace peregrine::sim
