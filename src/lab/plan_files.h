// A plan as files, for other servers and for scripts.
#pragma once

#include <string>

#include "lab/plan.h"

namespace peregrine {

// Into `folder`, which is made if it is not there: a master file for each zone (RFC 1035 section 5),
// `root.hints`, and `plan.json` with zones, servers and `port`, which these serve on. Throws
// std::runtime_error, naming the file.
void write_plan(const InternetPlan& plan, uint16_t port, const std::string& folder);
std::string plan_as_json(const InternetPlan& plan, uint16_t port);
std::string master_file(const PlannedZone& zone);
std::string file_name(const PlannedZone& zone);  // "example.zone"; "root.zone" of the root

}  // namespace peregrine
