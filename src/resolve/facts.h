// What is known of names, in octets of its own: it outlives the message or the cache entry that it came from.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ip.h"
#include "cache/rrset.h"
#include "wire/dname.h"
#include "wire/message_writer.h"
#include "wire/types.h"

namespace peregrine {

using Rdata = std::vector<uint8_t>;  // uncompressed

struct Rrset {
  DnameBuf owner;
  Type type = Type::a;
  uint32_t ttl = 0;
  Credibility credibility = Credibility::additional;
  bool synthesised = false;  // the CNAME that a DNAME stands for (RFC 6672 section 3.1)
  std::vector<Rdata> records;
  std::vector<Rdata> signatures;  // of RRSIGs that cover it
};

// Writes the records, and what signs them where that is wanted. False where it does not fit: what is there is
// of no use then.
enum class Signatures : uint8_t { without, with };
bool put(MessageWriter& writer, Section section, const Rrset& set, Signatures signatures);

// That a name does not exist, or no data of a type at it (RFC 2308).
struct Denial {
  bool of_name = false;        // NXDOMAIN: everything below does not exist either (RFC 8020)
  std::vector<Rrset> proof{};  // the SOA, if there was one, and what DNSSEC adds
};

struct NameServer {
  DnameBuf name;
  std::vector<IpAddress> addresses;  // glue; empty: to be looked up
  uint16_t port = 0;                 // 0: that of all authoritative servers
};

struct Delegation {
  DnameBuf zone;
  std::vector<NameServer> servers;
  bool configured = false;  // by hand: its servers may be anywhere
};

}  // namespace peregrine
