// A small Internet as a plan: its zones, its servers, what each serves and how it behaves. Made from one
// seed; the same options give the same plan. Addresses are local to a machine or a network namespace.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "zone/zone.h"

namespace peregrine {

// How a server strays from the protocol, and what its link does to its answers. All off: it is a good one.
struct Conduct {
  Duration delay{};  // of each answer
  double loss = 0;   // share of the datagrams that it never gets
  bool silent = false;
  bool refuses = false;       // REFUSED, as for a zone that it does not have (lame)
  bool fails = false;         // SERVFAIL
  bool refers_up = false;     // to the root, whatever is asked
  bool truncates = false;     // every answer over UDP
  bool formerr_edns = false;  // FORMERR for what has an OPT
  bool drops_edns = false;    // silence for what has an OPT
  bool ignores_edns = false;  // answers without an OPT
  bool no_aa = false;         // answers of its own zones without AA
  bool lies = false;          // adds records of other zones to what it says
  bool folds_case = false;    // the question comes back in lower case
  bool denies_ents = false;   // NXDOMAIN for a name that only has names below it
  bool no_soa = false;        // denials without the SOA record
  bool operator==(const Conduct&) const = default;
};

// The yes-or-no parts of a Conduct by name: for listings and files.
struct ConductRow {
  std::string_view name;
  bool Conduct::* part;
};
std::span<const ConductRow> conduct_rows();

struct PlannedServer {
  std::vector<IpAddress> addresses;
  Conduct conduct;
  std::vector<size_t> zones;  // their indices
};

struct PlannedZone {
  std::string apex;   // absolute
  std::string shape;  // what is interesting about it, in a line
  bool resolves = true;
  std::vector<std::string> records;  // each "owner TTL type rdata", names relative to the apex
  std::vector<size_t> servers;       // their indices
  Zone build() const;                // throws std::invalid_argument, naming the line that is no record
};

struct PlanOptions {
  uint64_t seed = 1;
  unsigned made_up = 40;  // zones below lab. besides those with a name and a shape; at most 10,000
  // Servers at 127.18.0.0/16 in place of 198.18.0.0/15: where only what is local anyway can be had.
  bool on_loopback = false;
  Duration delay{};  // added to every server's
  double loss = 0;   // the least that every server has
};

struct InternetPlan {
  uint64_t seed = 0;
  std::vector<PlannedServer> servers;
  std::vector<PlannedZone> zones;
  std::vector<IpAddress> roots() const;  // addresses of the root's servers
};

// The prefixes that hold all servers (198.18.0.0/15: RFC 2544; fd00::/8: RFC 4193).
std::array<Prefix, 2> lab_prefixes();
// The address that only lying servers name.
inline constexpr std::string_view lie = "203.0.113.66";

InternetPlan make_plan(const PlanOptions& options);

}  // namespace peregrine
