#include "resolve/zone_inquiry.h"

#include <algorithm>
#include <array>
#include <ranges>

#include "resolve/reply.h"

namespace peregrine {
namespace {

constexpr size_t most_servers = 32;     // addresses that are tried for one question
constexpr unsigned most_rounds = 3;     // of those that are silent
constexpr unsigned most_aliases = 4;    // of a server's name
constexpr unsigned lookups_a_zone = 6;  // of names of servers: NXNSAttack names many

// IANA's special-purpose addresses that no public server has.
const std::array<Prefix, 18>& private_prefixes() {
  static const auto prefixes = [] {
    constexpr std::array<std::string_view, 18> texts = {
        "0.0.0.0/8",    "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",    "::/128",
        "::1/128",      "64:ff9b:1::/48", "fc00::/7",      "fe80::/10",   "fec0::/10",      "ff00::/8"};
    std::array<Prefix, texts.size()> made;
    std::ranges::transform(texts, made.begin(),
                           [](std::string_view text) { return Prefix::parse(text).value(); });
    return made;
  }();
  return prefixes;
}

std::optional<IpAddress> address_in(Type type, const Rdata& rdata) {
  if (type == Type::a && rdata.size() == 4) {
    std::array<uint8_t, 4> octets;
    std::ranges::copy(rdata, octets.begin());
    return IpAddress::v4(octets);
  }
  if (type == Type::aaaa && rdata.size() == 16) {
    std::array<uint8_t, 16> octets;
    std::ranges::copy(rdata, octets.begin());
    return IpAddress::v6(octets);
  }
  return std::nullopt;
}

void put_addresses(const Rrset& set, std::vector<IpAddress>& out) {
  for (const Rdata& rdata : set.records) {
    if (const auto address = address_in(set.type, rdata)) out.push_back(*address);
  }
}

}  // namespace

bool is_public(const IpAddress& address) {
  // NAT64 (RFC 6052) and 6to4 (RFC 3056) lead to the IPv4 address that they hold.
  static const Prefix nat64 = Prefix::parse("64:ff9b::/96").value(),
                      six_to_four = Prefix::parse("2002::/16").value();
  const auto embedded = [&](size_t at) {
    std::array<uint8_t, 4> octets;
    std::ranges::copy(address.octets().subspan(at, octets.size()), octets.begin());
    return IpAddress::v4(octets);
  };
  if (nat64.contains(address)) return is_public(embedded(12));
  if (six_to_four.contains(address)) return is_public(embedded(2));
  return std::ranges::none_of(private_prefixes(),
                              [&](const Prefix& prefix) { return prefix.contains(address); });
}

ZoneInquiry::ZoneInquiry(Recursor& recursor, Recursor::JobPtr job, Recursor::QuestPtr quest, Delegation zone,
                         const Minimiser::Ask& ask)
    : recursor_(recursor),
      job_(std::move(job)),
      quest_(std::move(quest)),
      zone_(std::move(zone)),
      qname_(ask.name),
      // DO is always set: what is cached serves those who ask for signatures, too.
      question_{.qname = qname_,
                .qtype = ask.type,
                .dnssec_ok = true,
                .randomise_case = job_->options().randomise_case,
                .udp_size = job_->options().udp_size},
      place_(quest_->place.add({.kind = TraceStep::Kind::zone, .name = zone_.zone})) {}

Task<Recursor::Found> ZoneInquiry::run() {
  if (zone_.zone.view().is_root()) {
    auto at_hand = recursor_.from_local_root(*job_, qname_, question_.qtype);
    if (at_hand) {
      place_.remark("answered from the local root zone");
      co_return *std::move(at_hand);
    }
  }
  add_known_addresses();
  do {
    auto found = co_await ask_all();
    if (found) co_return std::move(*found);
    const bool more = co_await find_more_addresses();
    if (more) continue;
    add_unverified();
    if (!untried_.empty()) continue;
    // A server may be silent because a packet was lost.
    untried_ = std::exchange(silent_, {});
    ++round_;
  } while (!untried_.empty() && round_ < most_rounds && !spent());
  if (last_resort_) {
    job_->server = last_resort_server_;
    last_resort_->kind = Reading::Kind::denial;
    co_return *std::move(last_resort_);
  }
  co_return failure();
}

void ZoneInquiry::add(std::span<const IpAddress> addresses, uint16_t port) {
  for (const IpAddress& address : addresses) {
    if (seen_.size() == most_servers) return;
    const Endpoint server{address, port != 0 ? port : job_->options().port, 0};
    if (seen_.insert(server).second && may_be_asked(address)) untried_.push_back(server);
  }
}

// Others must not be able to send us to ourselves or into our network.
bool ZoneInquiry::may_be_asked(const IpAddress& address) const {
  if (zone_.configured || job_->options().query_private) return true;
  const bool is_own = std::ranges::binary_search(job_->table->own_addresses, address);
  if (is_public(address) && !is_own) return true;
  if (place_)
    place_.remark("not asked: " + address.to_string() + (is_own ? " is our own" : " is a private address"));
  return false;
}

std::vector<IpAddress> ZoneInquiry::known_addresses(Dname server) const {
  std::vector<IpAddress> addresses;
  for (const Type type : {Type::a, Type::aaaa}) {
    if (const auto set = recursor_.knowledge_.rrset(server, type)) put_addresses(*set, addresses);
  }
  return addresses;
}

// Glue of names that the parent does not hold either is a hint from somebody who need not know: it is for
// when nothing else helps.
void ZoneInquiry::add_known_addresses() {
  for (const NameServer& server : zone_.servers) {
    std::vector<IpAddress> addresses = server.addresses;
    if (addresses.empty()) addresses = known_addresses(server.name);
    if (!is_believed(server)) {
      unverified_.insert(unverified_.end(), server.addresses.begin(), server.addresses.end());
      addresses = known_addresses(server.name);
    }
    add(addresses, server.port);
    // What is cached of one family says nothing of the other.
    const bool has_both = !server.addresses.empty() && is_believed(server);
    if (!has_both && names_.size() < lookups_a_zone) names_.push_back(server.name);
  }
}

// Of what came with the referral, the addresses that its sender answers for: not those of servers outside of
// its zone, and, for who trusts no glue but what cannot be had otherwise, not those outside of the cut.
bool ZoneInquiry::is_believed(const NameServer& glue) const {
  const Dname cut = zone_.zone;
  return zone_.configured ||
         glue.name.view().is_at_or_below(job_->options().verify_sibling_glue ? cut : cut.parent());
}

// Where what the servers' own zones say does not help, what their parents say may.
void ZoneInquiry::add_unverified() {
  add(std::exchange(unverified_, {}));
  const std::vector<NameServer> servers = std::exchange(zone_.servers, {});
  for (const NameServer& server : servers | std::views::take(lookups_a_zone)) {
    Dname name = server.name;
    while (const auto above = recursor_.knowledge_.delegation(name)) {
      for (const NameServer& other : above->servers) {
        if (other.name == server.name) add(other.addresses);
      }
      if (above->zone.view().is_root()) break;
      name = name.suffix(above->zone.view().label_count() - 1);
    }
  }
}

// Nothing: none of those at hand helps.
Task<std::optional<Recursor::Found>> ZoneInquiry::ask_all() {
  const Talk::Tools& tools = recursor_.tools_;
  Race race({tools, tools.exchange.timers(), recursor_.joint_, recursor_.hedges_}, question_,
            {job_, &job_->budget}, place_, tools.upstreams.order(std::exchange(untried_, {}), most_servers),
            round_);
  while (auto outcome = co_await race.next()) {
    const Answered& answered = outcome->answered;
    had_reply_ |= answered || answered.error() == TalkFailure::useless;
    if (!answered && answered.error() == TalkFailure::cancelled)
      co_return std::unexpected(Recursor::Failure{Ede::not_ready, "shutting down"});
    if (!answered && answered.error() == TalkFailure::silent) silent_.push_back(outcome->server);
    if (!answered && answered.error() == TalkFailure::shortage) ++job_->cut_short;
    if (!answered) continue;
    auto found = take(*outcome);
    if (found) co_return found;
  }
  asked_ += race.asked();
  if (spent()) co_return failure();
  co_return std::nullopt;
}

// Nothing where the reply is of no use.
std::optional<Recursor::Found> ZoneInquiry::take(const Race::Outcome& outcome) {
  const Endpoint server = outcome.server;
  const Reply& reply = *outcome.answered;
  const auto view = MessageView::parse(reply.message);
  auto reading = view ? read(*view, outcome.query) : std::unexpected(view.error());
  const bool is_useless = !reading || reading->kind == Reading::Kind::lame;
  Upstreams& upstreams = recursor_.tools_.upstreams;
  if (!outcome.shared && is_useless) upstreams.answered_uselessly(server, reply.rtt);
  if (!outcome.shared && !is_useless) upstreams.answered(server, reply.rtt);
  if (is_useless) return std::nullopt;
  if (reading->kind == Reading::Kind::empty) {
    last_resort_ = *std::move(reading);
    last_resort_server_ = server;
    return std::nullopt;
  }
  job_->server = server;
  if (reading->kind == Reading::Kind::referral) {
    const DelegationSource source{.referral = *view, .cut = reading->cut, .bailiwick = zone_.zone};
    reading->delegation = recursor_.knowledge_.learn(source, job_->began);
    if (!reading->delegation) return std::nullopt;
  }
  if (reading->kind == Reading::Kind::data && is_priming()) {
    const DelegationSource source{
        .referral = *view, .cut = Dname(), .bailiwick = Dname(), .section = Section::answer};
    reading->delegation = recursor_.knowledge_.learn(source, job_->began);
  }
  return *std::move(reading);
}

Result<Reading> ZoneInquiry::read(const MessageView& reply, TracePlace query) const {
  if (classify(reply, false) != ReplyKind::answer) {
    if (query) query.say(to_string(reply.rcode()));
    return std::unexpected(Error::bad_message);
  }
  auto reading = read_reply(reply, {question_.qname, question_.qtype, question_.qclass}, zone_.zone);
  if (query) query.say(reading ? in_words(*reading) : std::string(to_string(reading.error())));
  return reading;
}

// Addresses of one server more, or more addresses of one; whether there are any.
Task<bool> ZoneInquiry::find_more_addresses() {
  while (lookup_ || begin_lookup()) {
    add(lookup_->found);
    if (!untried_.empty()) co_return true;
    if (lookup_->running == 0) {
      lookup_.reset();
      continue;
    }
    co_await lookup_->news;
    lookup_->news.reset();
  }
  co_return false;
}

// False where no server is left that can be looked up.
bool ZoneInquiry::begin_lookup() {
  while (!names_.empty()) {
    if (job_->lookups == 0 || quest_->depth >= job_->options().max_depth || spent()) {
      ++job_->cut_short;
      place_.remark("no more servers are looked up for this request");
      return false;
    }
    const DnameBuf name = names_.front();
    names_.erase(names_.begin());
    std::vector<Recursor::QuestPtr> quests;
    for (const Type type : {Type::a, Type::aaaa}) {
      if (quest_->is_sought(name, type)) {
        ++job_->cut_short;
        continue;
      }
      quests.push_back(std::make_shared<Recursor::Quest>(Recursor::Quest{.name = name,
                                                                         .type = type,
                                                                         .depth = quest_->depth + 1,
                                                                         .for_the_sake_of = quest_,
                                                                         .place = place_.quest(name, type)}));
    }
    if (quests.empty()) continue;
    --job_->lookups;
    lookup_ = std::make_shared<AddressLookup>();
    lookup_->running = static_cast<unsigned>(quests.size());
    for (const Recursor::QuestPtr& quest : quests) spawn(look_up(&recursor_, job_, quest, lookup_));
    return true;
  }
  return false;
}

Task<void> ZoneInquiry::look_up(Recursor* recursor, Recursor::JobPtr job, Recursor::QuestPtr quest,
                                std::shared_ptr<AddressLookup> lookup) {
  auto found = co_await recursor->find(job, quest);
  // NS records lead to names with addresses and not to aliases (RFC 2181 section 10.3), but there are some.
  for (unsigned aliases = 0; found && found->kind == Reading::Kind::alias && aliases < most_aliases;
       ++aliases) {
    if (quest->is_sought(found->end, quest->type)) {
      ++job->cut_short;
      break;
    }
    quest = std::make_shared<const Recursor::Quest>(
        Recursor::Quest{.name = found->end,
                        .type = quest->type,
                        .depth = quest->depth,
                        .for_the_sake_of = quest,
                        .place = quest->place.quest(found->end, quest->type)});
    found = co_await recursor->find(job, quest);
  }
  if (quest->place) quest->place.say(found ? in_words(*found) : found.error().text);
  if (found && found->kind == Reading::Kind::data) put_addresses(found->chain.front(), lookup->found);
  --lookup->running;
  lookup->news.deliver(true);
}

Recursor::Found ZoneInquiry::failure() const {
  place_.say("no answer");
  if (spent()) ++job_->cut_short;
  const std::string zone = zone_.zone.to_string();
  if (job_->budget.packets == 0 || job_->budget.octets == 0) {
    return std::unexpected(
        Recursor::Failure{Ede::no_reachable_authority, "more work than a request may cause"});
  }
  if (asked_ == 0 && spent()) {
    return std::unexpected(Recursor::Failure{Ede::network_error, "no time left to ask servers of " + zone});
  }
  if (asked_ == 0) {
    return std::unexpected(
        Recursor::Failure{Ede::no_reachable_authority, "no address of a server of " + zone});
  }
  return std::unexpected(
      Recursor::Failure{had_reply_ ? Ede::no_reachable_authority : Ede::network_error,
                        (had_reply_ ? "no answer from servers of " : "no reply from servers of ") + zone});
}

}  // namespace peregrine
