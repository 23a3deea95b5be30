
#include "config/key_table.h"
#include "config/value_readers.h"

namespace peregrine {
namespace {

// One [[forward]] or [[stub]] table.
class ZoneTable {
 public:
  ZoneTable(std::string_view key, Place place, Loading& loading)
      : key_(key), place_(place), loading_(loading) {}

  using Zone = ForwardZone;
  std::optional<Zone> take(const TomlTable& table) {
    for (const TomlMember& member : table) take_member(member);
    if (!has_zone_) complain(place_, key_ + " has no zone");
    if (!has_servers_) complain(place_, key_ + " has no servers");
    if (!good_) return std::nullopt;
    return std::move(forward_);
  }

 private:
  void take_member(const TomlMember& member) {
    if (member.key == "zone") return take_zone(member.value);
    if (member.key == "servers") return take_servers(member.value);
    if (member.key == "first" && find_row(key_ + "[].first")) return take_first(member.value);
    complain(member.place, unknown_key(loading_, key_ + "[]." + key_part(member.key)));
  }

  void take_zone(const TomlValue& value) {
    has_zone_ = true;
    const auto zone = ReadZone{}(value);
    if (!zone) return complain(value.place, must_be(loading_, row("[].zone"), value));
    forward_.zone = *zone;
  }

  void take_first(const TomlValue& value) {
    const auto first = ReadBoolean{}(value);
    if (!first) return complain(value.place, must_be(loading_, row("[].first"), value));
    forward_.first = *first;
  }

  void take_servers(const TomlValue& value) {
    has_servers_ = true;
    const auto* list = value.get<TomlList>();
    if (list == nullptr) return complain(value.place, must_be(loading_, row("[].servers"), value));
    if (list->empty()) return complain(value.place, key_ + " has no servers");
    for (const TomlValue& element : *list) {
      if (const auto server = ReadServer{}(element)) {
        forward_.servers.push_back(*server);
      } else {
        complain(element.place, bad_element(loading_, row("[].servers"), element));
      }
    }
  }

  const KeyRow& row(std::string_view member) const { return find_row(key_ + std::string(member))->doc; }

  void complain(Place place, std::string message) {
    good_ = false;
    loading_.complain(place, std::move(message));
  }

  std::string key_;
  Place place_;
  Loading& loading_;
  ForwardZone forward_;
  bool has_zone_ = false, has_servers_ = false, good_ = true;
};

// One [[local]] table.
class LocalTable {
 public:
  LocalTable(std::string_view key, Place place, Loading& loading)
      : key_(key), place_(place), loading_(loading) {
    local_.at = written(place);
  }

  using Zone = LocalZone;
  std::optional<Zone> take(const TomlTable& table) {
    for (const TomlMember& member : table) take_member(member);
    if (!has_zone_) complain(place_, key_ + " has no zone");
    if (!has_records_ && !has_file_) complain(place_, key_ + " has neither records nor a file");
    if (has_records_ && has_file_) complain(place_, key_ + " has both records and a file; put all in one");
    if (!good_) return std::nullopt;
    return std::move(local_);
  }

 private:
  void take_member(const TomlMember& member) {
    if (member.key == "zone") return take_zone(member.value);
    if (member.key == "records") return take_records(member.value);
    if (member.key == "file") return take_file(member.value);
    complain(member.place, unknown_key(loading_, key_ + "[]." + key_part(member.key)));
  }

  void take_zone(const TomlValue& value) {
    has_zone_ = true;
    const auto zone = ReadZone{}(value);
    if (!zone) return complain(value.place, must_be(loading_, row("[].zone"), value));
    local_.zone = *zone;
  }

  void take_records(const TomlValue& value) {
    has_records_ = true;
    const auto* list = value.get<TomlList>();
    if (list == nullptr) return complain(value.place, must_be(loading_, row("[].records"), value));
    if (list->empty()) return complain(value.place, key_ + " has no records");
    for (const TomlValue& element : *list) {
      if (const auto* text = element.get<std::string>()) {
        local_.records.push_back({*text, written(element.place)});
      } else {
        complain(element.place, bad_element(loading_, row("[].records"), element));
      }
    }
  }

  void take_file(const TomlValue& value) {
    has_file_ = true;
    const auto path = ReadPath{}(value);
    if (!path || path->empty()) return complain(value.place, must_be(loading_, row("[].file"), value));
    local_.file = *path;
  }

  Written written(Place place) const {
    if (loading_.origin != Origin::file) place = {};
    return {std::string(loading_.source), place.line, place.column};
  }
  const KeyRow& row(std::string_view member) const { return find_row(key_ + std::string(member))->doc; }

  void complain(Place place, std::string message) {
    good_ = false;
    loading_.complain(place, std::move(message));
  }

  std::string key_;
  Place place_;
  Loading& loading_;
  LocalZone local_;
  bool has_zone_ = false, has_records_ = false, has_file_ = false, good_ = true;
};

template <class Table>
bool take_zones(const Row& row, const TomlValue& value, Loading& loading,
                std::vector<typename Table::Zone>& zones) {
  const auto* list = value.get<TomlList>();
  if (list == nullptr) {
    loading.complain(value.place, must_be(loading, row.doc, value));
    return false;
  }
  zones.clear();
  bool good = true;
  for (const TomlValue& element : *list) {
    const auto* table = element.get<TomlTable>();
    if (table == nullptr) {
      loading.complain(element.place, bad_element(loading, row.doc, element));
      good = false;
      continue;
    }
    if (auto zone = Table(row.doc.key, element.place, loading).take(*table)) {
      zones.push_back(*std::move(zone));
    } else {
      good = false;
    }
  }
  return good;
}

}  // namespace

bool take_forward(const Row& row, const TomlValue& value, Loading& loading) {
  return take_zones<ZoneTable>(row, value, loading, loading.config.forward);
}

bool take_stub(const Row& row, const TomlValue& value, Loading& loading) {
  return take_zones<ZoneTable>(row, value, loading, loading.config.stub);
}

bool take_local(const Row& row, const TomlValue& value, Loading& loading) {
  return take_zones<LocalTable>(row, value, loading, loading.config.local);
}

}  // namespace peregrine
