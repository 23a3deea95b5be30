#include "lab/plan.h"

#include <algorithm>
#include <stdexcept>

#include "lab/shapes.h"

namespace peregrine {

std::span<const ConductRow> conduct_rows() {
  static constexpr std::array<ConductRow, 13> rows{{
      {"silent", &Conduct::silent},
      {"refuses", &Conduct::refuses},
      {"fails", &Conduct::fails},
      {"refers_up", &Conduct::refers_up},
      {"truncates", &Conduct::truncates},
      {"formerr_edns", &Conduct::formerr_edns},
      {"drops_edns", &Conduct::drops_edns},
      {"ignores_edns", &Conduct::ignores_edns},
      {"no_aa", &Conduct::no_aa},
      {"lies", &Conduct::lies},
      {"folds_case", &Conduct::folds_case},
      {"denies_ents", &Conduct::denies_ents},
      {"no_soa", &Conduct::no_soa},
  }};
  return rows;
}

Zone PlannedZone::build() const {
  const auto name = DnameBuf::from_text(apex);
  if (!name) throw std::invalid_argument("no name: " + apex);
  Zone zone(*name);
  for (const std::string& record : records) {
    if (const auto added = zone.add_line(record); !added)
      throw std::invalid_argument(apex + ": " + record + ": " + std::string(to_string(added.error())));
  }
  return zone;
}

std::vector<IpAddress> InternetPlan::roots() const {
  std::vector<IpAddress> addresses;
  const auto root = std::ranges::find(zones, ".", &PlannedZone::apex);
  if (root == zones.end()) return addresses;
  for (const size_t server : root->servers)
    addresses.insert(addresses.end(), servers[server].addresses.begin(), servers[server].addresses.end());
  return addresses;
}

std::array<Prefix, 2> lab_prefixes() {
  return {*Prefix::parse("198.18.0.0/15"), *Prefix::parse("fd6c:6162::/32")};
}

InternetPlan make_plan(const PlanOptions& options) {
  PlanBuilder builder(options);
  add_top(builder);
  add_delegation_shapes(builder);
  add_name_shapes(builder);
  add_conduct_shapes(builder);
  add_made_up(builder, options.made_up);
  return std::move(builder).finish();
}

}  // namespace peregrine
