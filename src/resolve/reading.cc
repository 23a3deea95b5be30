#include "resolve/reading.h"

#include <algorithm>

#include "wire/rdata.h"

namespace peregrine {
namespace {

// Of one section: more is no honest answer, and would cost time to compare and memory to keep.
constexpr size_t most_rrsets = 128;
constexpr size_t most_records = 256;  // of one RRset, and as many signatures
constexpr size_t most_octets = 128 * 1024;
constexpr size_t most_steps = 16;

bool is_proof(Type type) { return type == Type::soa || type == Type::nsec || type == Type::nsec3; }

// The types that are looked at.
bool is_of_use(Section section, Type type, Type qtype) {
  if (section == Section::authority) return type == Type::ns || is_proof(type);
  return type == qtype || qtype == Type::any || type == Type::cname || type == Type::dname;
}

// The RRsets of one section whose owners are in the zone, with the signatures that cover them.
class Sets {
 public:
  static Result<Sets> read(const MessageView& reply, Section section, const Question& question, Dname zone,
                           Credibility credibility);
  Rrset* find(Dname owner, Type type) {
    auto found = std::ranges::find_if(
        all_, [&](const Rrset& set) { return set.type == type && set.owner.view() == owner; });
    return found == all_.end() || found->records.empty() ? nullptr : &*found;
  }
  // The DNAME nearest above the name.
  Rrset* find_dname(Dname name) {
    while (!name.is_root()) {
      name = name.parent();
      if (Rrset* found = find(name, Type::dname)) return found;
    }
    return nullptr;
  }
  std::vector<Rrset>& all() { return all_; }

 private:
  Result<> add(const RrView& rr, Section section, const Question& question, Dname zone,
               Credibility credibility);
  Rrset* place(const RrView& rr, Type type, Dname zone, Credibility credibility);
  std::vector<Rrset> all_;
  size_t octets_ = 0;
};

// Null: of another zone, or there are too many already.
Rrset* Sets::place(const RrView& rr, Type type, Dname zone, Credibility credibility) {
  for (Rrset& set : all_) {
    if (set.type == type && rr.owner.equals(set.owner)) return &set;
  }
  const DnameBuf owner = rr.owner.expand();
  if (all_.size() == most_rrsets || !owner.view().is_at_or_below(zone)) return nullptr;
  all_.push_back({.owner = owner,
                  .type = type,
                  .ttl = effective_ttl(rr.ttl),
                  .credibility = credibility,
                  .records = {},
                  .signatures = {}});
  return &all_.back();
}

Result<> Sets::add(const RrView& rr, Section section, const Question& question, Dname zone,
                   Credibility credibility) {
  if (rr.rclass != question.qclass || is_meta(rr.type)) return {};
  const bool covers = rr.type == Type::rrsig && question.qtype != Type::rrsig;
  const auto type = covers ? covered_type(rr.rdata) : rr.type;
  if (!type) return std::unexpected(Error::bad_rdata);
  Rrset* set = is_of_use(section, *type, question.qtype) ? place(rr, *type, zone, credibility) : nullptr;
  if (!set) return {};
  std::array<uint8_t, max_message_size> expanded;
  const auto rdata = expand_rdata(rr, expanded);
  if (!rdata) return std::unexpected(rdata.error());
  std::vector<Rdata>& to = covers ? set->signatures : set->records;
  Rdata octets(rdata->begin(), rdata->end());
  if (std::ranges::find(to, octets) != to.end()) return {};  // RFC 2181 section 5
  octets_ += octets.size();
  if (to.size() == most_records || octets_ > most_octets) return std::unexpected(Error::limit);
  to.push_back(std::move(octets));
  set->ttl = std::min(set->ttl, effective_ttl(rr.ttl));  // RFC 2181 section 5.2
  return {};
}

Result<Sets> Sets::read(const MessageView& reply, Section section, const Question& question, Dname zone,
                        Credibility credibility) {
  Sets sets;
  for (const RrView rr : reply.section(section)) {
    if (const auto added = sets.add(rr, section, question, zone, credibility); !added)
      return std::unexpected(added.error());
  }
  return sets;
}

class Reader {
 public:
  Reader(const MessageView& reply, const Question& question, Dname zone, Speaker speaker, Sets answer,
         Sets authority)
      : reply_(reply),
        trusted_(speaker == Speaker::resolver),
        question_(question),
        zone_(zone),
        answer_(std::move(answer)),
        authority_(std::move(authority)) {}

