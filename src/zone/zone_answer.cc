// RFC 1034 section 4.3.2, with the wildcards of RFC 4592 and the DNAMEs of RFC 6672.
#include <algorithm>

#include "wire/rdata.h"
#include "zone/zone.h"

namespace peregrine {
namespace {

constexpr unsigned most_aliases = 16;

}  // namespace

class Zone::Answer {
 public:
  Answer(const Zone& zone, const Question& question, bool dnssec_ok, MessageWriter& out)
      : zone_(zone), question_(question), dnssec_ok_(dnssec_ok), out_(out), name_(question.qname) {}

  Outcome write() {
    out_.aa(true);
    for (unsigned aliases = 0; aliases < most_aliases && zone_.holds(name_); ++aliases) {
      if (!follow()) break;
    }
    put_glue();
    if (!fits_) return Outcome::overflow;
    if (name_ == question_.qname) return referred_ ? Outcome::referral : Outcome::answered;
    return referred_ || !zone_.holds(name_) ? Outcome::alias : Outcome::answered;
  }

 private:
  // One name of the chain; whether there is another.
  bool follow();
  bool follow_dname(Dname owner, const Set& dname);
  bool from_node(const Node& node);
  bool from_wildcard(const Node& node, Dname wildcard);
  bool from_ancestors();
  void refer(Dname cut);
  void deny(Rcode rcode);
  void prove(Dname name);
  void put(Section section, Dname owner, const Set& set) { put(section, owner, set, set.ttl); }
  void put(Section section, Dname owner, const Set& set, uint32_t ttl);
  void put_glue();

