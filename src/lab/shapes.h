// The zones of the lab that have a name and a shape. docs/lab.md lists them.
#pragma once

#include "lab/plan_builder.h"

namespace peregrine {

// The root and the domains below it: example. (the shapes), lab. (the made-up zones), hosting. (zones whose
// names are those of servers) and six. (IPv6 only).
void add_top(PlanBuilder& plan);
void add_delegation_shapes(PlanBuilder& plan);  // where servers are, and how that is found out
void add_name_shapes(
    PlanBuilder& plan);  // what is in a zone: aliases, wildcards, empty non-terminals, odd names
void add_conduct_shapes(PlanBuilder& plan);  // servers that are lame, slow, lying, or of old software
// `count` zones z0.lab. and so on, each with delegation, data and now and then a fault drawn at random.
void add_made_up(PlanBuilder& plan, unsigned count);

}  // namespace peregrine
