// The servers of a tree of zones and the links to them, with what goes wrong on both.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "sim/recursion_tree.h"
#include "sim/sim_network.h"
#include "wire/message_writer.h"
#include "zone/zone.h"

namespace peregrine::sim {

struct LinkFaults {
  unsigned loss = 0, duplication = 0;  // of a datagram, in percent
  Duration jitter{};                   // added to a delay, uniform up to this
};

class RecursionServers final : public Far {
 public:
  struct Tally {
    uint64_t queries = 0, connections = 0, lost = 0, stuffed = 0, ill = 0;
  };
  RecursionServers(Stage& stage, const Tree& tree, const LinkFaults& faults, uint64_t seed);

  SimNetwork& network() { return network_; }
  // Serves a zone as it is now, and its parent; those who served it before go on with what they have, unless
  // they serve a zone above it, too.
  void install(size_t zone);
  // From when on only those may be asked about a zone that the tree names now.
  void forget_old_servers() { allowed_.clear(), allow_all(); }
  const Tally& tally() const { return tally_; }
  // The apices of what this address serves: for who replays a seed.
  std::string describe() const;

  Result<> on_sent(PortId from, const Endpoint& to, Bytes octets) override;
  ConnectPlan on_connect(const Endpoint& to) override;
  void on_accepted(const Endpoint& at, std::unique_ptr<Stream> stream) override;

 private:
  using Octets = std::vector<uint8_t>;
  struct Server {
    size_t machine = 0;
    std::map<std::string, std::shared_ptr<const Zone>> zones{};
  };

  std::shared_ptr<const Zone> build(const TreeZone& zone) const;
  void put_delegation(Zone& into, const TreeZone& child) const;
  void put_glue(Zone& into, const TreeZone& parent, const Host& host) const;
  void serve_at(const TreeZone& zone, const std::shared_ptr<const Zone>& built);
  void allow_all();
  void allow(const TreeZone& zone);
  void check(const Endpoint& to, Bytes query);
  const Machine& machine_at(const Endpoint& at) const {
    return tree_.machines()[servers_.at(at.address).machine];
  }
  Duration delay(const Machine& machine) {
    return machine.delay + dice_.between(Duration(0), faults_.jitter);
  }

  void reply_to(PortId port, const Endpoint& server, const Octets& query);
  void send_back(PortId port, const Endpoint& server, const Octets& reply);
  // Nothing: it does not reply.
  Octets answer(const Endpoint& server, Bytes query, bool tcp);
  bool answer_ill(const Machine& machine, const MessageView& query, MessageWriter& out);
  void answer_well(const Server& server, const MessageView& query, MessageWriter& out);
  const Zone* zone_for(const Server& server, const Question& question) const;
  Octets stuffed(const Endpoint& at, const Zone& zone, Bytes reply, size_t limit);
  Task<void> serve(Endpoint at, std::unique_ptr<Stream> stream);

  Stage& stage_;
  const Tree& tree_;
  LinkFaults faults_;
  Dice dice_;
  SimNetwork network_;
  std::map<IpAddress, Server> servers_;
  std::map<IpAddress, std::set<std::string>> allowed_;  // apices
  Tally tally_;
};

}  // namespace peregrine::sim
