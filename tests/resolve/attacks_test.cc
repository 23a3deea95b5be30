// Attacks that make a resolver work for nothing, or make it work against others: each counts the packets that
// it costs, in all and to the victim.
#include <gmock/gmock.h>

#include <algorithm>

#include "resolve/attack_support.h"

namespace peregrine {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr unsigned most_packets = 100;  // of one query
// Of one zone's servers at most six are looked up, by A and by AAAA, and by minimised names before.
constexpr unsigned most_to_victim = 24;

const std::string attacker = "203.0.113.66", victim = "203.0.113.77";

// The digits in it, from the first one on.
unsigned number_in(std::string_view label) {
  unsigned number = 0;
  for (const char c : label)
    number = c >= '0' && c <= '9' ? 10 * number + static_cast<unsigned>(c - '0') : number;
  return number;
}

class AttacksTest : public RecursorTest {
 protected:
  AttacksTest() {
    internet.zone("net.", {"192.5.6.30"},
                  {soa, "@ 172800 NS a.gtld.com.", "attack 172800 NS ns.attack",
                   "ns.attack 172800 A " + attacker, "one 172800 NS ns.two", "two 172800 NS ns.one",
                   "nobody 172800 NS ns.nobody", "ns.nobody 172800 A 203.0.113.99"});
    internet.zone(
        "com.", {"192.5.6.30"},
        {soa, "@ 172800 NS a.gtld", "a.gtld 172800 A 192.5.6.30", "example 172800 NS ns1.example",
         "ns1.example 172800 A 203.0.113.1", "victim 172800 NS ns.victim", "ns.victim 172800 A " + victim});
    internet.zone("victim.com.", {victim}, {soa, "@ 3600 NS ns", "ns 3600 A " + victim});
    world.network.host(endpoint("203.0.113.99"), {.server = {}, .tcp = FakeTcp::silent});
  }

  // What the attacker says, by the small letters of the qname; queries and replies go over UDP or TCP alike.
  void script(Says says) { world.network.serve(endpoint(attacker), saying(std::move(says))); }
  // Those that reach nobody, too.
  size_t packets() const { return world.count(Counter::upstream_queries); }
  size_t packets_to(std::string_view server) const {
    return static_cast<size_t>(
        std::ranges::count(world.network.queries(), endpoint(server), &FakeQuery::server));
  }
  // One query: SERVFAIL within the bounds; what it cost in all, late packets too.
  size_t cost_of_failing(std::string_view qname) {
    const size_t before = packets();
    const Instant begun = world.clock.now();
    const Resolution resolution = resolve(qname);
    EXPECT_EQ(resolution.rcode, Rcode::servfail) << qname;
    EXPECT_TRUE(resolution.ede);
    EXPECT_LE(world.clock.now() - begun, table->options.timeout + 2ms);
    pass(10s);
    const size_t cost = packets() - before;
    EXPECT_LE(cost, most_packets);
    return cost;
  }

