// Resolution from the root, or from the nearest zone cut that is known, to the answer: RFC 1034 section
// 5.3.3. One thread.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "resolve/failures.h"
#include "resolve/forwarder.h"
#include "resolve/knowledge.h"
#include "resolve/minimiser.h"
#include "resolve/race.h"
#include "resolve/reading.h"
#include "resolve/resolution.h"
#include "resolve/talk.h"
#include "resolve/trace.h"
#include "zone/local_zones.h"

namespace peregrine {

// How a request is resolved.
struct RecursionOptions {
  Duration timeout = std::chrono::seconds(5);  // for a request in all
  unsigned max_packets = 100;                  // upstream packets for one request
  size_t max_octets = 512 * 1024;              // of replies to these
  unsigned max_lookups = 24;                   // of addresses of name servers, for one request
  unsigned max_depth = 6;                      // look-ups for the sake of look-ups
  unsigned max_aliases = 16;                   // steps of a chain of CNAMEs
  Minimisation minimisation = Minimisation::relaxed;
  bool randomise_case = true;
  uint16_t udp_size = 1232;
  uint16_t port = 53;          // of authoritative servers
  bool query_private = false;  // whether public zones may make us ask private addresses
  // Whether addresses of servers outside of the cut that they serve are looked up though they came with the
  // referral.
  bool verify_sibling_glue = false;
};

// Where names are looked for, and how. Immutable; shared by workers.
struct RecursionTable {
  Delegation root;                // hints
  std::vector<Delegation> stubs;  // zones whose servers are given, whatever their parents say
  RecursionOptions options;
  // Zones that answer for their names, whoever else would; what they delegate is among the stubs. Null: none.
  std::shared_ptr<const LocalZones> locals{};
  std::vector<IpAddress> own_addresses{};    // in order; not asked: a query there would go round
  std::shared_ptr<const Zone> local_root{};  // asked instead of the root's servers (RFC 8806); null: none
  WallTime local_root_expires{};             // these are asked from then on
  const Delegation* stub(Dname name) const;  // with the longest suffix of the name; null: none
};

// The forwarded zone that the name is in, unless it is in a stub that is as deep; null: it is to be resolved.
const ForwardTable::Zone* forward_of(Dname name, const ForwardTable& forwards, const RecursionTable& table);

class Recursor {
 public:
  Recursor(Talk::Tools tools, Knowledge& knowledge, Forwarder& forwarder);

  // Never fails otherwise than by SERVFAIL. The tables are kept until the task ends. Names below a zone of
  // `forwards` are asked of its servers. Every step goes to `trace`, which may be null.
  Task<Resolution> resolve(ResolveRequest request, std::shared_ptr<const RecursionTable> table,
                           std::shared_ptr<const ForwardTable> forwards, ForwarderOptions forwarding,
                           std::shared_ptr<Trace> trace = nullptr);
  // What can be answered from the cache alone, for who does not want recursion (RFC 1034 section 4.3.1).
  std::optional<Resolution> recall(const ResolveRequest& request, std::shared_ptr<const RecursionTable> table,
                                   std::shared_ptr<const ForwardTable> forwards);
  // Asks who serves the root now (RFC 9609), ahead of the first query. Whether anybody answered.
  Task<bool> prime(std::shared_ptr<const RecursionTable> table);

 private:
  friend class ZoneInquiry;

  // A client's request, and what may still be done for it.
  struct Job {
    std::shared_ptr<const RecursionTable> table;
    std::shared_ptr<const ForwardTable> forwards;
    ForwarderOptions forwarding;
    Budget budget;
    unsigned lookups = 0;              // of name servers' addresses, left
    uint64_t began = 0;                // the cache's generation
    unsigned cut_short = 0;            // how often a limit of the request kept something from being tried
    std::shared_ptr<Trace> trace{};    // may be null
    std::optional<Endpoint> server{};  // that answered last
    bool used_local_zone = false;
    const RecursionOptions& options() const { return table->options; }
    // The zone that was configured for the name, or the root: what others say of names above it is not asked.
    Dname configured_for(Dname name) const;
  };
  // What is being looked for, and for whose sake: a chain without cycles.
  struct Quest {
    DnameBuf name;
    Type type;
    unsigned depth = 0;
    std::shared_ptr<const Quest> for_the_sake_of{};
    TracePlace place{};
    bool is_the_clients = false;  // and not the target of an alias, which others may have good servers for
    bool is_sought(Dname sought, Type sought_type) const;
  };
  using Failure = ResolutionFailure;
  using Found = std::expected<Reading, Failure>;
  using JobPtr = std::shared_ptr<Job>;
  using QuestPtr = std::shared_ptr<const Quest>;

  JobPtr begin(std::shared_ptr<const RecursionTable> table);
  Task<Found> find(JobPtr job, QuestPtr quest);
  Task<Found> ask(JobPtr job, QuestPtr quest);
  std::optional<Found> from_local_zone(Job& job, const Quest& quest);
  std::optional<Reading> from_local_root(const Job& job, Dname name, Type type);
  std::optional<Reading> from_cache(const Job& job, const Quest& quest);
  std::optional<Reading> alias_from_cache(Dname name, Dname highest);
  Task<Found> forward(JobPtr job, QuestPtr quest);
  Task<Found> iterate(JobPtr job, QuestPtr quest);
  // The deepest zone at or above `name` whose servers are known.
  Task<Delegation> nearest(JobPtr job, QuestPtr quest, Dname name);
  Task<Delegation> root_servers(JobPtr job, QuestPtr quest);
  void learn(const Job& job, Dname zone, const Reading& reading, Type type);
  void learn(const Job& job, Dname zone, Dname name, Type type, const Denial& denial);
  Resolution compose(const ResolveRequest& request, const std::vector<Rrset>& chain, const Reading& last);

  Talk::Tools tools_;
  Knowledge& knowledge_;
  Forwarder& forwarder_;
  Failures failures_;
  Joint joint_;
  HedgeCredit hedges_;
  std::vector<uint8_t> scratch_;
  bool priming_ = false;
};

}  // namespace peregrine
