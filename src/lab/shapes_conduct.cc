#include "lab/shapes.h"

namespace peregrine {
namespace {

using std::chrono::milliseconds;

struct Shape {
  const char* apex;
  const char* about;
  Conduct conduct;
  bool beside_a_good_one;  // it has a second server, without fault
};

const Shape shapes[] = {
    {"lame.example.", "one of two servers refuses", {.refuses = true}, true},
    {"upward.example.", "one of two servers refers to the root", {.refers_up = true}, true},
    {"failing.example.", "one of two servers says SERVFAIL", {.fails = true}, true},
    {"silent.example.", "one of two servers never answers", {.silent = true}, true},
    {"slow.example.", "one of two servers takes 300 ms", {.delay = milliseconds(300)}, true},
    {"slowest.example.", "its only server takes 600 ms", {.delay = milliseconds(600)}, false},
    {"lossy.example.", "its server loses three datagrams in ten", {.loss = 0.3}, false},
    {"truncating.example.", "truncates every answer over UDP", {.truncates = true}, false},
    {"formerr.example.", "FORMERR for EDNS", {.formerr_edns = true}, false},
    {"mute.example.",
     "silence for EDNS, which nobody works around since the flag day of 2019",
     {.drops_edns = true},
     false},
    {"old.example.", "no OPT in its answers", {.ignores_edns = true}, false},
    {"noaa.example.", "answers without AA", {.no_aa = true}, false},
    {"liar.example.", "adds records of other zones to what it says", {.lies = true}, false},
    {"lowercase.example.", "gives the question back in lower case", {.folds_case = true}, false},
    {"entless.example.", "NXDOMAIN for empty non-terminals", {.denies_ents = true}, false},
    {"nosoa.example.", "denials without SOA", {.no_soa = true}, false},
    {"worst.example.",
     "no EDNS, no SOA, lower case, truncated, 100 ms",
     {.delay = milliseconds(100),
      .truncates = true,
      .formerr_edns = true,
      .folds_case = true,
      .no_soa = true},
     false},
};

}  // namespace

void add_conduct_shapes(PlanBuilder& plan) {
  const size_t good = plan.server();
  for (const Shape& shape : shapes) {
    std::vector<size_t> servers{plan.server(shape.conduct)};
    if (shape.beside_a_good_one) servers.push_back(good);
    auto& zone = plan.zone_at(shape.apex, shape.about, servers);
    for (const char* owner : {"www", "mail", "a.deep"}) {
      zone.add(owner + (" 300 A " + plan.v4()));
      zone.add(owner + (" 300 AAAA " + plan.v6()));
    }
    zone.add("alias 300 CNAME www").add("away 300 CNAME www.plain.example.").add("@ 300 MX 10 mail");
    if (shape.conduct.drops_edns) zone.broken();
  }
}

namespace {

// What the made-up zones are served by.
struct Pool {
  std::vector<size_t> good;
  size_t lame, slow, v6;
};

// "z3.lab." with two servers, in one of the usual ways.
PlanBuilder::Draft& delegate_by_dice(PlanBuilder& plan, const Pool& pool, const std::string& apex) {
  Random& random = plan.random();
  const auto pick = [&] { return pool.good[random.below(static_cast<uint32_t>(pool.good.size()))]; };
  const size_t first = pick(), second = pick();
  const uint32_t dice = random.below(100);
  if (dice < 50) return plan.zone_at(apex, "made up: servers below the zone", {first, second});
  if (dice < 85) {
    const std::string farm = ".pool" + std::to_string(random.below(8)) + ".hosting.";
    const size_t a = random.below(static_cast<uint32_t>(pool.good.size())), b = random.below(8);
    return plan.zone(
        apex, "made up: servers of a hoster",
        {{"s" + std::to_string(a) + farm, pool.good[a]}, {"s" + std::to_string(b) + farm, pool.good[b]}});
  }
  if (dice < 90) return plan.zone_at(apex, "made up: one of two servers is lame", {first, pool.lame});
  if (dice < 95) return plan.zone_at(apex, "made up: one of two servers is slow", {first, pool.slow});
  return plan.zone_at(apex, "made up: one server has IPv6 only", {first, pool.v6});
}

}  // namespace

void add_made_up(PlanBuilder& plan, unsigned count) {
  Pool pool{.good = {},
            .lame = plan.server({.refuses = true}),
            .slow = plan.server({.delay = milliseconds(150)}),
            .v6 = plan.server({}, Reach::v6)};
  for (int i = 0; i < 8; ++i) pool.good.push_back(plan.server());
  for (int i = 0; i < 8; ++i)
    plan.zone_at("pool" + std::to_string(i) + ".hosting.", "the names of a hoster's servers",
                 {pool.good[0], pool.good[1]});
  for (unsigned i = 0; i < count; ++i) {
    auto& zone = delegate_by_dice(plan, pool, "z" + std::to_string(i) + ".lab.");
    zone.add("www 300 A " + plan.v4()).add("www 300 AAAA " + plan.v6()).add("@ 300 A " + plan.v4());
    zone.add("alias 300 CNAME www").add("*.any 300 A " + plan.v4());
    zone.add("away 300 CNAME www.z" + std::to_string(plan.random().below(count)) + ".lab.");
  }
}

}  // namespace peregrine