  static std::vector<std::string> referral(const std::string& zone, unsigned servers, const std::string& to) {
    std::vector<std::string> records;
    for (unsigned i = 0; i < servers; ++i)
      records.push_back(zone + " 86400 NS ns" + std::to_string(i) + "." + to);
    return records;
  }
};

const std::string attack_soa = "attack.net. 60 SOA ns.attack.net. h. 1 2 3 4 5";

// Afek and others, "NXNSAttack", USENIX Security 2020: servers that do not exist, of another's zone.
TEST_F(AttacksTest, NxnsAttack) {
  script([](const std::string& qname, Type) {
    const std::string label = qname.substr(0, qname.find('.'));
    return Said{.authority = referral(label + ".attack.net.", 60, label + ".victim.com."), .aa = false};
  });
  for (int i = 0; i < 20; ++i) {
    const size_t before = packets_to(victim);
    cost_of_failing("q" + std::to_string(i) + ".attack.net.");
    EXPECT_LE(packets_to(victim) - before, most_to_victim);
  }
}

// The same where the names of the servers are spread over many zones, each with servers to be looked up.
TEST_F(AttacksTest, NxnsAttackInTwoSteps) {
  script([](const std::string& qname, Type) {
    std::string label = qname.substr(0, qname.size() - std::string_view(".attack.net.").size());
    label = label.substr(label.rfind('.') + 1);
    Said said{.aa = false};
    for (unsigned i = 0; i < 30; ++i) {
      const std::string to =
          label.size() < 6 ? "x" + label + std::to_string(i) + ".attack.net." : "v.victim.com.";
      said.authority.push_back(label + ".attack.net. 86400 NS ns" + std::to_string(i) + "." + to);
    }
    return said;
  });
  for (int i = 0; i < 5; ++i) {
    const size_t before = packets_to(victim);
    cost_of_failing("q" + std::to_string(i) + ".attack.net.");
    EXPECT_LE(packets_to(victim) - before, most_packets / 2);
  }
}

// CVE-2022-3204 ("NRDelegationAttack", USENIX Security 2023): so many servers that matching them costs time,
// in a zone whose server does not reply.
TEST_F(AttacksTest, NonResponsiveDelegation) {
  script([](const std::string& qname, Type) {
    const bool huge = qname.ends_with("huge.attack.net.");
    return Said{.authority =
                    referral(huge ? "huge.attack.net." : "big.attack.net.", huge ? 1500 : 200, "nobody.net."),
                .aa = false};
  });
  for (int i = 0; i < 10; ++i) {
    cost_of_failing("q" + std::to_string(i) + ".huge.attack.net.");
    cost_of_failing("q" + std::to_string(i) + ".big.attack.net.");
  }
  EXPECT_LE(packets_to("203.0.113.99"), 10 * most_packets / 2);
  EXPECT_FALSE(knowledge.delegation(name("huge.attack.net."))->zone == name("huge.attack.net."));
  const auto kept = knowledge.delegation(name("big.attack.net."));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->servers.size(), max_delegation_servers);
}

// Afek and others, "Cache Flush", 2023 (CVE-2023-2828): what is asked for once does not drive out what is
// asked for often.
TEST_F(AttacksTest, CacheFlush) {
  MutexStore small(128 << 10, 1);
  MutexStore::Reader small_reader(small);
  StoreKnowledge<MutexStore> small_knowledge(small, small_reader, world.clock, secret, nullptr);
  Recursor resolver({world.exchange, upstreams, world.clock}, small_knowledge, forwarder);
  const auto ask = [&](const std::string& qname) {
    small_reader.quiet();
    return run(world.network, resolver.resolve({.qname = name(qname)}, table, forwards, {})).value();
  };
  internet.zone("example.com.", {"203.0.113.1"}, {soa, "www 86400 A 192.0.2.80"});
  script([](const std::string& qname, Type) {
    if (qname.find("flush") == std::string::npos) return Said{.authority = {attack_soa}};
    const std::string zone = qname.substr(qname.find("flush"));
    return Said{.authority = referral(zone, 32, std::string(40, 'n') + "." + zone), .aa = false};
  });
  EXPECT_EQ(ask("www.example.com.").rcode, Rcode::noerror);
  for (int i = 0; i < 40; ++i) {
    ask("www.flush" + std::to_string(i) + ".attack.net.");
    const size_t before = packets();
    if (i % 2 == 0) EXPECT_EQ(ask("www.example.com.").rcode, Rcode::noerror);
    EXPECT_EQ(packets(), before) << "the hot entry has been driven out";
    EXPECT_LE(small.stats().octets, small.stats().capacity);
  }
  EXPECT_GT(small.stats().evicted, 0u) << "the cache was full";
}

// Moura and others, "TsuNAME", IMC 2021: servers that need each other, asked for over and over. RFC 9520
// section 3: a failure is not tried again at once.
TEST_F(AttacksTest, CyclicDelegations) {
  resolve("www.one.net.");
  const size_t first = packets();
  EXPECT_LE(first, 20u);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(resolve("www.one.net.").rcode, Rcode::servfail);
    pass(100ms);
  }
  EXPECT_LE(packets() - first, 4 * first) << "in ten seconds once a second at most, and ever more rarely";
}

TEST_F(AttacksTest, CyclicDelegationsByManyNames) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(resolve("q" + std::to_string(i) + ".one.net.").rcode, Rcode::servfail);
    pass(100ms);
  }
  EXPECT_LE(packets(), 100u) << "the same servers are looked for again and again";
}

