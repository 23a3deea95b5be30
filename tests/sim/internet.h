// The servers that the resolver forwards to, and the links to them.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "sim/forger.h"
#include "sim/sim_network.h"
#include "sim/truth.h"

namespace peregrine::sim {

// What goes wrong, in percent of the chances that it has.
struct Faults {
  unsigned loss = 0, duplication = 0, corruption = 0;  // of a datagram on a link
  Duration least_delay = std::chrono::milliseconds(1), most_delay = std::chrono::milliseconds(40);  // one way
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
  // From now on queries for names below `zone` may come to these servers. Those that were allowed before
  // still may: resolutions go on with the servers that they began with.
  void allow(Dname zone, std::span<const Endpoint> servers);
  void die() { all_dead_ = true; }
  const Tally& tally() const { return tally_; }

  void on_sent(PortId from, const Endpoint& to, Bytes octets) override;
  ConnectPlan on_connect(const Endpoint& to) override;
  void on_accepted(const Endpoint& at, std::unique_ptr<Stream> stream) override;

 private:
  enum class EdnsHabit : uint8_t { speaks, formerr, notimp_without_opt, bare_formerr };
  struct Habits {
    EdnsHabit edns = EdnsHabit::speaks;
    bool lowers_case = false, adds_needless = false, shuffles = false;
    HashKey pulse;  // of its dying and rising
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
  void write_truth(const Habits& habits, const Question& question, MessageWriter& writer);
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
  std::vector<std::pair<DnameBuf, Endpoint>> allowed_;
  bool all_dead_ = false;
  Tally tally_;
};

}  // namespace peregrine::sim
