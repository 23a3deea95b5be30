#include "lab/shapes.h"

namespace peregrine {
namespace {

using Host = PlanBuilder::Host;

void add_www(PlanBuilder& plan, PlanBuilder::Draft& zone) {
  zone.add("www 300 A " + plan.v4()).add("www 300 AAAA " + plan.v6()).add("@ 300 MX 10 www");
}

PlanBuilder::Draft& with_www(PlanBuilder& plan, PlanBuilder::Draft& zone) {
  add_www(plan, zone);
  return zone;
}

// Servers whose names are elsewhere.
void add_without_glue(PlanBuilder& plan) {
  const size_t farm = plan.server(), one = plan.server(), two = plan.server();
  with_www(plan,
           plan.zone("farm.hosting.", "the names of servers of other zones", {{"ns.farm.hosting.", farm}}));
  with_www(plan, plan.zone("outside.example.", "servers named in a zone of another top-level domain",
                           {{"a.farm.hosting.", one}, {"b.farm.hosting.", two}}));
  with_www(plan, plan.zone("mixed.example.", "one server named below the zone, with glue, one elsewhere",
                           {{"ns.mixed.example.", one}, {"b.farm.hosting.", two}}));
  with_www(plan, plan.zone("sibling.example.", "a server named in a zone beside it, without glue",
                           {{"x.plain.example.", one}}));
  with_www(plan,
           plan.zone("glueless.example.", "a server named in a zone whose own server is named elsewhere",
                     {{"ns.outside.example.", two}}));
  with_www(plan, plan.zone("glueless2.example.", "the same once more: three zones to learn one address",
                           {{"ns.glueless.example.", one}}));
  with_www(plan,
           plan.zone("loop1.example.", "its server is named in loop2.example., whose server is named here",
                     {{"ns.loop2.example.", one}}))
      .broken();
  with_www(plan,
           plan.zone("loop2.example.", "its server is named in loop1.example., whose server is named here",
                     {{"ns.loop1.example.", two}}))
      .broken();
}

// Parents and children that say different things, or sit on one server.
void add_family(PlanBuilder& plan) {
  const size_t parent = plan.server(), child = plan.server();
  const size_t gone = plan.server({.refuses = true}), dead = plan.server({.silent = true});
  with_www(plan,
           plan.zone_at("stale.example.", "the parent still names a server that refuses the zone", {parent}))
      .parent_hosts.push_back({"old.stale.example.", gone});
  with_www(plan, plan.zone_at("newer.example.", "the zone names a server that the parent does not",
                              {parent, child}))
      .parent_hosts.pop_back();
  with_www(plan,
           plan.zone_at("moved.example.", "zone and parent name different servers; both answer", {child}))
      .parent_hosts = {{"before.moved.example.", parent}};
  with_www(plan, plan.zone_at("family.example.", "a zone and its child on one server", {parent}));
  with_www(plan, plan.zone_at("child.family.example.", "the child", {parent}));
  with_www(plan,
           plan.zone_at("grand.child.family.example.", "the child's child, on another server", {child}));
  with_www(plan, plan.zone_at("deep.example.", "delegates a name three labels down", {parent}));
  with_www(plan, plan.zone_at("a.b.c.deep.example.", "a zone below names without records", {child}));
  with_www(plan, plan.zone_at("many.example.", "thirteen servers, of which three are dead",
                              {dead, dead, dead, parent, child, parent, child, parent, child, parent, child,
                               parent, child}));
  with_www(plan, plan.zone_at("dead.example.", "its only server is silent", {dead})).broken();
  with_www(plan, plan.zone_at("orphan.example.", "all its servers refuse it", {gone})).broken();
}

void add_six(PlanBuilder& plan) {
  const size_t one = plan.server({}, Reach::v6), two = plan.server({}, Reach::v6),
               four = plan.server({}, Reach::v4);
  with_www(plan, plan.zone_at("v6only.example.", "servers with IPv6 addresses only", {one, two}));
  with_www(plan, plan.zone_at("v4only.example.", "a server with an IPv4 address only", {four}));
  with_www(plan, plan.zone_at("only.six.", "IPv6 only from the top-level domain down", {one}));
  with_www(plan, plan.zone_at("v6first.example.", "one server of each address family", {two, four}));
}

}  // namespace

void add_top(PlanBuilder& plan) {
  std::vector<Host> roots;
  for (const char* name : {"a.root.", "b.root.", "c.root."}) roots.push_back({name, plan.server()});
  plan.zone(".", "the root", roots);
  const size_t one = plan.server(), two = plan.server();
  plan.zone_at("example.", "a top-level domain: the zones with a shape", {one, two});
  plan.zone_at("lab.", "a top-level domain: the made-up zones", {plan.server(), two});
  plan.zone_at("hosting.", "a top-level domain: where servers have their names", {one, plan.server()});
  plan.zone_at("six.", "a top-level domain with IPv6 servers only", {plan.server({}, Reach::v6)});
}

void add_delegation_shapes(PlanBuilder& plan) {
  with_www(plan, plan.zone_at("plain.example.", "two servers named below the zone, with glue",
                              {plan.server(), plan.server()}));
  add_without_glue(plan);
  add_family(plan);
  add_six(plan);
}

}  // namespace peregrine
