// What is asked of a resolver and what it gives back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/buffer_pool.h"
#include "base/clock.h"
#include "base/ip.h"
#include "wire/dname.h"
#include "wire/types.h"

namespace peregrine {

// Everything that decides what is sent upstream; clients that ask the same share one resolution.
struct ResolveRequest {
  DnameBuf qname;  // any letter case
  Type qtype = Type::a;
  Class qclass = Class::in;
  bool dnssec_ok = false;
  bool checking_disabled = false;
};

struct Resolution {
  // A whole message: the question and the sections that answer it, owners in the answer section within the
  // chain from the qname, no OPT. Empty when nothing could be found out: then rcode is SERVFAIL and ede says
  // why.
  Buffer message;
  Rcode rcode = Rcode::servfail;
  std::optional<Ede> ede;
  std::string ede_text;            // for people; "" or a few words
  std::optional<Endpoint> server;  // who answered
  unsigned upstream_packets = 0;
  bool used_local_zone = false;  // not to be cached: a reload may change what it says
};

}  // namespace peregrine
