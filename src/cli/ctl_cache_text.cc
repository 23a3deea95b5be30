#include "cli/ctl_cache_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "cli/text.h"

namespace peregrine {
namespace {

using nlohmann::json;
using Rows = std::vector<std::vector<std::string>>;

std::string percent(uint64_t part, uint64_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.1f} %", 100 * static_cast<double>(part) / static_cast<double>(whole));
}

uint64_t number(const json& object, const char* key) { return object.at(key).get<uint64_t>(); }

std::string text_of(const json& object, const char* key) {
  return safe_for_terminal(object.at(key).get_ref<const std::string&>());
}

std::string entries_text(const json& census) {
  const json& views = census.at("views");
  const uint64_t entries = number(census, "entries");
  return fmt::format(
      "{}, {} of them expired; {}, {}, {}", entries, percent(number(census, "expired"), entries),
      count_text(number(views, "answer"), "answer"), count_text(number(views, "rrset"), "RRset"),
      count_text(number(views, "delegation"), "delegation"));
}

std::string octets_line(const json& store) {
  const uint64_t used = number(store, "octets"), capacity = number(store, "capacity");
  return fmt::format("{} of {} ({}): {} live, {} dead, {} index", octets_text(used), octets_text(capacity),
                     percent(used, capacity), octets_text(number(store, "octets_live")),
                     octets_text(number(store, "octets_dead")), octets_text(number(store, "octets_index")));
}

std::string evicted_text(const json& store) {
  return fmt::format("{} to make room, {} from a crowded index; {} expired; {} moved to keep them",
                     number(store, "evicted_cold"), number(store, "evicted_crowded"),
                     number(store, "expired"), number(store, "moved"));
}

std::string limit_text(const json& below) {
  if (below.is_null()) return "more";
  const auto seconds = below.get<uint64_t>();
  if (seconds < 3600) return fmt::format("below {} min", seconds / 60);
  return seconds < 86'400 ? fmt::format("below {} h", seconds / 3600)
                          : fmt::format("below {} d", seconds / 86'400);
}

Rows age_rows(const json& census) {
  Rows rows;
  const uint64_t entries = number(census, "entries");
  for (const json& age : census.at("ages")) {
    const uint64_t count = number(age, "entries");
    rows.push_back({rows.empty() ? "age" : "", limit_text(age.at("below_s")), std::to_string(count),
                    "(" + percent(count, entries) + ")"});
  }
  return rows;
}

std::string flags_text(const json& entry) {
  std::string flags;
  for (const json& flag : entry.value("flags", json::array())) {
    flags += (flags.empty() ? "" : ",") + safe_for_terminal(flag.get_ref<const std::string&>());
  }
  return flags.empty() ? "-" : flags;
}

constexpr const char* entry_form = "{:>8}  {:>8}  {:>7}  {:>4}  {:<10}  {:<8}  {:<10}  {}\n";

}  // namespace

std::string cache_stats_text(const json& reply) {
  const json& store = reply.at("store");
  const json& census = reply.at("census");
  const uint64_t hits = number(reply, "hits"), asked = hits + number(reply, "misses");
  const Rows rows{
      {"entries", entries_text(census)},
      {"octets", octets_line(store)},
      {"hits", fmt::format("{} ({} of {})", percent(hits, asked), hits, asked)},
      {"stored", fmt::format("{} new, {} replaced, {} refused; {} removed", number(store, "inserted"),
                             number(store, "replaced"), number(store, "refused"), number(store, "removed"))},
      {"evicted", evicted_text(store)}};
  Rows ages = age_rows(census);
  for (auto& row : ages) row[0].resize(std::string_view("entries").size(), ' ');
  return table_text(rows) + table_text(ages);
}

std::string cache_dump_heading() {
  return fmt::format(entry_form, "TTL", "AGE", "OCTETS", "FREQ", "VIEW", "FLAGS", "TYPE", "NAME");
}

std::string cache_entry_text(const json& entry) {
  const bool expired = entry.at("expired").get<bool>();
  const auto age = entry.at("age_s").get<int64_t>();
  std::string type = text_of(entry, "type");
  if (entry.contains("class")) type = text_of(entry, "class") + " " + type;
  return fmt::format(entry_form, expired ? "expired" : std::to_string(number(entry, "ttl_s")),
                     age < 0 ? "-" : std::to_string(age), number(entry, "octets"), number(entry, "frequency"),
                     text_of(entry, "view"), flags_text(entry), type, text_of(entry, "name"));
}

std::string cache_dump_text(const json& reply) {
  const uint64_t entries = number(reply, "entries");
  return entries == 1 ? "1 entry\n" : fmt::format("{} entries\n", entries);
}

std::string cache_flush_text(const json& reply) {
  const uint64_t removed = number(reply, "removed");
  return fmt::format("flushed {}{}: {}\n", text_of(reply, "name"),
                     reply.at("below").get<bool>() ? " and all below" : "",
                     removed == 1 ? "1 entry" : fmt::format("{} entries", removed));
}

}  // namespace peregrine
