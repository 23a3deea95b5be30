// Why a running server answers a question as it does.
#pragma once

#include "admin/commands.h"

namespace peregrine {

// {"command":"explain","name":...}, and "type" (A), "worker" (0), "dnssec", "fresh": one of the workers
// answers it, within resolver.timeout. The reply is that of trace_report.h with "worker".
void explain(Server& server, const nlohmann::json& request, const ControlReply& reply);

}  // namespace peregrine
