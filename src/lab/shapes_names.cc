#include "lab/shapes.h"

namespace peregrine {
namespace {

constexpr std::string_view wildcards = R"(
  *.any 300 A 192.0.2.10
  *.any 300 TXT "made up"
  real.any 300 AAAA 2001:db8::10
  below.real.any 300 A 192.0.2.11
  *.mail 300 MX 10 www.plain.example.
  *.alias 300 CNAME www
  *.away 300 CNAME www.outside.example.
  *.inner.any 300 A 192.0.2.12
  *.sub.blocked 300 A 192.0.2.13
  text.blocked 300 TXT "here"
  www 300 A 192.0.2.14
)";

constexpr std::string_view aliases = R"(
  www 300 A 192.0.2.20
  www 300 AAAA 2001:db8::20
  one 300 CNAME www
  two 300 CNAME one
  three 300 CNAME two
  chain8 300 CNAME chain7
  chain7 300 CNAME chain6
  chain6 300 CNAME chain5
  chain5 300 CNAME chain4
  chain4 300 CNAME chain3
  chain3 300 CNAME three
  out 300 CNAME www.plain.example.
  far 300 CNAME hop.alias.hosting.
  v6 300 CNAME www.v6only.example.
  gone 300 CNAME nothing.plain.example.
  nodata 300 CNAME text
  text 300 TXT "no address"
  dead 300 CNAME www.dead.example.
  self 300 CNAME self
  ring1 300 CNAME ring2
  ring2 300 CNAME ring1
  wild 300 CNAME x.any.wild.example.
  dname 300 CNAME www.old.dname.example.
)";

constexpr std::string_view alias_hops = R"(
  hop 300 CNAME back.cname.example.
  up 300 CNAME hop
)";

constexpr std::string_view dnames = R"(
  www 300 A 192.0.2.30
  www.new 300 A 192.0.2.31
  a.b.new 300 TXT "deep"
  old 300 DNAME new
  away 300 DNAME plain.example.
  twice 300 DNAME old
  old.wild 300 DNAME any.wild.example.
  grow 300 DNAME aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.cccccccccccccccccccccccccccccccccccccccccccc.new
  both 300 DNAME new
  both 300 A 192.0.2.32
  alias 300 CNAME www.old
)";

constexpr std::string_view empties = R"(
  x.y.z 300 A 192.0.2.40
  _sip._udp 300 SRV 10 20 5060 x.y.z
  a.b.c.d.e.f.g.h.i.j 300 TXT "ten labels down"
)";

constexpr std::string_view oddities = R"(
  under_score 300 A 192.0.2.50
  MiXeD 300 A 192.0.2.51
  with\.dot 300 A 192.0.2.52
  with\032blank 300 A 192.0.2.53
  \000\255 300 A 192.0.2.54
  1 300 A 192.0.2.55
  xn--bcher-kva 300 A 192.0.2.56
  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 300 A 192.0.2.57
  unknown 300 TYPE65400 \# 3 010203
  zero 0 A 192.0.2.58
  ttl 2147483647 A 192.0.2.59
  strings 300 TXT "" "two" "\"quoted\""
  @ 300 TXT "at the apex"
)";

// Answers that do not fit into 1,232 octets, or not into 512.
void add_big(PlanBuilder& plan) {
  auto& zone = plan.zone_at("big.example.", "answers that truncate over UDP", {plan.server(), plan.server()});
  for (int i = 0; i < 20; ++i) zone.add("text 300 TXT \"" + std::to_string(i) + std::string(150, 'x') + "\"");
  for (int i = 1; i <= 30; ++i) zone.add("many 300 A 198.51.100." + std::to_string(i));
  for (int i = 1; i <= 80; ++i) zone.add("more 300 AAAA 2001:db8::" + std::to_string(i));
  zone.add("alias 300 CNAME text").add("www 300 A 192.0.2.60");
}

}  // namespace

void add_name_shapes(PlanBuilder& plan) {
  const size_t one = plan.server(), two = plan.server();
  plan.zone_at("wild.example.", "wildcards, and names that keep them from matching", {one, two})
      .add_all(wildcards);
  plan.zone_at("cname.example.", "chains of CNAMEs: long, to other zones, to nothing, in circles", {one, two})
      .add_all(aliases)
      .add("back 300 CNAME www.family.example.");
  plan.zone_at("alias.hosting.", "the other side of chains between zones", {two}).add_all(alias_hops);
  plan.zone_at("dname.example.", "DNAMEs: within, to other zones, one behind the other, too long", {one, two})
      .add_all(dnames);
  plan.zone("moving.example.", "a DNAME at the apex", {{"b.alias.hosting.", two}})
      .add("@ 300 DNAME plain.example.");
  plan.zone_at("ent.example.", "empty non-terminals", {one, two}).add_all(empties);
  plan.zone_at("odd.example.", "odd names, unknown types, the least and the greatest TTL", {one, two})
      .add_all(oddities);
  add_big(plan);
}

}  // namespace peregrine
