#include "policy/special_names.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <vector>

#include "wire/rdata.h"

namespace peregrine {
namespace {

DnameBuf name(std::string_view text) { return DnameBuf::from_text(text).value(); }

struct Answer {
  Rcode rcode;
  std::vector<std::string> answer, authority;
};

// The answer of the special zone that holds the name, read back from its wire form.
Answer ask(const char* qname, Type qtype) {
  const DnameBuf owner = name(qname);
  const SpecialZone* zone = find_special_zone(owner, qtype);
  if (!zone) throw std::runtime_error(std::string(qname) + " is in no special zone");
  std::vector<uint8_t> buffer(512);
  MessageWriter writer(buffer);
  EXPECT_TRUE(write_special_answer(*zone, {owner, qtype, Class::in}, writer));
  const auto view = MessageView::parse(writer.message()).value();
  EXPECT_TRUE(view.header().aa()) << qname;
  Answer answer{view.rcode(), {}, {}};
  for (RrView rr : view.section(Section::answer)) answer.answer.push_back(to_text(rr));
  for (RrView rr : view.section(Section::authority)) answer.authority.push_back(to_text(rr));
  return answer;
}

bool is_special(const char* qname, Type qtype = Type::a) {
  return find_special_zone(name(qname), qtype) != nullptr;
}

TEST(SpecialNames, LocalhostAndAllBelowAreTheLoopbackAddresses) {
  for (const char* qname : {"localhost.", "LocalHost.", "a.b.localhost."}) {
    const std::string owner = name(qname).to_string();
    EXPECT_EQ(ask(qname, Type::a).answer, std::vector<std::string>{owner + "\t10800\tIN\tA\t127.0.0.1"});
    EXPECT_EQ(ask(qname, Type::aaaa).answer, std::vector<std::string>{owner + "\t10800\tIN\tAAAA\t::1"});
    const Answer mx = ask(qname, Type::mx);
    EXPECT_EQ(mx.rcode, Rcode::noerror);
    EXPECT_TRUE(mx.answer.empty());
    EXPECT_EQ(mx.authority.size(), 1u);
  }
}

TEST(SpecialNames, InvalidTestAndOnionDoNotExistAtAll) {
  for (const char* qname : {"invalid.", "a.invalid.", "test.", "www.test.", "onion.", "abc.onion."}) {
    const Answer answer = ask(qname, Type::a);
    EXPECT_EQ(answer.rcode, Rcode::nxdomain) << qname;
    EXPECT_EQ(answer.authority.size(), 1u) << qname;  // an SOA: clients may cache it
  }
}

TEST(SpecialNames, PrivateReverseZonesAreEmptyWithAnApex) {
  EXPECT_EQ(ask("1.2.3.10.in-addr.arpa.", Type::ptr).rcode, Rcode::nxdomain);
  EXPECT_EQ(ask("10.in-addr.arpa.", Type::ptr).rcode, Rcode::noerror);
  EXPECT_EQ(ask("10.in-addr.arpa.", Type::soa).answer.size(), 1u);
  EXPECT_EQ(ask("10.in-addr.arpa.", Type::ns).answer.size(), 1u);
  EXPECT_EQ(ask("1.0.16.172.in-addr.arpa.", Type::ptr).rcode, Rcode::nxdomain);
  EXPECT_EQ(ask("1.0.100.100.in-addr.arpa.", Type::ptr).rcode, Rcode::nxdomain);
  EXPECT_EQ(ask("5.d.f.ip6.arpa.", Type::ptr).rcode, Rcode::nxdomain);
  EXPECT_EQ(ask("printer.home.arpa.", Type::a).rcode, Rcode::nxdomain);
}

TEST(SpecialNames, TheLoopbackAddressesPointToLocalhost) {
  EXPECT_EQ(ask("1.0.0.127.in-addr.arpa.", Type::ptr).answer,
            std::vector<std::string>{"1.0.0.127.in-addr.arpa.\t10800\tIN\tPTR\tlocalhost."});
  EXPECT_EQ(ask("2.0.0.127.in-addr.arpa.", Type::ptr).rcode, Rcode::nxdomain);
  EXPECT_EQ(ask("0.0.127.in-addr.arpa.", Type::ptr).rcode, Rcode::noerror);  // an empty non-terminal
  std::string v6 = "1.";
  for (int i = 0; i < 31; ++i) v6 += "0.";
  v6 += "ip6.arpa.";
  EXPECT_EQ(ask(v6.c_str(), Type::ptr).answer.size(), 1u);
}

TEST(SpecialNames, DesignatedResolversAreNotForwardedAndNotThere) {
  const Answer answer = ask("_dns.resolver.arpa.", Type::svcb);
  EXPECT_EQ(answer.rcode, Rcode::noerror);
  EXPECT_TRUE(answer.answer.empty());
  EXPECT_EQ(answer.authority.size(), 1u);
}

TEST(SpecialNames, ADsAtTheApexIsTheParents) {
  for (const char* apex :
       {"home.arpa.", "HOME.Arpa.", "10.in-addr.arpa.", "127.in-addr.arpa.", "d.f.ip6.arpa."}) {
    EXPECT_FALSE(is_special(apex, Type::ds)) << apex;
    EXPECT_TRUE(is_special(apex, Type::dnskey)) << apex;
  }
  EXPECT_TRUE(is_special("a.home.arpa.", Type::ds)) << "below the apex we are the parent";
  for (const char* apex : {"localhost.", "invalid.", "test.", "onion."})
    EXPECT_TRUE(is_special(apex, Type::ds));
  EXPECT_TRUE(is_special("resolver.arpa.", Type::ds)) << "nothing there is ever asked upstream";
  const Answer designations = ask("resolver.arpa.", Type::ds);
  EXPECT_EQ(designations.rcode, Rcode::noerror);
  EXPECT_EQ(designations.authority.size(), 1u);
}

std::vector<std::string> range(std::string_view before, int first, int last, std::string_view after) {
  std::vector<std::string> names;
  for (int i = first; i <= last; ++i)
    names.push_back(std::string(before) + std::to_string(i) + std::string(after));
  return names;
}

// RFC 6303 section 4, RFC 7793 section 4 and the rest, written down once more.
std::vector<std::string> all_apexes() {
  std::string zeros;
  for (int i = 0; i < 31; ++i) zeros += "0.";
  std::vector<std::string> apexes = {"localhost.",
                                     "invalid.",
                                     "test.",
                                     "onion.",
                                     "home.arpa.",
                                     "resolver.arpa.",
                                     "0.in-addr.arpa.",
                                     "10.in-addr.arpa.",
                                     "127.in-addr.arpa.",
                                     "254.169.in-addr.arpa.",
                                     "168.192.in-addr.arpa.",
                                     "2.0.192.in-addr.arpa.",
                                     "100.51.198.in-addr.arpa.",
                                     "113.0.203.in-addr.arpa.",
                                     "255.255.255.255.in-addr.arpa.",
                                     "0." + zeros + "ip6.arpa.",
                                     "1." + zeros + "ip6.arpa.",
                                     "8.b.d.0.1.0.0.2.ip6.arpa.",
                                     "d.f.ip6.arpa.",
                                     "8.e.f.ip6.arpa.",
                                     "9.e.f.ip6.arpa.",
                                     "a.e.f.ip6.arpa.",
                                     "b.e.f.ip6.arpa."};
  for (auto& apex : range("", 16, 31, ".172.in-addr.arpa.")) apexes.push_back(apex);
  for (auto& apex : range("", 64, 127, ".100.in-addr.arpa.")) apexes.push_back(apex);
  return apexes;
}

TEST(SpecialNames, EveryZoneIsFoundAtItsApexAndBelow) {
  const auto found = [](const std::string& qname) {
    const SpecialZone* zone = find_special_zone(name(qname), Type::a);
    return zone ? zone->apex.to_string() : "";
  };
  for (const std::string& apex : all_apexes()) {
    EXPECT_EQ(found(apex), apex);
    EXPECT_EQ(found("x." + apex), apex);
    std::string capitals = apex;
    for (char& c : capitals) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    EXPECT_EQ(found("A.b.C." + capitals), apex);
    EXPECT_EQ(found("x" + apex), "") << "labels, not letters";
    EXPECT_EQ(found(name(apex).view().parent().to_string()), "") << "nor above " << apex;
  }
  std::string deep;
  for (int i = 0; i < 120; ++i) deep += "a.";
  EXPECT_EQ(found(deep + "test."), "test.");
  EXPECT_EQ(found(deep + "ip6.arpa."), "");
}

TEST(SpecialNames, PublicNamesAreNotSpecial) {
  for (const char* qname :
       {".", "com.", "localhost.example.", "test.example.", "arpa.", "in-addr.arpa.", "ip6.arpa.",
        "8.8.8.8.in-addr.arpa.", "1.0.15.172.in-addr.arpa.", "1.0.32.172.in-addr.arpa.",
        "1.0.63.100.in-addr.arpa.", "mytest.", "latest.", "e.f.ip6.arpa.", "example.arpa."}) {
    EXPECT_FALSE(is_special(qname)) << qname;
  }
}

TEST(SpecialNames, AWriterWithoutRoomSaysSo) {
  const DnameBuf owner = name("localhost.");
  std::vector<uint8_t> buffer(header_size + 5);
  MessageWriter writer(buffer);
  EXPECT_FALSE(write_special_answer(*find_special_zone(owner, Type::a), {owner, Type::a, Class::in}, writer));
}

}  // namespace
}  // namespace peregrine
