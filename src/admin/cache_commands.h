// Commands about a running server's cache.
#pragma once

#include "admin/commands.h"

namespace peregrine {

// {"command":"cache-stats"}: figures of the store and sums over all entries, in the background.
void cache_stats(Server& server, const nlohmann::json& request, const ControlReply& reply);
// {"command":"cache-dump"}, and "zone" for those at or below a name: a part for each entry, then how many.
void cache_dump(Server& server, const nlohmann::json& request, const ControlReply& reply);
// {"command":"cache-flush","name":...}, and "below":true for all below the name, too: in the background.
void cache_flush(Server& server, const nlohmann::json& request, const ControlReply& reply);

}  // namespace peregrine
