#include "resolve/reply.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

#include "wire/rdata.h"

namespace peregrine {
namespace {

constexpr size_t most_steps = 16;
constexpr size_t most_aliases = 2 * most_steps;  // CNAMEs that are looked at; no honest chain has more
constexpr size_t most_proofs = 64;               // records of the authority section that are looked at

// The type whose RRset a record belongs to: an RRSIG goes with what it covers.
std::optional<Type> rrset_type(const RrView& rr) {
  return rr.type == Type::rrsig ? covered_type(rr.rdata) : rr.type;
}

bool is_proof(Type type) { return type == Type::nsec || type == Type::nsec3; }

// Names by the order in which they were met.
class Names {
 public:
  std::optional<size_t> find(Dname name) const {
    auto found = std::ranges::find(names_, name, &DnameBuf::view);
    if (found == names_.end()) return std::nullopt;
    return static_cast<size_t>(found - names_.begin());
  }
  size_t add(Dname name) {
    if (auto known = find(name)) return *known;
    names_.emplace_back(name);
    return names_.size() - 1;
  }
  Dname last() const { return names_.back(); }
  size_t size() const { return names_.size(); }
  // The first that is strictly below `ancestor`.
  std::optional<size_t> first_below(Dname ancestor) const {
    auto is_below = [&](const DnameBuf& name) {
      return name.view().size() > ancestor.size() && name.view().is_at_or_below(ancestor);
    };
    auto found = std::ranges::find_if(names_, is_below);
    if (found == names_.end()) return std::nullopt;
    return static_cast<size_t>(found - names_.begin());
  }

 private:
  std::vector<DnameBuf> names_;
};

// A record that is passed on, and its place in the order of a section.
struct Kept {
  RrView rr;
  size_t place;      // of the owner in the chain
  bool after_dname;  // a DNAME goes before the CNAME that was made from it
  Type rrset;
  uint32_t ttl;

  auto set() const { return std::tuple(place, after_dname, rrset); }
  auto order() const {
    return std::tuple(place, after_dname, rrset, rr.type == Type::rrsig, rr.rdata_offset());
  }
};

class Normaliser {
 public:
  Normaliser(const MessageView& reply, const Question& question, bool dnssec_ok)
      : reply_(reply), question_(question), dnssec_ok_(dnssec_ok) {}

  Result<Bytes> write(MutableBytes out) {
    auto followed = follow();
    if (!followed) return std::unexpected(followed.error());
    MessageWriter writer(out);
    writer.qr(true);
    writer.ra(true);
    writer.rcode(reply_.rcode());
    if (!writer.question(question_.qname, question_.qtype, question_.qclass))
      return std::unexpected(Error::no_space);
    auto answer = answer_records();
    auto written = put(writer, Section::answer, answer);
    if (!written) return std::unexpected(written.error());
    auto authority = authority_records();
    written = put(writer, Section::authority, authority);
    if (!written) return std::unexpected(written.error());
    return writer.message();
  }

 private:
  bool wants(Type type) const { return type == question_.qtype || question_.qtype == Type::any; }
  bool is_of_class(const RrView& rr) const {
    return rr.rclass == question_.qclass || question_.qclass == Class::any;
  }

  struct Alias {
    DnameBuf owner, target;
  };
  Result<std::vector<Alias>> aliases() const;
  Result<> follow();
  std::optional<Kept> keep(const RrView& rr) const;
  std::vector<Kept> answer_records();
  std::vector<Kept> authority_records() const;
  bool is_useful_in_authority(Type type, Dname owner) const;
  static Result<> put(MessageWriter& writer, Section section, std::vector<Kept>& records);