// The same question, to servers that fail at once.
TEST_F(AttacksTest, FailuresAreNotAskedForAgainAtOnce) {
  world.network.serve(endpoint(attacker), always({.rcode = Rcode::refused}));
  resolve("www.attack.net.");
  const size_t first = packets();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(resolve("www.attack.net.").rcode, Rcode::servfail);
    pass(100ms);
  }
  EXPECT_GT(packets(), first) << "it may have come back";
  EXPECT_LE(packets() - first, 5 * first) << "after 1, 2, 4 and 8 seconds";
}

// Duan and others, "CAMP: Compositional Amplification Attacks against DNS", USENIX Security 2024: chains of
// aliases, each with labels to uncover one by one, each below a cut whose servers must be looked up.
TEST_F(AttacksTest, CompositionalAmplification) {
  script([](const std::string& qname, Type) {
    const std::string inner = qname.substr(0, qname.size() - std::string_view("attack.net.").size());
    const size_t labels = static_cast<size_t>(std::ranges::count(inner, '.'));
    if (labels == 0) return Said{.authority = {attack_soa}};
    if (labels < 9) return Said{.authority = {attack_soa}};
    const std::string cut = inner.substr(0, inner.find('.'));
    const unsigned step = number_in(cut);
    return Said{.answer = {qname + " 60 CNAME c" + std::to_string(step + 1) + ".a.b.c.d.e.f.g.h.s" +
                           std::to_string(step) + ".attack.net."}};
  });
  for (int i = 0; i < 5; ++i)
    cost_of_failing("c" + std::to_string(100 * i) + ".a.b.c.d.e.f.g.h.i.attack.net.");
}

TEST_F(AttacksTest, CompositionalAmplificationOfAVictim) {
  script([](const std::string& qname, Type qtype) {
    const std::string inner = qname.substr(0, qname.size() - std::string_view("attack.net.").size());
    const std::string cut = inner.substr(inner.rfind('.', inner.size() - 2) + 1);  // the last label
    if (cut.starts_with("z") && qtype != Type::cname) {
      const unsigned number = number_in(cut);
      if (inner.size() > cut.size() && number % 2 == 1) {
        return Said{.answer = {qname + " 60 CNAME a.b.c.z" + std::to_string(number + 1) + ".attack.net."}};
      }
      if (number % 2 == 0)
        return Said{.authority = referral(cut + "attack.net.", 30, cut + "victim.com."), .aa = false};
    }
    return Said{.authority = {attack_soa}};
  });
  for (int i = 0; i < 5; ++i) {
    const size_t before = packets_to(victim);
    cost_of_failing("a.b.c.z" + std::to_string(1 + 2 * i) + ".attack.net.");
    EXPECT_LE(packets_to(victim) - before, most_to_victim);
  }
}

// RFC 9156 section 2.3: minimisation adds at most ten queries, however many labels there are.
TEST_F(AttacksTest, NamesOfManyLabels) {
  internet.zone("example.com.", {"203.0.113.1"}, {soa, "*.deep 60 A 192.0.2.82"});
  std::string qname = "deep.example.com.";
  for (int i = 0; i < 110; ++i) qname.insert(0, "a.");
  for (const Minimisation mode : {Minimisation::relaxed, Minimisation::strict}) {
    options().minimisation = mode;
    world.network.forget_queries();
    EXPECT_THAT(answer("b." + qname), SizeIs(1));
    EXPECT_LE(packets_to("203.0.113.1"), 12u);
    pass(100s);
  }
}

TEST_F(AttacksTest, LongChainsOfAliases) {
  script([](const std::string& qname, Type) {
    if (qname == "attack.net.") return Said{.authority = {attack_soa}};
    const unsigned number = number_in(qname.substr(0, qname.find('.')));
    return Said{.answer = {qname + " 0 CNAME c" + std::to_string(number + 1) + ".attack.net."}};
  });
  EXPECT_LE(cost_of_failing("c0.attack.net."), 40u);
}

// One reply with a chain that is longer than any honest one.
TEST_F(AttacksTest, LongChainsInOneReply) {
  script([](const std::string& qname, Type) {
    Said said;
    std::string owner = qname;
    for (int i = 0; i < 1000; ++i) {
      const std::string next = "t" + std::to_string(i) + "." + qname;
      said.answer.push_back(owner + " 60 CNAME " + next);
      owner = next;
    }
    return said;
  });
  EXPECT_LE(cost_of_failing("c0.attack.net."), 40u);
}

