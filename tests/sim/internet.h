// The servers that the resolver forwards to, and the links to them.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "config/config.h"
#include "sim/forger.h"
#include "sim/sim_network.h"
#include "sim/truth.h"

namespace peregrine::sim {

// What goes wrong, in percent of the chances that it has.
struct Faults {
  unsigned loss = 0, duplication = 0, corruption = 0;  // of a datagram on a link
  Duration least_delay = std::chrono::milliseconds(1), most_delay = std::chrono::milliseconds(40);  // one way
  unsigned unreachable = 0;     // of a datagram: the kernel refuses it
  size_t most_ports = 65'536;   // that can be open at a time
  unsigned dead = 0;            // of a server in a span of some seconds: silence
  unsigned bad_reply = 0;       // SERVFAIL, REFUSED, wrong id, wrong question, another port, ...
  unsigned bad_connection = 0;  // refused, hanging, closed in the middle, the wrong reply
  bool quirks = false;   // that a resolver must live with: no EDNS, letter case not kept, needless records
  unsigned forgery = 0;  // of a query to be met by forged replies
  Forger::Powers forger{};
};

class Internet final : public Far {
 public:
  struct Tally {
    uint64_t queries = 0, connections = 0, forgeries = 0, lost = 0, spoilt = 0;
  };
  Internet(Stage& stage, const Truth& truth, const Faults& faults, uint64_t seed);

  SimNetwork& network() { return network_; }
  const std::vector<Endpoint>& servers() const { return servers_; }
  // From now on queries for names in these zones may come to their servers, and for `grace` to those that
  // were allowed before: resolutions go on with the servers that they began with.
  void allow(std::span<const ForwardZone> zones, Duration grace);
  bool speaks_edns() const;  // every server
  const Tally& tally() const { return tally_; }

  Result<> on_sent(PortId from, const Endpoint& to, Bytes octets) override;
  ConnectPlan on_connect(const Endpoint& to) override;
  void on_accepted(const Endpoint& at, std::unique_ptr<Stream> stream) override;

 private:
  enum class EdnsHabit : uint8_t { speaks, formerr, notimp_without_opt, bare_formerr };
  struct Habits {
    EdnsHabit edns = EdnsHabit::speaks;
    bool lowers_case = false, adds_needless = false, shuffles = false, uneven_ttls = false;
    HashKey pulse;  // of its dying and rising
  };
  struct Allowed {
    DnameBuf zone;
    Endpoint server;
    Instant until;
  };
  using Octets = std::vector<uint8_t>;

  const Habits& habits_of(const Endpoint& server) const;
  bool dead(const Endpoint& server) const;
  void check_query(const Endpoint& to, Bytes octets);
  Duration delay() { return dice_.between(faults_.least_delay, faults_.most_delay); }
  void reply_to(PortId port, const Endpoint& server, Bytes query);
  void send_back(Flight reply);
  void corrupt(Octets& reply);
  void spoil(Flight& reply);
  void forge(PortId port, const Endpoint& server, Bytes query);
  Octets answer(const Endpoint& server, Bytes query, size_t limit);
  Octets refuse_edns(EdnsHabit habit, const MessageView& query) const;
  void write_truth(const Habits& habits, const MessageView& query, MessageWriter& writer);
  void shuffle(std::vector<TrueRecord>& records);
  void make_ttls_uneven(std::vector<TrueRecord>& records);
  void write_needless(const Question& question, const TrueAnswer& truth, Section section,
                      MessageWriter& writer);
  Task<void> serve(Endpoint at, std::unique_ptr<Stream> stream);

  Stage& stage_;
  const Truth& truth_;
  Faults faults_;
  Dice dice_;
  Forger forger_;
  SimNetwork network_;
  std::vector<Endpoint> servers_;
  std::vector<Habits> habits_;  // of each server
  std::vector<Allowed> allowed_;
  Tally tally_;
};

}  // namespace peregrine::sim
