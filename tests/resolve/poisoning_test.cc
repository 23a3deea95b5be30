// What a true server says of names that it has no say in, or that nobody asked for (RFC 2181 section 5.4.1).
#include <gmock/gmock.h>

#include <algorithm>

#include "resolve/attack_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string attacker = "203.0.113.66", bank = "203.0.113.88", forged = "203.0.113.99";
constexpr std::array<uint8_t, 4> forged_octets = {203, 0, 113, 99};
constexpr std::string_view forged_label = "forged";

const std::string attack_soa = "attack.com. 60 SOA ns.attack.com. h. 1 2 3 4 5";
// "forged.net. A"
const std::string forged_nsec = "bank.com. 86400 NSEC \\# 15 06666f72676564036e657400000140";
const std::string forged_glue = "ns.forged.net. 86400 A " + forged;

// What is said of www.attack.com, with what else.
struct Case {
  std::string_view name;
  Said said;
};

std::vector<Case> cases() {
  const std::string data = "www.attack.com. 60 A 192.0.2.1";
  const std::string bank_a = "www.bank.com. 86400 A " + forged;
  const auto beside = [&](std::string_view name, std::vector<std::string> answer,
                          std::vector<std::string> authority, std::vector<std::string> additional = {}) {
    answer.insert(answer.begin(), data);
    return Case{name,
                {.answer = std::move(answer),
                 .authority = std::move(authority),
                 .additional = std::move(additional)}};
  };
  return {
      beside("another's address in the answer", {bank_a}, {}),
      beside("another's address in the additional section", {}, {},
             {bank_a, "www.bank.com. 86400 AAAA 2001:db8::99"}),
      beside("the parent's address", {"com. 86400 A " + forged, "a.gtld.com. 86400 A " + forged}, {},
             {"a.gtld.com. 86400 A " + forged, "a.root. 86400 A " + forged}),
      beside("servers of a sibling", {}, {"bank.com. 86400 NS ns.forged.net."}, {forged_glue}),
      beside("servers of a sibling in the answer", {"bank.com. 86400 NS ns.forged.net."}, {}, {forged_glue}),
      beside("servers of the parent", {}, {"com. 86400 NS ns.forged.net."}, {forged_glue}),
      beside("servers of the root", {}, {". 86400 NS ns.forged.net."}, {forged_glue}),
      // CVE-2025-11411
      beside("servers of the zone itself", {}, {"attack.com. 86400 NS ns.forged.net."}, {forged_glue}),
      beside("servers of the name itself", {}, {"www.attack.com. 86400 NS ns.forged.net."}, {forged_glue}),
      beside("an alias of a sibling", {"www.bank.com. 86400 CNAME www.forged.net."}, {}),
      beside("a DNAME at a sibling",
             {"bank.com. 86400 DNAME forged.net.", "www.bank.com. 86400 CNAME www.forged.net."}, {}),
      beside("a DNAME at the parent", {"com. 86400 DNAME forged.net."}, {}),
      beside("an SOA of the parent", {}, {"com. 86400 SOA ns.forged.net. h. 1 2 3 4 86400"}),
      {"the address that an alias leads to", {.answer = {"www.attack.com. 60 CNAME www.bank.com.", bank_a}}},
      {"the alias that an alias leads to",
       {.answer = {"www.attack.com. 60 CNAME www.bank.com.", "www.bank.com. 86400 CNAME www.forged.net."}}},
      {"the name that a DNAME leads to",
       {.answer = {"attack.com. 60 DNAME bank.com.", "www.attack.com. 60 CNAME www.bank.com.", bank_a}}},
      {"a referral to a sibling",
       {.authority = {"bank.com. 86400 NS ns.forged.net."}, .additional = {forged_glue}, .aa = false}},
      {"a referral to the parent",
       {.authority = {"com. 86400 NS ns.forged.net."}, .additional = {forged_glue}, .aa = false}},
      {"a referral to the root",
       {.authority = {". 86400 NS ns.forged.net."}, .additional = {forged_glue}, .aa = false}},
      {"a referral to the zone itself",
       {.authority = {"attack.com. 86400 NS ns.forged.net."}, .additional = {forged_glue}, .aa = false}},
      {"a referral with a sibling's addresses",
       {.authority = {"www.attack.com. 86400 NS ns.bank.com."},
        .additional = {"ns.bank.com. 86400 A " + forged},
        .aa = false}},
      {"a denial by the parent's SOA",
       {.authority = {"com. 86400 SOA ns.forged.net. h. 1 2 3 4 86400"}, .rcode = Rcode::nxdomain}},
      {"a denial by a sibling's SOA",
       {.authority = {"bank.com. 86400 SOA ns.forged.net. h. 1 2 3 4 86400"}, .rcode = Rcode::nxdomain}},
      {"a denial with servers of others",
       {.authority = {attack_soa, "bank.com. 86400 NS ns.forged.net.", "com. 86400 NS ns.forged.net."},
        .additional = {forged_glue},
        .rcode = Rcode::nxdomain}},
      {"proofs of a sibling", {.authority = {attack_soa, forged_nsec}, .rcode = Rcode::nxdomain}},
  };
}

