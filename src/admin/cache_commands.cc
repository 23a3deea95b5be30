#include "admin/cache_commands.h"

#include <expected>
#include <nlohmann/json.hpp>

#include "admin/cache_reports.h"
#include "base/log.h"
#include "cache/flush.h"
#include "cache/key.h"

namespace peregrine {
namespace {

using nlohmann::json;

constexpr size_t part_size = 64 * 1024;  // octets of a dump that are sent together

json refusal(std::string why) { return {{"ok", false}, {"error", std::move(why)}}; }

// The name that a request gives under `key`, or one line about what is wrong with it.
std::expected<DnameBuf, std::string> name_in(const json& request, const char* key) {
  const auto value = request.find(key);
  if (value == request.end() || !value->is_string())
    return std::unexpected(std::string("the request has no \"") + key + "\" that is a domain name");
  const auto name = DnameBuf::from_text(value->get_ref<const std::string&>());
  if (!name) return std::unexpected(std::string("\"") + key + "\" is not a domain name");
  return *name;
}

// Writes the entries at or below `zone` as parts of the reply, some at a time.
class Dump {
 public:
  Dump(const DnameBuf& zone, const ControlReply& reply) : zone_(zone), reply_(reply) {}

  // How many entries those were.
  uint64_t run(AnyStore& store) {
    store.scan([this](const StoredEntry& entry) {
      if (!gone_) add(entry);  // a scan cannot be ended
      return ScanAction::keep;
    });
    flush();
    return entries_;
  }

 private:
  void add(const StoredEntry& entry) {
    const auto key = KeyParts::read(entry.key.octets);
    if (!key || !key->owner.is_at_or_below(zone_)) return;
    const json report = report_entry(entry, clock_.wall());
    if (report.is_null()) return;
    ++entries_;
    lines_ += report.dump();
    lines_ += '\n';
    if (lines_.size() >= part_size) flush();
  }
  void flush() {
    if (lines_.empty() || gone_) return;
    gone_ = !reply_.part(std::exchange(lines_, {}));
    clock_.tick();
  }

  DnameBuf zone_;
  const ControlReply& reply_;
  SystemClock clock_;
  std::string lines_;
  uint64_t entries_ = 0;
  bool gone_ = false;
};

}  // namespace

void cache_stats(Server& server, const json&, const ControlReply& reply) {
  const ServerStatus status = server.status();
  const auto count = [&](Counter counter) { return status.counters[static_cast<size_t>(counter)]; };
  server.run_in_background(
      [&server, reply, hits = count(Counter::cache_hits), misses = count(Counter::cache_misses)] {
        CacheCensus census(SystemClock().wall());
        server.cache().scan([&](const StoredEntry& entry) {
          census.add(entry);
          return ScanAction::keep;
        });
        reply({{"ok", true},
               {"hits", hits},
               {"misses", misses},
               {"store", report_store(server.cache().stats())},
               {"census", census.report()}});
      });
}

void cache_dump(Server& server, const json& request, const ControlReply& reply) {
  DnameBuf zone;
  if (request.contains("zone")) {
    auto given = name_in(request, "zone");
    if (!given) return reply(refusal(std::move(given.error())));
    zone = *given;
  }
  // Who asked may be slow to take it: nothing else may wait behind that.
  const bool begun = server.inspect([&server, reply, zone] {
    const uint64_t entries = Dump(zone, reply).run(server.cache());
    return [reply, entries] { reply({{"ok", true}, {"entries", entries}}); };
  });
  if (!begun) reply(refusal("another dump of the cache is under way; try again"));
}

void cache_flush(Server& server, const json& request, const ControlReply& reply) {
  const auto name = name_in(request, "name");
  if (!name) return reply(refusal(name.error()));
  const auto below = request.find("below");
  if (below != request.end() && !below->is_boolean())
    return reply(refusal("\"below\" is neither true nor false"));
  const FlushTarget target{.name = *name, .below = below != request.end() && below->get<bool>()};
  server.run_in_background([&server, reply, target] {
    server.prepare_flush();
    const FlushReport report = flush(server.cache(), server.flushes(), target);
    log_info("flushed " + target.name.to_string() + (target.below ? " and all below" : "") +
             " from the cache: " + std::to_string(report.removed) + " entries");
    server.settle_flush([reply, target, report] {
      reply({{"ok", true},
             {"name", target.name.to_string()},
             {"below", target.below},
             {"removed", report.removed}});
    });
  });
}

}  // namespace peregrine
