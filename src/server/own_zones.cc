#include "server/own_zones.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "resolve/own_zone.h"
#include "zone/zone_file.h"

namespace peregrine {
namespace {

ConfigError error_at(const Written& at, std::string message) {
  return {.source = at.source, .line = at.line, .column = at.column, .message = std::move(message)};
}

ConfigError error_of(const ZoneFault& fault) {
  if (fault.line == 0) return {.source = "", .message = fault.to_string()};
  return {.source = fault.file, .line = fault.line, .column = 0, .message = fault.message};
}

class Loader {
 public:
  Loader(const Config& config, WallTime now) : config_(config), now_(now) {}

  OwnZones load() {
    for (const LocalZone& local : config_.local) take_local(local);
    if (!config_.recursion.root_hints.empty()) take_root_hints(config_.recursion.root_hints);
    if (!config_.recursion.local_root.empty()) take_local_root(config_.recursion.local_root);
    return std::move(made_);
  }

 private:
  void take_local(const LocalZone& local) {
    const auto zone = local.file.empty() ? from_records(local) : from_file(local);
    if (!zone) return;
    if (const auto completed = complete_soa(*zone); !completed)
      return made_.errors.push_back(error_at(local.at, completed.error()));
    made_.local.push_back(zone);
  }

  std::shared_ptr<Zone> from_records(const LocalZone& local) {
    auto zone = std::make_shared<Zone>(local.zone);
    const size_t errors = made_.errors.size();
    for (const LocalRecord& record : local.records) {
      const auto read = read_record(record.text, local.zone);
      const auto added = read ? add_record(*zone, *read) : std::unexpected(read.error());
      if (!added) made_.errors.push_back(error_at(record.at, "local[].records: " + added.error()));
    }
    return made_.errors.size() == errors ? zone : nullptr;
  }

  std::shared_ptr<Zone> from_file(const LocalZone& local) {
    const auto text = read_whole("local[].file", local.file);
    if (!text) return nullptr;
    LoadedZone loaded = load_zone(*text, local.file, local.zone);
    return take_faults(loaded) ? loaded.zone : nullptr;
  }

  void take_root_hints(const std::string& file) {
    const auto text = read_whole("recursion.root_hints", file);
    if (!text) return;
    const LoadedZone loaded = load_zone(*text, file, Dname());
    if (!take_faults(loaded)) return;
    Delegation hints = delegation_in(*loaded.zone, Dname());
    std::erase_if(hints.servers, [](const NameServer& server) { return server.addresses.empty(); });
    if (hints.servers.empty())
      return complain(file +
                      ": no server of the root with an address in it (NS records of \".\", A and AAAA)");
    made_.root_hints = std::move(hints);
  }

  void take_local_root(const std::string& file) {
    const auto text = read_whole("recursion.local_root", file);
    if (!text) return;
    const LoadedZone loaded = load_zone(*text, file, Dname());
    if (!take_faults(loaded)) return;
    const auto soa = loaded.zone->records(Dname(), Type::soa);
    if (soa.empty() || loaded.zone->records(Dname(), Type::ns).empty())
      return complain(file + ": no root zone: it has no SOA or no NS record of \".\"");
    if (loaded.zonemd != ZonemdState::verified)
      made_.warnings.push_back(file + " is taken as it is: it has no ZONEMD record that can be checked");
    const auto written = modified(file);
    made_.local_root_expires = written + expire_of(soa.front());
    if (made_.local_root_expires <= now_) {
      made_.warnings.push_back(
          file + " is older than its SOA allows, and is not used: the root's servers are asked");
      return;
    }
    made_.local_root = loaded.zone;
  }

  // RFC 1035 section 3.3.13: the last but one of the SOA's numbers.
  static std::chrono::seconds expire_of(const std::vector<uint8_t>& soa) {
    constexpr size_t at = 2 * sizeof(uint32_t);
    return std::chrono::seconds(soa.size() < at ? 0 : load_u32(soa.data() + soa.size() - at));
  }

  WallTime modified(const std::string& file) const {
    struct stat status{};
    if (stat(file.c_str(), &status) != 0) return now_;
    return WallTime(std::chrono::seconds(status.st_mtime));
  }

  std::optional<std::string> read_whole(std::string_view key, const std::string& file) {
    auto text = read_file(file, max_master_file + 1);
    if (text) return *std::move(text);
    complain(std::string(key) + ": cannot read " + file + ": " + std::strerror(text.error()));
    return std::nullopt;
  }

  bool take_faults(const LoadedZone& loaded) {
    for (const ZoneFault& fault : loaded.faults) made_.errors.push_back(error_of(fault));
    return loaded.faults.empty();
  }

  void complain(std::string message) {
    made_.errors.push_back({.source = "", .message = std::move(message)});
  }

  const Config& config_;
  WallTime now_;
  OwnZones made_;
};

}  // namespace

OwnZones load_own_zones(const Config& config, WallTime now) { return Loader(config, now).load(); }

}  // namespace peregrine
