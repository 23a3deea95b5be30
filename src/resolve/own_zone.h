// What a zone that is at hand says, as if one of its servers had been asked: a zone of one's own, or the root
// zone (RFC 8806).
#pragma once

#include "resolve/reading.h"
#include "zone/zone.h"

namespace peregrine {

// Of a name that the zone holds; a referral has its delegation. no_space: `scratch`, which the message is
// made in, or a message of any size is too small
Result<Reading> read_own_zone(const Zone& zone, Dname name, Type type, MutableBytes scratch);

// The servers that the zone names for `cut`, with the addresses that it has of them.
Delegation delegation_in(const Zone& zone, Dname cut);

}  // namespace peregrine