// Replies as large as a stream carries, one for each step.
TEST_F(AttacksTest, LargeReplies) {
  const std::string text = std::string(250, 't');
  script([&](const std::string& qname, Type) {
    const unsigned number = number_in(qname.substr(0, qname.find('.')));
    Said said{.answer = {qname + " 60 CNAME c" + std::to_string(number + 1) + ".attack.net."}};
    for (int i = 0; i < 200; ++i)
      said.additional.push_back("t.attack.net. 60 TXT " + std::to_string(i) + text);
    return said;
  });
  options().minimisation = Minimisation::off;
  cost_of_failing("c0.attack.net.");
  EXPECT_LE(packets_to(attacker) * 200 * text.size(), options().max_octets + 65'536);
}

TEST_F(AttacksTest, GrowingDnames) {
  script([](const std::string& qname, Type) {
    const bool below = qname.ends_with(".d.attack.net.");
    return below ? Said{.answer = {"d.attack.net. 60 DNAME grows.longer.and.longer.d.attack.net."}}
                 : Said{.authority = {attack_soa}};
  });
  const Resolution resolution = resolve("q.d.attack.net.");
  EXPECT_NE(resolution.rcode, Rcode::noerror);
  EXPECT_LE(packets(), 40u);
}

TEST_F(AttacksTest, ReferralsToTheZoneItself) {
  script([](const std::string&, Type) {
    return Said{.authority = {"attack.net. 86400 NS ns.attack.net."},
                .additional = {"ns.attack.net. 86400 A " + attacker},
                .aa = false};
  });
  EXPECT_LE(cost_of_failing("www.attack.net."), 20u);
}

TEST_F(AttacksTest, ReferralsEverDeeper) {
  script([](const std::string& qname, Type) {
    return Said{.authority = {qname + " 86400 NS ns.attack.net."},
                .additional = {"ns.attack.net. 86400 A " + attacker},
                .aa = false};
  });
  std::string qname = "attack.net.";
  for (int i = 0; i < 115; ++i) qname.insert(0, "a.");
  for (const Minimisation mode : {Minimisation::off, Minimisation::relaxed, Minimisation::strict}) {
    options().minimisation = mode;
    EXPECT_LE(cost_of_failing(mode == Minimisation::off ? qname : "b." + qname), most_packets);
  }
}

// Each zone's server has its name in the next zone.
TEST_F(AttacksTest, LookUpsForTheSakeOfLookUps) {
  std::vector<std::string> lines{soa, "@ 172800 NS a.gtld.com."};
  for (int i = 0; i < 40; ++i)
    lines.push_back("z" + std::to_string(i) + " 86400 NS ns.z" + std::to_string(i + 1));
  internet.zone("net.", {"192.5.6.30"}, lines);
  EXPECT_LE(cost_of_failing("www.z0.net."), 40u);
}

// And in more than one of them.
TEST_F(AttacksTest, LookUpsThatMultiply) {
  std::vector<std::string> lines{soa, "@ 172800 NS a.gtld.com."};
  for (int i = 0; i < 300; ++i) {
    for (int k = 1; k <= 6; ++k)
      lines.push_back("z" + std::to_string(i) + " 86400 NS ns.z" + std::to_string(6 * i + k));
  }
  internet.zone("net.", {"192.5.6.30"}, lines);
  for (int i = 0; i < 3; ++i) cost_of_failing("www.z" + std::to_string(i) + ".net.");
}

// Addresses without end: each silent one costs time and a packet.
TEST_F(AttacksTest, ManyServersThatAreSilent) {
  script([](const std::string&, Type) {
    Said said{.authority = referral("silent.attack.net.", 30, "silent.attack.net."), .aa = false};
    for (int i = 0; i < 30; ++i) {
      for (int k = 0; k < 8; ++k)
        said.additional.push_back("ns" + std::to_string(i) + ".silent.attack.net. 86400 A 203.0." +
                                  std::to_string(i) + "." + std::to_string(k));
    }
    return said;
  });
  EXPECT_LE(cost_of_failing("www.silent.attack.net."), 50u);
}

}  // namespace
}  // namespace peregrine