  const Zone& zone_;
  const Question& question_;
  bool dnssec_ok_;
  MessageWriter& out_;
  DnameBuf name_;
  const Set* servers_ = nullptr;      // NS records whose addresses are wanted
  std::vector<Dname> proven_;         // owners of the NSEC records that are there
  std::vector<const Set*> followed_;  // aliases that are there
  bool referred_ = false;
  bool fits_ = true;
};

bool Zone::Answer::follow() {
  // The DS records of a delegation are the parent's (RFC 4035 section 3.1.4.1).
  if (const auto cut = zone_.cut(name_, question_.qtype != Type::ds)) return refer(*cut), false;
  if (const Node* node = zone_.find(name_)) return from_node(*node);
  if (zone_.exists(name_)) return deny(Rcode::noerror), prove(name_), false;
  return from_ancestors();
}

bool Zone::Answer::from_node(const Node& node) {
  if (question_.qtype == Type::any) {
    for (const Set& set : node.sets) put(Section::answer, name_, set);
    return false;
  }
  const Set* data = node.find(question_.qtype);
  if (data) {
    put(Section::answer, name_, *data);
    if (data->type == Type::ns) servers_ = data;
    return false;
  }
  const Set* cname = node.find(Type::cname);
  if (!cname) return deny(Rcode::noerror), prove(name_), false;
  if (std::ranges::find(followed_, cname) != followed_.end()) return false;  // they go round
  followed_.push_back(cname);
  put(Section::answer, name_, *cname);
  name_ = Dname::from_checked(cname->records.front());
  return true;
}

// The closest encloser has a DNAME, or a wildcard below it, or the name does not exist.
bool Zone::Answer::from_ancestors() {
  Dname encloser = name_;
  do encloser = encloser.parent();
  while (!zone_.exists(encloser) && encloser.size() > zone_.apex().size());
  for (Dname above = encloser; zone_.holds(above); above = above.parent()) {
    const Node* node = zone_.find(above);
    const Set* dname = node ? node->find(Type::dname) : nullptr;
    if (dname) return follow_dname(above, *dname);
    if (above.is_root()) break;
  }
  DnameBuf wildcard;
  constexpr uint8_t star = '*';
  if (wildcard.append_label(Bytes(&star, 1)) && wildcard.append(encloser)) {
    if (const Node* node = zone_.find(wildcard)) return from_wildcard(*node, wildcard);
  }
  deny(Rcode::nxdomain);
  prove(name_);
  prove(wildcard);
  return false;
}

// RFC 4035 sections 3.1.3.3 and 3.1.3.4: that nothing closer exists, and where there are no data, that the
// wildcard has none.
bool Zone::Answer::from_wildcard(const Node& node, Dname wildcard) {
  const DnameBuf asked = name_;
  const bool more = from_node(node);
  prove(asked);
  if (!more && !node.find(question_.qtype)) prove(wildcard);
  return more;
}

bool Zone::Answer::follow_dname(Dname owner, const Set& dname) {
  put(Section::answer, owner, dname);
  const auto made = substitute(name_, owner, Dname::from_checked(dname.records.front()));
  if (!made) {
    out_.rcode(Rcode::yxdomain);
    return false;
  }
  const Bytes wire = made->view().wire();
  fits_ = fits_ && out_.rr(Section::answer, name_, Type::cname, Class::in, dname.ttl, wire);
  name_ = *made;
  return question_.qtype != Type::cname;
}

void Zone::Answer::refer(Dname cut) {
  const Node& node = *zone_.find(cut);
  servers_ = node.find(Type::ns);
  referred_ = true;
  out_.aa(name_ != question_.qname);  // what came before is of this zone
  put(Section::authority, cut, *servers_);
  if (!dnssec_ok_) return;
  if (const Set* ds = node.find(Type::ds)) return put(Section::authority, cut, *ds);
  prove(cut);  // RFC 4035 section 3.1.4
}

void Zone::Answer::deny(Rcode rcode) {
  out_.rcode(rcode);
  const Node* apex = zone_.find(zone_.apex());
  const Set* soa = apex ? apex->find(Type::soa) : nullptr;
  if (!soa) return;
  const auto& rdata = soa->records.front();
  if (rdata.size() < sizeof(uint32_t)) return;
  // RFC 2308 section 3: the lesser of its TTL and its last number.
  const uint32_t minimum = load_u32(rdata.data() + rdata.size() - sizeof(uint32_t));
  put(Section::authority, zone_.apex(), *soa, std::min(soa->ttl, minimum));
}

// With the NSEC record that the name has or that says what follows the last name before it.
void Zone::Answer::prove(Dname name) {
  if (!dnssec_ok_) return;
  const auto found = zone_.covering(name);
  if (found == zone_.nodes_.end() || std::ranges::find(proven_, found->first.view()) != proven_.end()) return;
  proven_.push_back(found->first);
  put(Section::authority, found->first, *found->second.find(Type::nsec));
}

void Zone::Answer::put(Section section, Dname owner, const Set& set, uint32_t ttl) {
  for (const auto& rdata : set.records)
    fits_ = fits_ && out_.rr(section, owner, set.type, Class::in, ttl, rdata);
  if (!dnssec_ok_) return;
  for (const auto& rdata : set.signatures)
    fits_ = fits_ && out_.rr(section, owner, Type::rrsig, Class::in, ttl, rdata);
}

// RFC 1034 section 4.3.2 step 3b. What does not fit is left out (RFC 2181 section 9), but for what the
// delegation cannot do without.
void Zone::Answer::put_glue() {
  if (!servers_) return;
  for (const auto& rdata : servers_->records) {
    const Dname server = Dname::from_checked(rdata);
    const Node* node = zone_.holds(server) ? zone_.find(server) : nullptr;
    for (const Type type : {Type::a, Type::aaaa}) {
      if (const Set* set = node ? node->find(type) : nullptr) put(Section::additional, server, *set);
    }
  }
}

Zone::Outcome Zone::answer(const Question& question, bool dnssec_ok, MessageWriter& out) const {
  if (!holds(question.qname)) return Outcome::outside;
  return Answer(*this, question, dnssec_ok, out).write();
}

}  // namespace peregrine
