// The steps of a resolution as JSON, for machines and for what makes text of it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>

#include "server/explanation.h"

namespace peregrine {

// The steps that none is above, each:
//   kind ("quest", "cached", "zone", "query", "remark"), at_ms since the beginning, outcome (words, maybe
//   none), steps (those below it) name, but for a remark; type, but for a zone and a remark server, transport
//   ("udp", "tcp"), rtt_ms (null: no reply) of a query
nlohmann::json report_steps(std::span<const TraceStep> steps);

// {"ok": true,
//  "question": {"name", "type", "dnssec"}, "fresh",
//  "answered_by": {"by": "refusal" | "minimal_any" | "cache" | "special_name" | "local" | "forward" | "stub"
//  | "root" |
//                  "nobody", "zone" (special_name, local, forward, stub), "servers" (forward, stub), "first"
//                  (forward), "age_s", "ttl_s" (cache)},
//  "took_ms", "steps",
//  "result": {"rcode", "server" (who answered last, or null), "packets" (sent for it),
//             "extended_error": null or {"code", "name", "text"},
//             "answer", "authority": [{"name", "ttl", "class", "type", "data"}]}}
nlohmann::json report_explanation(const ExplainRequest& request, const Explanation& explanation);

}  // namespace peregrine
