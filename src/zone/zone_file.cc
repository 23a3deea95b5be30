#include "zone/zone_file.h"

namespace peregrine {

std::expected<void, std::string> add_record(Zone& zone, const ZoneRecord& record) {
  const auto added = zone.add(record.owner, record.type, record.ttl, record.rdata);
  if (added) return {};
  const std::string owner = record.owner.to_string();
  switch (added.error()) {
    case Error::not_found:
      return std::unexpected(owner + " is not in the zone " + zone.apex().to_string());
    case Error::limit:
      return std::unexpected(owner + " has more " + to_string(record.type) + " records than a message holds");
    default:
      return std::unexpected(record.type == Type::soa
                                 ? owner + " has two SOA records"
                                 : owner + " has a CNAME beside another record, or two of them");
  }
}

LoadedZone load_zone(std::string_view text, const std::string& file, Dname apex) {
  LoadedZone loaded{.zone = std::make_shared<Zone>(apex), .faults = {}};
  std::vector<ZoneRecord> records;
  loaded.faults = read_master_file(text, file, apex, [&](ZoneRecord record) {
    const auto added = add_record(*loaded.zone, record);
    if (added) records.push_back(std::move(record));
    return added;
  });
  if (!loaded.faults.empty()) return loaded;
  if (records.empty()) {
    loaded.faults.push_back({file, 0, "there is no record in it"});
    return loaded;
  }
  const auto checked = check_zonemd(apex, records);
  if (checked) {
    loaded.zonemd = *checked;
  } else {
    loaded.faults.push_back({file, 0, checked.error()});
  }
  return loaded;
}

std::expected<void, std::string> complete_soa(Zone& zone) {
  if (!zone.records(zone.apex(), Type::soa).empty()) return {};
  if (zone.add_line("@ 300 SOA localhost. nobody.invalid. 1 3600 1200 604800 300")) return {};
  return std::unexpected("the zone " + zone.apex().to_string() +
                         " has a CNAME at its apex, where its SOA must be");
}

}  // namespace peregrine