class PoisoningTest : public RecursorTest {
 protected:
  PoisoningTest() {
    internet.zone("com.", {"192.5.6.30"},
                  {soa, "@ 172800 NS a.gtld", "a.gtld 172800 A 192.5.6.30", "attack 172800 NS ns.attack",
                   "ns.attack 172800 A " + attacker, "bank 172800 NS ns.bank", "ns.bank 172800 A " + bank});
    internet.zone("bank.com.", {bank}, {soa, "@ 3600 NS ns", "ns 3600 A " + bank, "www 300 A 192.0.2.88"});
    world.network.serve(endpoint(forged), saying([](const std::string& qname, Type) {
                          return Said{.answer = {qname + " 86400 A " + forged}};
                        }));
  }

  // What the zone's own server says is looked at as it is: only of www.attack.com is something else said.
  void attack(const Said& said) {
    world.network.serve(endpoint(attacker), saying([said](const std::string& qname, Type) {
                          return qname == "www.attack.com." ? said : Said{.authority = {attack_soa}};
                        }));
  }

  bool is_forged(Bytes octets) const {
    const Bytes label(reinterpret_cast<const uint8_t*>(forged_label.data()), forged_label.size());
    return !std::ranges::search(octets, forged_octets).empty() || !std::ranges::search(octets, label).empty();
  }

  void expect_nothing_forged() {
    store.scan([&](const StoredEntry& entry) {
      const auto key = KeyParts::read(entry.key.octets);
      EXPECT_FALSE(is_forged(entry.blob)) << "at " << (key ? key->owner.to_string() : "?");
      EXPECT_FALSE(is_forged(entry.key.octets));
      return ScanAction::keep;
    });
    for (const FakeQuery& query : world.network.queries()) EXPECT_NE(query.server, endpoint(forged));
    EXPECT_THAT(answer("www.bank.com."), ElementsAre(HasSubstr("192.0.2.88")));
    EXPECT_EQ(knowledge.delegation(name("x.bank.com."))->servers.front().name, name("ns.bank.com."));
    EXPECT_EQ(knowledge.delegation(name("x.com."))->servers.front().name, name("a.gtld.com."));
  }
};

TEST_F(PoisoningTest, StuffedReplies) {
  for (const Minimisation mode : {Minimisation::off, Minimisation::relaxed, Minimisation::strict}) {
    options().minimisation = mode;
    for (const Case& tried : cases()) {
      SCOPED_TRACE(tried.name);
      attack(tried.said);
      store.clear();
      world.network.forget_queries();
      const Resolution resolution = resolve("www.attack.com.");
      EXPECT_FALSE(is_forged(resolution.message));
      expect_nothing_forged();
      pass(1h);
    }
  }
}

// The same when the sibling's true records are known already.
TEST_F(PoisoningTest, StuffedRepliesDoNotReplaceWhatIsKnown) {
  for (const Case& tried : cases()) {
    SCOPED_TRACE(tried.name);
    attack(tried.said);
    store.clear();
    answer("www.bank.com.");
    resolve("bank.com.", Type::ns);
    world.network.forget_queries();
    resolve("www.attack.com.");
    expect_nothing_forged();
    pass(1h);
  }
}

// As where a fragment was forged (Brandt and others, CCS 2018), or the zone's own server was made to say it:
// its NS records beside an answer do not become its delegation (CVE-2025-11411).
TEST_F(PoisoningTest, ServersBesideAnAnswer) {
  for (const auto& authority : {std::vector<std::string>{"bank.com. 86400 NS ns.forged.net."},
                                {"bank.com. 86400 NS ns2.bank.com.", "bank.com. 86400 NS ns.forged.net."}}) {
    store.clear();
    world.network.serve(endpoint(bank), saying([&](const std::string& qname, Type) {
                          return Said{.answer = {qname + " 300 A 192.0.2.88"},
                                      .authority = authority,
                                      .additional = {forged_glue, "ns2.bank.com. 86400 A " + forged}};
                        }));
    answer("www.bank.com.");
    expect_nothing_forged();
    pass(301s);
    world.network.forget_queries();
    answer("www.bank.com.");
    expect_nothing_forged();
    pass(1h);
  }
}

// Nor do they when they are asked for: what the child says of itself is data.
TEST_F(PoisoningTest, ServersThatAreAskedForAreNoDelegation) {
  internet.zone("bank.com.", {bank}, {soa, "@ 3600 NS ns.forged.net.", "www 300 A 192.0.2.88"});
  EXPECT_THAT(answer("bank.com.", Type::ns), ElementsAre(HasSubstr("ns.forged.net.")));
  EXPECT_THAT(answer("www.bank.com."), ElementsAre(HasSubstr("192.0.2.88")));
  EXPECT_EQ(knowledge.delegation(name("bank.com."))->servers.front().name, name("ns.bank.com."));
}

}  // namespace
}  // namespace peregrine
