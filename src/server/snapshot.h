// What workers answer by: independent parts, each immutable and shared; a reload replaces parts, never
// changes one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>

#include "cache/answer.h"
#include "config/config.h"
#include "io/sessions.h"
#include "policy/access.h"
#include "resolve/forwarder.h"
#include "resolve/inflight.h"
#include "resolve/recursor.h"
#include "server/own_zones.h"
#include "server/query.h"
#include "server/sources.h"

namespace peregrine {

// What the configuration says, in the form in which the stages need it.
struct Settings {
  AccessList access;
  TtlLimits ttl;
  ForwarderOptions forwarder;
  InflightLimits inflight;
  SessionLimits sessions;
  uint16_t udp_size = 1232;
};

// Since which generation the names below each zone have been resolved as they are now: what was cached before
// came from others, and is not served. Immutable.
class ServedSince {
 public:
  // Everything since `generation`.
  ServedSince(const Sources& sources, uint32_t generation);
  // What differs between the sources since `generation`, the rest as in `before`.
  ServedSince(const ServedSince& before, const Sources& old_sources, const Sources& sources,
              uint32_t generation);
  uint32_t generation_of(Dname qname) const;

 private:
  std::map<DnameBuf, uint32_t, Sources::ByOrder> zones_;  // those that are named, and those that have gone
  uint32_t elsewhere_ = 0;                                // names in none of them
};

struct Snapshot {
  std::shared_ptr<const Settings> settings;
  std::shared_ptr<const ForwardTable> forward;
  std::shared_ptr<const RecursionTable> recursion;  // none: what no server is configured for fails
  // By what local zones are led on, where an alias leads out of them or a delegation down: the same table; or
  // one without a root, where there is no recursion.
  std::shared_ptr<const RecursionTable> own;
  std::shared_ptr<const Sources> sources;
  std::shared_ptr<const ServedSince> served_since;
  std::shared_ptr<const CookieSecrets> cookies{};  // none: the option is ignored
  uint32_t generation = 0;                         // rises with every change of any part
  // Rises with every change of what names are resolved by; that of blobs.
  uint32_t policy_generation = 0;
  uint16_t knowledge_realm = 0;  // of what was learned from the same servers, apart from what others said
};

// Makes the client's cookie, which fields.cookie is, that of the reply; takes it away where there are no
// secrets.
inline void answer_cookie(const Snapshot& snapshot, KnownCookies& known, Bytes client, WallTime now,
                          QueryFields& fields) {
  if (!snapshot.cookies) return static_cast<void>(fields.cookie.size = 0);
  known.answer(*snapshot.cookies, fields.cookie, client, now);
}

// `system_servers` serve "." where the configuration has no [[forward]] and no recursion.
Snapshot make_snapshot(const Config& config, std::span<const Endpoint> system_servers,
                       const OwnZones& own = {});
// The one that follows `before`.
Snapshot next_snapshot(const Snapshot& before, const Config& config, std::span<const Endpoint> system_servers,
                       const OwnZones& own = {});

// The nameservers of /etc/resolv.conf without those that are we ourselves, listening on `listen`. Empty if it
// cannot be read, or where recursion or a [[forward]] says that they are not wanted.
std::vector<Endpoint> system_servers(const Config& config, std::span<const ListenAddress> listen);

}  // namespace peregrine
