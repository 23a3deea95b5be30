// Message digests for zones: RFC 8976, with the SIMPLE scheme and SHA-384 or SHA-512.
#pragma once

#include <expected>
#include <span>
#include <string>

#include "zone/master_file.h"

namespace peregrine {

enum class ZonemdState : uint8_t {
  absent,       // the apex has no ZONEMD record
  unsupported,  // none of a scheme and an algorithm that is known here
  verified,     // one of them is right
};

// Whether the zone is what its ZONEMD records say (section 4, without DNSSEC). What is wrong, where it is
// not, or where it has a ZONEMD but no SOA. Makes the records canonical and sorts them.
std::expected<ZonemdState, std::string> check_zonemd(Dname apex, std::span<ZoneRecord> records);

}  // namespace peregrine
