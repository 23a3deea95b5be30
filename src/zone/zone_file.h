// A zone made of what an administrator wrote: a master file, or records one by one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "zone/master_file.h"
#include "zone/zone.h"
#include "zone/zonemd.h"

namespace peregrine {

struct LoadedZone {
  std::shared_ptr<Zone> zone;     // meaningful only without faults
  std::vector<ZoneFault> faults;  // in order of lines
  ZonemdState zonemd = ZonemdState::absent;
};

// Of a file's text; `file` is its name, for messages. A ZONEMD that does not match is a fault.
LoadedZone load_zone(std::string_view text, const std::string& file, Dname apex);

// Why the zone does not take the record
std::expected<void, std::string> add_record(Zone& zone, const ZoneRecord& record);

// Gives the zone an SOA record where it has none, so that a denial says how long it holds: five minutes.
// Why it cannot
std::expected<void, std::string> complete_soa(Zone& zone);

}  // namespace peregrine
