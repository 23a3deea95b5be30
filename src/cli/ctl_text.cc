#include "cli/ctl_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "cli/text.h"

namespace peregrine {
namespace {

using nlohmann::json;
using Rows = std::vector<std::vector<std::string>>;

std::string text_of(const json& object, const char* key) {
  return safe_for_terminal(object.at(key).get_ref<const std::string&>());
}

std::string percent(uint64_t part, uint64_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.1f} %", 100 * static_cast<double>(part) / static_cast<double>(whole));
}

// A row for each element, the first one with the title.
void add_list(Rows& rows, const std::string& title, const std::vector<std::string>& values) {
  for (size_t i = 0; i < values.size(); ++i) rows.push_back({i == 0 ? title : "", values[i]});
  if (values.empty()) rows.push_back({title, "none"});
}

std::vector<std::string> listening_lines(const json& reply) {
  std::vector<std::string> lines;
  for (const json& url : reply.at("listening"))
    lines.push_back(safe_for_terminal(url.get_ref<const std::string&>()));
  return lines;
}

std::vector<std::string> forwarding_lines(const json& reply) {
  std::vector<std::string> lines;
  for (const json& zone : reply.at("forwarding")) {
    std::string line = text_of(zone, "zone") + " to";
    for (const json& server : zone.at("servers")) {
      line += " " + safe_for_terminal(server.get_ref<const std::string&>());
    }
    lines.push_back(line);
  }
  return lines;
}

std::string resolved_text(const json& resolved) {
  const auto p50 = resolved.at("p50_ms").get<double>(), p99 = resolved.at("p99_ms").get<double>();
  if (p99 <= 0) return "-";
  return fmt::format("{} (p50), {} (p99)", milliseconds_text(p50), milliseconds_text(p99));
}

std::string cache_file_text(const json& file) {
  const auto count = [&](const char* name) { return file.at(name).get<uint64_t>(); };
  if (file.value("loading", false)) return fmt::format("being loaded: {} entries so far", count("loaded"));
  return fmt::format("{}; at the start {} loaded in {}, {} and {} left out",
                     file.at("writing").get<bool>() ? "written to" : "given up, see the log", count("loaded"),
                     milliseconds_text(file.at("load_ms").get<double>()),
                     count_text(count("dropped_segments"), "damaged segment"),
                     count_text(count("malformed"), "malformed one"));
}

void add_traffic(Rows& rows, const json& reply) {
  const json& counters = reply.at("counters");
  const auto count = [&](const char* name) { return counters.at(name).get<uint64_t>(); };
  const json& cache = reply.at("cache");
  const auto used = cache.at("octets").get<uint64_t>(), size = cache.at("capacity").get<uint64_t>();
  const uint64_t hits = count("cache_hits"), misses = count("cache_misses");

  rows.push_back({"queries", fmt::format("{} over UDP, {} over TCP; {} refused by access.allow, {} dropped",
                                         count("udp_queries"), count("tcp_queries"), count("refused_acl"),
                                         count("dropped_malformed"))});
  rows.push_back(
      {"cache hits", fmt::format("{} ({} of {})", percent(hits, hits + misses), hits, hits + misses)});
  rows.push_back({"cache use",
                  fmt::format("{} of {} ({}), {}", octets_text(used), octets_text(size), percent(used, size),
                              count_text(cache.at("entries").get<uint64_t>(), "answer"))});
  if (const auto file = reply.find("cache_file"); file != reply.end() && !file->is_null())
    rows.push_back({"cache file", cache_file_text(*file)});
  rows.push_back({"resolved in", resolved_text(reply.at("resolved"))});
  rows.push_back(
      {"upstream", fmt::format("{}; {} without a reply in time, {} failed; {} answered SERVFAIL",
                               count_text(count("upstream_queries"), "packet"), count("upstream_timeouts"),
                               count("upstream_errors"), count("servfail"))});
}

}  // namespace

std::string status_text(const json& reply) {
  Rows rows;
  rows.push_back({"Peregrine", fmt::format("{}, pid {}, profile {}", text_of(reply, "version"),
                                           reply.at("pid").get<uint64_t>(), text_of(reply, "profile"))});
  rows.push_back(
      {"up", fmt::format("{}; {}; configuration {}", uptime_text(reply.at("uptime_s").get<double>()),
                         count_text(reply.at("workers").get<uint64_t>(), "worker"),
                         reply.at("generation").get<uint64_t>())});
  add_list(rows, "listening", listening_lines(reply));
  add_list(rows, "forwarding", forwarding_lines(reply));
  add_traffic(rows, reply);
  return table_text(rows);
}

std::string flags_text(const json& reply) {
  Rows rows{{"FLAG", "VALUE", "FROM", "CHANGES", "AVAILABLE"}};
  for (const json& flag : reply.at("flags")) {
    const std::string why_not = text_of(flag, "unavailable");
    const bool wanted = flag.at("wanted").get<bool>();
    rows.push_back({text_of(flag, "name"), flag.at("on").get<bool>() ? "on" : "off", text_of(flag, "origin"),
                    text_of(flag, "scope") == "live" ? "live" : "restart",
                    why_not.empty() ? "yes" : why_not + (wanted ? " (wanted on)" : "")});
  }
  return table_text(rows);
}

std::string upstreams_text(const json& reply) {
  Rows rows{{"SERVER", "WORKER", "ROUND TRIP", "TIMEOUT", "FAILURES", "STATE"}};
  for (const json& upstream : reply.at("upstreams")) {
    const auto srtt = upstream.at("srtt_ms").get<double>();
    const bool resting = upstream.at("resting").get<bool>();
    const auto failures = upstream.at("failures").get<uint64_t>(),
               useless = upstream.at("useless").get<uint64_t>();
    const char* state = resting ? "resting" : failures != 0 ? "failing" : useless != 0 ? "no help" : "good";
    rows.push_back({text_of(upstream, "server"), std::to_string(upstream.at("worker").get<uint64_t>()),
                    srtt > 0 ? milliseconds_text(srtt) : "-",
                    milliseconds_text(upstream.at("timeout_ms").get<double>()), std::to_string(failures),
                    state});
  }
  return rows.size() > 1 ? table_text(rows) : "no server has been asked yet\n";
}

std::string reload_text(const json& reply) {
  std::string text = "reloaded\n";
  for (const json& key : reply.at("need_restart")) {
    text += safe_for_terminal(key.get_ref<const std::string&>()) + " waits for a restart\n";
  }
  return text;
}

}  // namespace peregrine
