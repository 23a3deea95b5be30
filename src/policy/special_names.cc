#include "policy/special_names.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "wire/rdata.h"

namespace peregrine {
namespace {

constexpr uint32_t ttl = 10'800;  // RFC 6303 section 3

DnameBuf name(std::string_view text) { return *DnameBuf::from_text(text); }

// The reverse zones of RFC 6303 section 4 and RFC 7793, and the names of the other RFCs.
std::vector<SpecialZone> make_zones() {
  std::vector<SpecialZone> zones;
  auto add = [&](std::string_view apex, SpecialKind kind, std::string_view localhost = ".") {
    zones.push_back({name(apex), kind, name(localhost)});
  };
  add("localhost.", SpecialKind::loopback);  // RFC 6761 section 6.3
  for (auto apex : {"invalid.", "test.", "onion."})
    add(apex, SpecialKind::absent);            // RFC 6761 6.2, 6.4; RFC 7686
  add("home.arpa.", SpecialKind::empty);       // RFC 8375
  add("resolver.arpa.", SpecialKind::probed);  // RFC 9462 section 6.4

  for (auto net :
       {"0", "10", "254.169", "2.0.192", "100.51.198", "113.0.203", "255.255.255.255", "168.192"}) {
    add(std::string(net) + ".in-addr.arpa.", SpecialKind::empty);
  }
  add("127.in-addr.arpa.", SpecialKind::empty, "1.0.0.127.in-addr.arpa.");
  for (int i = 16; i <= 31; ++i) add(std::to_string(i) + ".172.in-addr.arpa.", SpecialKind::empty);
  for (int i = 64; i <= 127; ++i)
    add(std::to_string(i) + ".100.in-addr.arpa.", SpecialKind::empty);  // RFC 7793

  std::string zeros;
  for (int i = 0; i < 31; ++i) zeros += "0.";
  const std::string unspecified = "0." + zeros + "ip6.arpa.", loopback = "1." + zeros + "ip6.arpa.";
  add(unspecified, SpecialKind::empty);
  add(loopback, SpecialKind::empty, loopback);
  for (auto net : {"d.f", "8.e.f", "9.e.f", "a.e.f", "b.e.f", "8.b.d.0.1.0.0.2"}) {
    add(std::string(net) + ".ip6.arpa.", SpecialKind::empty);
  }
  return zones;
}

// The zones in an order that one comparison of lengths and one of octets decide, and the numbers of labels
// that their apexes have: only suffixes of so many labels need a look.
struct Table {
  std::vector<SpecialZone> zones = make_zones();
  std::vector<unsigned> label_counts;  // most first: the longest suffix wins
  Table();
};

bool before(Dname a, Dname b) {
  if (a.size() != b.size()) return a.size() < b.size();
  return std::memcmp(a.wire().data(), b.wire().data(), a.size()) < 0;
}

Dname apex_of(const SpecialZone& zone) { return zone.apex; }

Table::Table() {
  std::ranges::sort(zones, before, apex_of);
  for (const SpecialZone& zone : zones) label_counts.push_back(apex_of(zone).label_count());
  std::ranges::sort(label_counts, std::greater());
  const auto repeated = std::ranges::unique(label_counts);
  label_counts.erase(repeated.begin(), repeated.end());
}

const SpecialZone* find_zone(Dname qname) {
  static const Table table;
  DnameBuf folded(qname);
  folded.fold();
  Dname::LabelStarts starts;
  const size_t labels = folded.view().label_starts(starts);
  for (unsigned count : table.label_counts) {
    if (count > labels) continue;
    const Dname suffix = Dname::from_checked(folded.view().wire().subspan(starts[labels - count]));
    const auto found = std::ranges::lower_bound(table.zones, suffix, before, apex_of);
    if (found != table.zones.end() && same_octets(found->apex, suffix)) return &*found;
  }
  return nullptr;
}

bool write_soa(const SpecialZone& zone, Section section, MessageWriter& out) {
  std::array<uint8_t, 2 * max_dname_size + 20> buffer;
  auto rdata =
      rdata_from_text(Type::soa, "localhost. nobody.invalid. 1 3600 1200 604800 10800", Dname(), buffer);
  return rdata && out.rr(section, zone.apex, Type::soa, Class::in, ttl, *rdata);
}

bool write_text(const Question& question, Type type, std::string_view text, MessageWriter& out) {
  std::array<uint8_t, max_dname_size> buffer;
  auto rdata = rdata_from_text(type, text, Dname(), buffer);
  return rdata && out.rr(Section::answer, question.qname, type, Class::in, ttl, *rdata);
}

bool write_loopback(const SpecialZone& zone, const Question& question, MessageWriter& out) {
  if (question.qtype == Type::a) return write_text(question, Type::a, "127.0.0.1", out);
  if (question.qtype == Type::aaaa) return write_text(question, Type::aaaa, "::1", out);
  return write_soa(zone, Section::authority, out);
}

bool write_empty(const SpecialZone& zone, const Question& question, MessageWriter& out) {
  const bool at_apex = question.qname == zone.apex.view();
  const bool is_localhost = !zone.localhost.view().is_root() && question.qname == zone.localhost.view();
  if (is_localhost && question.qtype == Type::ptr) return write_text(question, Type::ptr, "localhost.", out);
  if (at_apex && question.qtype == Type::soa) return write_soa(zone, Section::answer, out);
  if (at_apex && question.qtype == Type::ns) return write_text(question, Type::ns, "localhost.", out);
  // What lies between the apex and the one name that exists is an empty non-terminal (RFC 4592
  // section 2.2.2).
  const bool exists = at_apex || zone.localhost.view().is_at_or_below(question.qname);
  // RFC 9462 section 6.4: clients probe _dns.resolver.arpa; NODATA is the answer of a server without
  // designations.
  if (!exists && zone.kind != SpecialKind::probed) out.rcode(Rcode::nxdomain);
  return write_soa(zone, Section::authority, out);
}

}  // namespace

const SpecialZone* find_special_zone(Dname qname, Type qtype) {
  const SpecialZone* zone = find_zone(qname);
  if (zone == nullptr || qtype != Type::ds || zone->kind != SpecialKind::empty) return zone;
  return qname == zone->apex.view() ? nullptr : zone;
}

bool write_special_answer(const SpecialZone& zone, const Question& question, MessageWriter& out) {
  if (!out.question(question.qname, question.qtype, question.qclass)) return false;
  out.aa(true);  // we are the authority for these zones (RFC 1035 section 4.1.1)
  out.rcode(Rcode::noerror);
  switch (zone.kind) {
    case SpecialKind::loopback:
      return write_loopback(zone, question, out);
    case SpecialKind::absent:
      out.rcode(Rcode::nxdomain);
      return write_soa(zone, Section::authority, out);
    case SpecialKind::empty:
    case SpecialKind::probed:
      return write_empty(zone, question, out);
  }
  return false;
}

}  // namespace peregrine