  const MessageView& reply_;
  const Question& question_;
  bool dnssec_ok_;
  Names chain_;
  bool has_data_ = false;
};

Result<std::vector<Normaliser::Alias>> Normaliser::aliases() const {
  std::vector<Alias> aliases;
  for (RrView rr : reply_.section(Section::answer)) {
    if (rr.type != Type::cname || !is_of_class(rr)) continue;
    if (aliases.size() == most_aliases) break;
    auto target = target_of(rr);
    if (!target) return std::unexpected(target.error());
    aliases.push_back({rr.owner.expand(), *target});
  }
  return aliases;
}

// RFC 1034 section 4.3.2 step 3a, done again on what another did.
Result<> Normaliser::follow() {
  chain_.add(question_.qname);
  if (wants(Type::cname)) return {};
  auto known = aliases();
  if (!known) return std::unexpected(known.error());
  for (size_t step = 0; step < most_steps; ++step) {
    auto next = std::ranges::find(*known, chain_.last(), [](const Alias& a) { return a.owner.view(); });
    if (next == known->end() || chain_.find(next->target)) return {};
    chain_.add(next->target);
  }
  return {};
}

std::optional<Kept> Normaliser::keep(const RrView& rr) const {
  auto rrset = rrset_type(rr);
  if (!rrset || !is_of_class(rr) || is_meta(rr.type)) return std::nullopt;
  if (rr.type == Type::rrsig && !dnssec_ok_ && !wants(Type::rrsig)) return std::nullopt;
  DnameBuf owner = rr.owner.expand();
  uint32_t ttl = effective_ttl(rr.ttl);
  if (auto place = chain_.find(owner)) {
    bool at_end = *place + 1 == chain_.size();
    bool belongs = *rrset == Type::cname || (at_end && (wants(rr.type) || wants(*rrset)));
    if (belongs) return Kept{rr, *place, true, *rrset, ttl};
  }
  if (*rrset != Type::dname) return std::nullopt;
  auto below = chain_.first_below(owner);
  if (!below) return std::nullopt;
  return Kept{rr, *below, false, *rrset, ttl};
}

std::vector<Kept> Normaliser::answer_records() {
  std::vector<Kept> records;
  for (RrView rr : reply_.section(Section::answer)) {
    auto kept = keep(rr);
    if (!kept) continue;
    has_data_ |= kept->after_dname && wants(rr.type);
    records.push_back(*kept);
  }
  return records;
}

bool Normaliser::is_useful_in_authority(Type type, Dname owner) const {
  if (type == Type::soa) return !has_data_ && chain_.last().is_at_or_below(owner);
  return dnssec_ok_ && is_proof(type);
}

std::vector<Kept> Normaliser::authority_records() const {
  std::vector<Kept> records;
  Names owners;
  size_t looked_at = 0;
  for (RrView rr : reply_.section(Section::authority)) {
    if (++looked_at > most_proofs) break;
    auto rrset = rrset_type(rr);
    if (!rrset || !is_of_class(rr) || (rr.type == Type::rrsig && !dnssec_ok_)) continue;
    DnameBuf owner = rr.owner.expand();
    if (!is_useful_in_authority(*rrset, owner)) continue;
    records.push_back({rr, owners.add(owner), true, *rrset, effective_ttl(rr.ttl)});
  }
  return records;
}

Result<> Normaliser::put(MessageWriter& writer, Section section, std::vector<Kept>& records) {
  std::ranges::sort(records, {}, &Kept::order);
  for (auto first = records.begin(); first != records.end();) {
    auto last = std::find_if(first, records.end(), [&](const Kept& k) { return k.set() != first->set(); });
    uint32_t ttl = std::ranges::min_element(first, last, {}, &Kept::ttl)->ttl;
    for (; first != last; ++first) {
      if (writer.copy(section, first->rr, ttl)) continue;
      auto sound = check_rdata(first->rr);
      return std::unexpected(sound ? Error::no_space : sound.error());
    }
  }
  return {};
}

}  // namespace

bool ends_in_alias(const MessageView& reply) {
  const Type qtype = reply.question().qtype;
  if (reply.rcode() != Rcode::noerror || qtype == Type::cname || qtype == Type::any) return false;
  bool has_alias = false;
  for (const RrView rr : reply.section(Section::answer)) {
    if (rr.type == qtype) return false;
    has_alias |= rr.type == Type::cname;
  }
  for (const RrView rr : reply.section(Section::authority)) {
    if (rr.type == Type::soa) return false;
  }
  return has_alias;
}

ReplyKind classify(const MessageView& reply, bool asked_with_edns) {
  switch (reply.rcode()) {
    case Rcode::noerror:
    case Rcode::nxdomain:
    case Rcode::yxdomain:
      return reply.header().tc() ? ReplyKind::truncated : ReplyKind::answer;
    case Rcode::formerr:
    case Rcode::notimp:
    case Rcode::badvers:
      return asked_with_edns ? ReplyKind::no_edns : ReplyKind::failure;
    default:
      return ReplyKind::failure;
  }
}

Result<Bytes> normalise(const MessageView& reply, const Question& question, bool dnssec_ok,
                        MutableBytes out) {
  return Normaliser(reply, question, dnssec_ok).write(out);
}

}  // namespace peregrine
