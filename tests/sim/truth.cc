#include "sim/truth.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <tuple>

#include "wire/rdata.h"

namespace peregrine::sim {
namespace {

using std::chrono::seconds;

constexpr std::array<seconds, 3> periods = {seconds(7), seconds(13),
                                            seconds(29)};  // after which a name's data change
constexpr uint32_t soa_ttl = 60;
constexpr uint32_t existence = 1, period = 2, lifetime = 3, aim = 4, data = 5,
                   shape = 6;  // what is drawn of a name

DnameBuf name_of(const std::string& text) { return DnameBuf::from_text(text).value(); }

std::vector<uint8_t> octets_of(Dname name) {
  DnameBuf folded(name);
  folded.fold();
  return {folded.view().wire().begin(), folded.view().wire().end()};
}

using Comparable = std::tuple<std::vector<uint8_t>, Type, std::vector<uint8_t>>;

bool same_records(const MessageView& reply, Section section, const std::vector<TrueRecord>& truth) {
  std::vector<Comparable> said, meant;
  for (const TrueRecord& rr : truth) meant.emplace_back(octets_of(rr.owner), rr.type, rr.rdata);
  std::array<uint8_t, 4096> buffer;
  for (RrView rr : reply.section(section)) {
    const auto rdata = canonical_rdata(rr, buffer);
    if (!rdata || rr.rclass != Class::in) return false;
    said.emplace_back(octets_of(rr.owner.expand()), rr.type,
                      std::vector<uint8_t>(rdata->begin(), rdata->end()));
  }
  std::ranges::sort(said);
  std::ranges::sort(meant);
  return said == meant;
}

}  // namespace

DnameBuf Truth::name(unsigned rank) const {
  return name_of("n" + std::to_string(rank) + (rank % 3 == 2 ? ".b.sim." : ".sim."));
}

uint64_t Truth::draw(Dname name, uint32_t what, uint64_t salt) const {
  std::vector<uint8_t> octets = octets_of(name);
  std::array<uint8_t, 12> suffix;
  store_u32(&suffix[0], what);
  store_u32(&suffix[4], static_cast<uint32_t>(salt >> 32));
  store_u32(&suffix[8], static_cast<uint32_t>(salt));
  octets.insert(octets.end(), suffix.begin(), suffix.end());
  return siphash13(key_, octets);
}

std::optional<unsigned> Truth::rank_of(Dname name) const {
  const Bytes label = name.first_label();
  if (label.size() < 2 || (label[0] | 0x20) != 'n') return std::nullopt;
  const char* digits = reinterpret_cast<const char*>(label.data()) + 1;
  unsigned rank = 0;
  const auto read = std::from_chars(digits, digits + label.size() - 1, rank);
  const bool known = read.ec == std::errc() && rank < names_ && this->name(rank).view() == name;
  return known ? std::optional(rank) : std::nullopt;
}

uint64_t Truth::epoch_of(Dname name, Instant when) const {
  return static_cast<uint64_t>(when.time_since_epoch() / periods[draw(name, period) % periods.size()]);
}

Truth::Kind Truth::kind_of(Dname name, Instant when) const {
  const uint64_t number = draw(name, existence) % 100;
  if (number < 50) return Kind::plain;
  if (number < 64) return Kind::big;
  if (number < 80) return Kind::alias;
  if (number < 87) return Kind::absent;
  if (number < 93) return Kind::empty;
  return epoch_of(name, when) % 2 == 0 ? Kind::plain : Kind::absent;
}

bool Truth::is_bogus(Dname name) const { return draw(name, existence, 1) % 100 < 6; }

uint32_t Truth::ttl_of(Dname name, Type type) const {
  constexpr std::array<uint32_t, 6> ttls = {0, 1, 5, 30, 60, 300};
  return ttls[draw(name, lifetime, static_cast<uint64_t>(type)) % ttls.size()];
}

// Further down the list, so that chains end; now and then outside of it.
DnameBuf Truth::target_of_alias(Dname name, unsigned rank) const {
  const uint64_t number = draw(name, aim);
  if (number % 10 == 0) return name_of("gone.sim.");
  return this->name(rank + 1 + static_cast<unsigned>(number / 10 % 3));
}

std::vector<uint8_t> Truth::text_of(Dname name, Kind kind, uint64_t epoch) const {
  const size_t strings = kind == Kind::big ? 2 + draw(name, shape) % 16 : 1;
  std::vector<uint8_t> rdata;
  for (size_t i = 0; i < strings; ++i) {
    const uint64_t number = draw(name, data, epoch << 8 | i);
    const auto size = static_cast<uint8_t>(kind == Kind::big ? 200 : 20);
    rdata.push_back(size);
    for (unsigned k = 0; k < size; ++k) rdata.push_back(static_cast<uint8_t>('a' + (number >> k % 48) % 26));
  }
  return rdata;
}

std::vector<std::vector<uint8_t>> Truth::rdata_of(Dname name, Type type, Kind kind, Instant when) const {
  const uint64_t epoch = epoch_of(name, when);
  const size_t several = kind == Kind::big ? 40 : 1 + draw(name, shape, 1) % 4;
  std::vector<std::vector<uint8_t>> rdatas;
  if (type == Type::txt) return {text_of(name, kind, epoch)};
  if (type == Type::aaaa && draw(name, shape, 2) % 3 == 0) return {};
  for (size_t i = 0; i < several; ++i) {
    const uint64_t number = draw(name, data, epoch << 8 | i);
    const auto byte = [&](unsigned k) { return static_cast<uint8_t>(number >> 8 * k); };
    const auto index = static_cast<uint8_t>(i);
    if (type == Type::a) rdatas.push_back({10, index, byte(0), byte(1)});
    if (type == Type::aaaa) {
      rdatas.push_back({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, index, byte(0), byte(1), byte(2), byte(3)});
    }
    if (type == Type::mx) {
      std::vector<uint8_t> rdata{byte(0), index};
      const auto exchange =
          octets_of(DnameBuf::from_text("mail" + std::to_string(i), name).value_or(DnameBuf()));
      rdata.insert(rdata.end(), exchange.begin(), exchange.end());
      rdatas.push_back(std::move(rdata));
    }
  }
  return rdatas;
}

TrueAnswer Truth::at(Dname qname, Type qtype, Instant when) const {
  TrueAnswer truth;
  DnameBuf name(qname);
  name.fold();
  auto rank = rank_of(name);
  while (rank && kind_of(name, when) == Kind::alias) {
    const DnameBuf target = target_of_alias(name, *rank);
    truth.answer.push_back({name, Type::cname, ttl_of(name, Type::cname), octets_of(target)});
    truth.bogus |= is_bogus(name);
    if (qtype == Type::cname) return sign(truth), truth;
    name = target;
    rank = rank_of(name);
  }
  const Kind kind = rank ? kind_of(name, when) : Kind::absent;
  std::vector<std::vector<uint8_t>> rdatas;
  if (kind == Kind::plain || kind == Kind::big) rdatas = rdata_of(name, qtype, kind, when);
  for (auto& rdata : rdatas) truth.answer.push_back({name, qtype, ttl_of(name, qtype), std::move(rdata)});
  if (kind == Kind::absent) truth.rcode = Rcode::nxdomain;
  if (rdatas.empty()) truth.soa = soa();
  truth.bogus |= is_bogus(name);
  sign(truth);
  return truth;
}

// Looks like an RRSIG, and is the same for the same RRset.
TrueRecord Truth::signature_of(const TrueRecord& rr) const {
  std::vector<uint8_t> rdata(18);
  store_u16(rdata.data(), static_cast<uint16_t>(rr.type));
  rdata[2] = 13;
  rdata[3] = static_cast<uint8_t>(rr.owner.view().label_count());
  const auto signer = octets_of(name_of("sim."));
  rdata.insert(rdata.end(), signer.begin(), signer.end());
  const uint64_t number = draw(rr.owner, data, static_cast<uint64_t>(rr.type));
  for (unsigned i = 0; i < 64; ++i) rdata.push_back(static_cast<uint8_t>(0x80 | number >> i % 56));
  return {rr.owner, Type::rrsig, rr.ttl, std::move(rdata)};
}

void Truth::sign(TrueAnswer& truth) const {
  const TrueRecord* last = nullptr;
  for (const TrueRecord& rr : truth.answer) {
    const bool same_rrset = last != nullptr && last->owner == rr.owner && last->type == rr.type;
    if (!same_rrset) truth.answer_signatures.push_back(signature_of(rr));
    last = &rr;
  }
  if (truth.soa) truth.soa_signature = signature_of(*truth.soa);
}

uint32_t Truth::minimum() const {
  constexpr std::array<uint32_t, 4> minima = {0, 2, 10, 120};
  return minima[draw(Dname(), lifetime) % minima.size()];
}

uint32_t Truth::negative_ttl() const { return std::min(soa_ttl, minimum()); }

TrueRecord Truth::soa() const {
  std::vector<uint8_t> rdata = octets_of(name_of("ns.sim."));
  const auto mailbox = octets_of(name_of("hostmaster.sim."));
  rdata.insert(rdata.end(), mailbox.begin(), mailbox.end());
  for (uint32_t number : {1u, 3600u, 600u, 86400u, minimum()}) {
    std::array<uint8_t, 4> octets;
    store_u32(octets.data(), number);
    rdata.insert(rdata.end(), octets.begin(), octets.end());
  }
  return {name_of("sim."), Type::soa, soa_ttl, std::move(rdata)};
}

std::vector<Instant> Truth::moments(Instant from, Instant to) {
  std::vector<Instant> all{from};
  for (const seconds each : periods) {
    for (auto next = from.time_since_epoch() / each + 1; Instant(next * each) <= to; ++next) {
      all.emplace_back(next * each);
    }
  }
  return all;
}

std::vector<TrueRecord> TrueAnswer::section(Section section, bool with_signatures) const {
  std::vector<TrueRecord> records;
  if (section == Section::answer) {
    records = answer;
    if (with_signatures) records.insert(records.end(), answer_signatures.begin(), answer_signatures.end());
  } else if (soa) {
    records.push_back(*soa);
    if (with_signatures) records.push_back(*soa_signature);
  }
  return records;
}

bool says(const MessageView& reply, const TrueAnswer& truth, bool with_signatures) {
  if (reply.rcode() != truth.rcode) return false;
  for (Section section : {Section::answer, Section::authority}) {
    if (!same_records(reply, section, truth.section(section, with_signatures))) return false;
  }
  return true;
}

}  // namespace peregrine::sim