  Result<Reading> read() {
    reading_.end = question_.qname;
    if (const auto followed = follow(); !followed) return std::unexpected(followed.error());
    reading_.kind = judge();
    if (reading_.kind == Reading::Kind::denial) take_denial();
    return std::move(reading_);
  }

 private:
  using Kind = Reading::Kind;

  Result<> follow();
  bool take_data();
  Result<bool> step();
  Kind judge();
  Kind judge_without_data();
  const Rrset* delegation(bool of_the_zone);
  Kind refer(const Rrset& servers) {
    reading_.cut =
        reading_.end.view().suffix(servers.owner.view().label_count());  // in the asker's letter case
    return Kind::referral;
  }
  void take_denial();
  // Whether a denial of a DS is said by the zone below the cut, which has none to deny (RFC 4035 section
  // 3.1.4.1).
  bool is_of_child(const Rrset& soa) const {
    return question_.qtype == Type::ds && !trusted_ && soa.owner.view() == question_.qname &&
           soa.owner.view() != zone_;
  }
  bool holds_end(Dname owner) const { return reading_.end.view().is_at_or_below(owner); }

  const MessageView& reply_;
  bool trusted_;  // a resolver that was chosen: what it says of any name is taken
  const Question& question_;
  Dname zone_;
  Sets answer_, authority_;
  Reading reading_;
  bool has_data_ = false, too_long_ = false;
};

// RFC 1034 section 4.3.2 step 3a, as far as the zone reaches.
Result<> Reader::follow() {
  for (size_t steps = 0; steps < most_steps && holds_end(zone_); ++steps) {
    // What an alias leads to is asked for on its own: it may be another zone's.
    if (reading_.chain.empty() && take_data()) return {};
    const auto moved = step();
    if (!moved) return std::unexpected(moved.error());
    if (!*moved) break;
    // RFC 1034 section 4.3.2 step 3a: who asks for the alias itself is not led on.
    if (question_.qtype == Type::cname) {
      reading_.end = question_.qname;
      has_data_ = true;
      break;
    }
  }
  return {};
}

bool Reader::take_data() {
  // A CNAME that a DNAME stands for is not the zone's (RFC 6672 section 3.1).
  if (question_.qtype == Type::cname && answer_.find_dname(reading_.end)) return false;
  for (Rrset& set : answer_.all()) {
    const bool wanted = set.type == question_.qtype || question_.qtype == Type::any;
    if (!wanted || set.records.empty() || set.owner.view() != reading_.end) continue;
    reading_.chain.push_back(std::move(set));
    has_data_ = true;
    if (question_.qtype != Type::any) break;
  }
  return has_data_;
}

Result<bool> Reader::step() {
  if (Rrset* dname = answer_.find_dname(reading_.end)) {
    dname->records.resize(1);  // RFC 6672 section 2.4: there is one
    auto cname = synthesise_cname(*dname, reading_.end);
    reading_.chain.push_back(*dname);
    if (!cname && cname.error() == Error::name_too_long) {
      too_long_ = true;
      return false;
    }
    if (!cname) return std::unexpected(cname.error());
    reading_.end = *target_in(cname->records.front());
    reading_.chain.push_back(*std::move(cname));
    return true;
  }
  Rrset* cname = answer_.find(reading_.end, Type::cname);
  if (!cname) return false;
  const auto target = target_in(cname->records.front());
  if (!target) return std::unexpected(target.error());
  // A name has one CNAME (RFC 2181 section 10.1); who sends more gets the first of them believed.
  cname->records.resize(1);
  reading_.end = *target;
  reading_.chain.push_back(std::move(*cname));
  return true;
}

// The NS records of the authority section that lead down to the name; or those of the zone itself.
const Rrset* Reader::delegation(bool of_the_zone) {
  for (const Rrset& set : authority_.all()) {
    if (set.type != Type::ns || set.records.empty() || !holds_end(set.owner)) continue;
    if ((set.owner.view() == zone_) == of_the_zone) return &set;
  }
  return nullptr;
}

Reading::Kind Reader::judge() {
  const bool authoritative = reply_.header().aa() || trusted_;
  if (too_long_) return Kind::overflow;
  if (has_data_ && authoritative) return Kind::data;
  if (has_data_) {
    // Not authoritative: a referral with an answer that somebody remembered, or a resolver. But there are
    // servers that do not set AA where they should.
    if (const Rrset* child = delegation(false)) return refer(*child);
    return reply_.header().ra() ? Kind::lame : Kind::data;
  }
  if (reading_.chain.empty()) return judge_without_data();
  return reply_.header().ra() && !authoritative ? Kind::lame : Kind::alias;
}

Reading::Kind Reader::judge_without_data() {
  const bool authoritative = reply_.header().aa() || trusted_;
  const bool from_resolver = reply_.header().ra() && !authoritative;
  if (reply_.rcode() == Rcode::nxdomain) return from_resolver ? Kind::lame : Kind::denial;
  for (const Rrset& set : authority_.all()) {
    if (set.type != Type::soa || !holds_end(set.owner)) continue;
    return from_resolver || is_of_child(set) ? Kind::lame : Kind::denial;
  }
  if (const Rrset* child = delegation(false)) {
    return refer(*child);
  }
  if (delegation(true)) return authoritative ? Kind::denial : Kind::lame;
  if (from_resolver) return Kind::lame;
  // NS records from above the zone are not among the sets: an upward referral.
  if (!authoritative && reply_.header().count(Section::authority) > 0) return Kind::lame;
  return trusted_ ? Kind::denial : Kind::empty;
}

void Reader::take_denial() {
  reading_.denial.of_name = reply_.rcode() == Rcode::nxdomain;
  for (Rrset& set : authority_.all()) {
    if (!is_proof(set.type) || set.records.empty()) continue;
    if (set.type == Type::soa && !holds_end(set.owner)) continue;
    const auto at = set.type == Type::soa ? reading_.denial.proof.begin() : reading_.denial.proof.end();
    reading_.denial.proof.insert(at, std::move(set));
  }
}

}  // namespace

std::string in_words(const Reading& reading) {
  switch (reading.kind) {
    case Reading::Kind::data:
      return "the answer";
    case Reading::Kind::alias:
      return "an alias of " + reading.end.to_string();
    case Reading::Kind::denial:
      return reading.denial.of_name ? "the name does not exist" : "no data of the type";
    case Reading::Kind::referral:
      return "a referral to " + reading.cut.to_string();
    case Reading::Kind::overflow:
      return "an alias that is too long";
    case Reading::Kind::lame:
      return "lame: it does not serve the zone";
    case Reading::Kind::empty:
      return "nothing";
  }
  return {};
}

Result<Dname> target_in(const Rdata& rdata) {
  const auto target = Dname::parse(rdata);
  if (!target || target->size() != rdata.size()) return std::unexpected(Error::bad_rdata);
  return *target;
}

Result<Rrset> synthesise_cname(const Rrset& dname, Dname name) {
  const auto target = target_in(dname.records.front());
  if (!target) return std::unexpected(target.error());
  const auto made = substitute(name, dname.owner, *target);
  if (!made) return std::unexpected(made.error());
  const Bytes wire = made->view().wire();
  return Rrset{.owner = DnameBuf(name),
               .type = Type::cname,
               .ttl = dname.ttl,
               .credibility = dname.credibility,
               .synthesised = true,
               .records = {Rdata(wire.begin(), wire.end())},
               .signatures = {}};
}

Result<Reading> read_reply(const MessageView& reply, const Question& question, Dname zone, Speaker speaker) {
  const bool aa = reply.header().aa();
  auto answer = Sets::read(reply, Section::answer, question, zone,
                           aa ? Credibility::authoritative_answer : Credibility::answer);
  if (!answer) return std::unexpected(answer.error());
  // A resolver may have asked a zone above those that it was chosen for.
  const Dname highest = speaker == Speaker::resolver ? Dname() : zone;
  auto authority = Sets::read(reply, Section::authority, question, highest,
                              aa ? Credibility::authority : Credibility::additional);
  if (!authority) return std::unexpected(authority.error());
  return Reader(reply, question, zone, speaker, *std::move(answer), *std::move(authority)).read();
}

}  // namespace peregrine
