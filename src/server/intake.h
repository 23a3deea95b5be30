// The first stage: is this a query that we answer by looking its name up, and if not, what does it get?
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/query.h"

namespace peregrine {

// A reply that needs no look-up.
struct Rejection {
  Rcode rcode;
  std::optional<Ede> ede;
  std::string_view ede_text;
};

enum class Intake : uint8_t {
  look_up,      // a plain query: query.fields and query.question are set
  reject,       // to be answered with `rejection`; query.fields are set
  minimal_any,  // qtype ANY: a small answer made here (RFC 8482 section 4.2)
  drop,         // silence: no query at all (RFC 1035 section 7.3; answering a response makes loops)
};

struct IntakeResult {
  Intake verdict;
  Rejection rejection{Rcode::noerror, {}, {}};
};

// `message` is what came from the client; `largest` is the most that we send over UDP (edns.udp_size).
IntakeResult take_in(Bytes message, Transport transport, uint16_t largest, Query& query);
// The same by a Message that owns its parts: the baseline of the flag zero_copy_parsing.
IntakeResult take_in_owning(Bytes message, Transport transport, uint16_t largest, Query& query);

}  // namespace peregrine
