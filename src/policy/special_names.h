// Names that are answered here and never asked upstream: RFC 6761, 6303, 7686, 7793, 8375, 9462.
#pragma once

#include <cstdint>

#include "wire/message_view.h"
#include "wire/message_writer.h"

namespace peregrine {

enum class SpecialKind : uint8_t {
  loopback,  // localhost and all below: the loopback addresses (RFC 6761 section 6.3)
  absent,    // nothing exists there: NXDOMAIN, at the apex too (invalid, test, onion)
  empty,     // a zone with an SOA and an NS and nothing below (RFC 6303 section 3)
  probed,    // the same, but names below have no data instead of not being there (RFC 9462 section 6.4)
};

struct SpecialZone {
  DnameBuf apex;  // in small letters
  SpecialKind kind;
  DnameBuf
      localhost;  // the one name below an empty zone that has a PTR to localhost; the root: there is none
};

// The special zone that answers the question, or nullptr. A DS record at the apex of an empty zone is its
// parent's to give or to deny, with proof (RFC 8375 section 4): that question is not special. No allocation;
// the work does not grow with the name's labels. Thread-safe.
const SpecialZone* find_special_zone(Dname qname, Type qtype);

// Writes the question and the answer, and in the header the rcode and AA, as we are the authority (RFC 1035
// section 4.1.1). False where the writer has no room.
bool write_special_answer(const SpecialZone& zone, const Question& question, MessageWriter& out);

}  // namespace peregrine
