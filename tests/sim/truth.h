// The zones of the simulated world. What is true is a function of the name, the type and the time, so that of
// any answer one can say whether, and when, it was right.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/siphash.h"
#include "wire/message_view.h"
#include "wire/message_writer.h"

namespace peregrine::sim {

struct TrueRecord {
  DnameBuf owner;
  Type type;
  uint32_t ttl;
  std::vector<uint8_t> rdata;  // uncompressed, in canonical form
};

struct TrueAnswer {
  Rcode rcode = Rcode::noerror;
  bool bogus = false;              // validating servers answer SERVFAIL unless CD is set
  std::vector<TrueRecord> answer;  // the CNAME chain, then the RRset
  std::optional<TrueRecord> soa;   // where there is no RRset
  std::vector<TrueRecord> answer_signatures;
  std::optional<TrueRecord> soa_signature;

  // What stands in the answer or the authority section.
  std::vector<TrueRecord> section(Section section, bool with_signatures) const;
};

class Truth {
 public:
  Truth(uint64_t seed, unsigned names) : key_{seed, 0x7472757468}, names_(names) {}

  unsigned names() const { return names_; }
  DnameBuf name(unsigned rank) const;  // below sim., every third one below b.sim.
  TrueAnswer at(Dname qname, Type qtype, Instant when) const;

  // Instants between `from` and `to` (included) at which all that was true in between was true.
  static std::vector<Instant> moments(Instant from, Instant to);
  uint32_t negative_ttl() const;  // the lesser of the SOA's TTL and MINIMUM

 private:
  enum class Kind : uint8_t { plain, big, alias, absent, empty };
  uint64_t draw(Dname name, uint32_t what, uint64_t salt = 0) const;
  std::optional<unsigned> rank_of(Dname name) const;
  Kind kind_of(Dname name, Instant when) const;
  uint64_t epoch_of(Dname name, Instant when) const;
  bool is_bogus(Dname name) const;
  uint32_t ttl_of(Dname name, Type type) const;
  DnameBuf target_of_alias(Dname name, unsigned rank) const;
  std::vector<std::vector<uint8_t>> rdata_of(Dname name, Type type, Kind kind, Instant when) const;
  std::vector<uint8_t> text_of(Dname name, Kind kind, uint64_t epoch) const;
  void sign(TrueAnswer& truth) const;
  TrueRecord signature_of(const TrueRecord& rr) const;
  uint32_t minimum() const;
  TrueRecord soa() const;

  HashKey key_;
  unsigned names_;
};

// Whether the two say the same but for order, letter case and TTLs.
bool says(const MessageView& reply, const TrueAnswer& truth, bool with_signatures);

}  // namespace peregrine::sim
