// A zone and how an authoritative server answers from it (RFC 1034 section 4.3.2). Immutable once built;
// any number of threads may read.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/dname.h"
#include "wire/message_writer.h"
#include "wire/types.h"

namespace peregrine {

class Zone {
 public:
  explicit Zone(Dname apex) : apex_(apex) {}

  // Where records are kept that the zone must not have: not_found: the owner is outside of the zone;
  // bad_rdata: a CNAME beside other data, or two of them (RFC 1034 section 3.6.2), or two SOAs; limit: an
  // RRset that no message holds
  Result<> add(Dname owner, Type type, uint32_t ttl, Bytes rdata);
  // "owner TTL type rdata" on one line, names relative to the apex. bad_text, and as above
  Result<> add_line(std::string_view line);

  Dname apex() const { return apex_; }
  bool holds(Dname name) const { return name.is_at_or_below(apex_); }

  enum class Outcome : uint8_t {
    answered,  // with all that there is
    alias,     // with the aliases that lead out of the zone, or below one of its delegations
    referral,  // to the servers of a delegation
    outside,   // the zone does not hold the name
    overflow,  // it did not fit; what is there is of no use
  };
  // Writes answer, authority and additional records, the rcode and AA for a question whose name the zone
  // holds; the question has been written. `dnssec_ok`: with signatures and the NSEC records that prove a
  // denial, where the zone has them.
  Outcome answer(const Question& question, bool dnssec_ok, MessageWriter& out) const;

  // The records of an RRset, uncompressed, whatever delegations are above it.
  std::span<const std::vector<uint8_t>> records(Dname owner, Type type) const;
  std::vector<DnameBuf> delegations() const;  // the names below the apex that have NS records
  bool operator==(const Zone& other) const = default;

 private:
  struct Set {
    Type type;
    uint32_t ttl;
    std::vector<std::vector<uint8_t>> records;
    std::vector<std::vector<uint8_t>> signatures;
    bool operator==(const Set&) const = default;
  };
  struct Node {
    std::vector<Set> sets;
    const Set* find(Type type) const;  // with records: signatures alone are no data
    bool operator==(const Node&) const = default;
  };
  struct ByOrder {
    bool operator()(const DnameBuf& a, const DnameBuf& b) const { return canonical_compare(a, b) < 0; }
  };
  class Answer;

  Set& set_of(Node& node, Type type, uint32_t ttl);
  const Node* find(Dname name) const;
  bool exists(Dname name) const;  // it has records, or a name below it has
  // The delegation at or above the name, below the apex.
  std::optional<Dname> cut(Dname name, bool at_name) const;
  using Nodes = std::map<DnameBuf, Node, ByOrder>;
  // The owner of the NSEC record at the name or the next before it.
  Nodes::const_iterator covering(Dname name) const;

  DnameBuf apex_;
  Nodes nodes_;
};

}  // namespace peregrine
