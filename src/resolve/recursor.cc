#include "resolve/recursor.h"

#include <algorithm>

#include "resolve/own_zone.h"
#include "resolve/zone_inquiry.h"
#include "wire/message_writer.h"

namespace peregrine {
namespace {

constexpr size_t most_sets = 64;  // of an answer

bool has_address(const Delegation& delegation) {
  return std::ranges::any_of(delegation.servers, [](const NameServer& s) { return !s.addresses.empty(); });
}

// Where all servers are named by the zone itself and have no addresses (any more), only the parent helps.
bool is_of_use(const Delegation& delegation) {
  return has_address(delegation) || std::ranges::any_of(delegation.servers, [&](const NameServer& server) {
           return !server.name.view().is_at_or_below(delegation.zone);
         });
}

// Glue may expire before what it came with; the zone itself cannot be asked for it then.
bool has_lost_addresses(const Delegation& delegation) {
  return !delegation.configured && std::ranges::any_of(delegation.servers, [&](const NameServer& server) {
    return server.addresses.empty() && server.name.view().is_at_or_below(delegation.zone);
  });
}

// RFC 1034 section 3.6.2: a loop is an error.
bool is_visited(const std::vector<Rrset>& chain, Dname name) {
  return std::ranges::any_of(
      chain, [&](const Rrset& set) { return set.type == Type::cname && set.owner.view() == name; });
}

bool is_dnssec(Type type) { return type == Type::nsec || type == Type::nsec3 || type == Type::rrsig; }

Resolution servfail(Ede ede, std::string text) {
  Resolution resolution;
  resolution.ede = ede;
  resolution.ede_text = std::move(text);
  return resolution;
}

Rcode rcode_of(const Reading& last) {
  if (last.kind == Reading::Kind::overflow) return Rcode::yxdomain;
  return last.kind == Reading::Kind::denial && last.denial.of_name ? Rcode::nxdomain : Rcode::noerror;
}

}  // namespace

const Delegation* RecursionTable::stub(Dname name) const {
  const Delegation* best = nullptr;
  for (const Delegation& stub : stubs) {
    if (!name.is_at_or_below(stub.zone)) continue;
    if (!best || stub.zone.view().size() > best->zone.view().size()) best = &stub;
  }
  return best;
}

bool Recursor::Quest::is_sought(Dname sought, Type sought_type) const {
  for (const Quest* quest = this; quest; quest = quest->for_the_sake_of.get()) {
    if (quest->name.view() == sought && quest->type == sought_type) return true;
  }
  return false;
}

const ForwardTable::Zone* forward_of(Dname name, const ForwardTable& forwards, const RecursionTable& table) {
  const ForwardTable::Zone* zone = forwards.find(name);
  const Delegation* stub = table.stub(name);
  return zone && (!stub || stub->zone.view().size() < zone->zone.view().size()) ? zone : nullptr;
}

Dname Recursor::Job::configured_for(Dname name) const {
  if (const ForwardTable::Zone* zone = forward_of(name, *forwards, *table)) return zone->zone;
  const Delegation* stub = table->stub(name);
  return stub ? stub->zone.view() : Dname();
}

Recursor::Recursor(Talk::Tools tools, Knowledge& knowledge, Forwarder& forwarder)
    : tools_(tools),
      knowledge_(knowledge),
      forwarder_(forwarder),
      failures_(tools.clock),
      scratch_(max_message_size) {}

Task<Resolution> Recursor::resolve(ResolveRequest request, std::shared_ptr<const RecursionTable> table,
                                   std::shared_ptr<const ForwardTable> forwards, ForwarderOptions forwarding,
                                   std::shared_ptr<Trace> trace) {
  if (request.qclass != Class::in) co_return servfail(Ede::not_supported, "only class IN is resolved");
  const RecursionOptions options = table->options;
  const JobPtr job = begin(std::move(table));
  job->forwards = std::move(forwards);
  job->forwarding = forwarding;
  job->trace = std::move(trace);
  const TracePlace place = TracePlace(job->trace.get()).quest(request.qname, request.qtype);
  std::vector<Rrset> chain;
  DnameBuf name = request.qname;
  for (unsigned aliases = 0; aliases <= options.max_aliases; ++aliases) {
    auto quest =
        std::make_shared<const Quest>(Quest{.name = name,
                                            .type = request.qtype,
                                            .place = aliases == 0 ? place : place.quest(name, request.qtype),
                                            .is_the_clients = aliases == 0});
    auto found = co_await find(job, quest);
    if (!found) {
      place.say(found.error().text);
      auto failure = servfail(found.error().ede, std::move(found.error().text));
      failure.upstream_packets = options.max_packets - job->budget.packets;
      co_return failure;
    }
    std::ranges::move(found->chain, std::back_inserter(chain));
    if (found->kind != Reading::Kind::alias) {
      auto resolution = compose(request, chain, *found);
      resolution.server = job->server;
      resolution.used_local_zone = job->used_local_zone;
      if (place) place.say(to_string(resolution.rcode));
      resolution.upstream_packets = options.max_packets - job->budget.packets;
      co_return resolution;
    }
    if (chain.size() > most_sets || is_visited(chain, found->end)) break;
    name = found->end;
  }
  place.say("a chain of aliases without end");
  co_return servfail(Ede::other, "a chain of aliases without end");
}

Recursor::JobPtr Recursor::begin(std::shared_ptr<const RecursionTable> table) {
  const RecursionOptions& options = table->options;
  const Budget budget{.packets = options.max_packets,
                      .octets = options.max_octets,
                      .deadline = tools_.clock.now() + options.timeout};
  return std::make_shared<Job>(
      Job{.table = table,
          .forwards = std::make_shared<const ForwardTable>(std::vector<ForwardTable::Zone>{}),
          .forwarding = {},
          .budget = budget,
          .lookups = options.max_lookups,
          .began = knowledge_.flush_generation()});
}

std::optional<Resolution> Recursor::recall(const ResolveRequest& request,
                                           std::shared_ptr<const RecursionTable> table,
                                           std::shared_ptr<const ForwardTable> forwards) {
  if (request.qclass != Class::in) return std::nullopt;
  const JobPtr job = begin(std::move(table));
  job->forwards = std::move(forwards);
  std::vector<Rrset> chain;
  DnameBuf name = request.qname;
  while (true) {
    const Quest quest{.name = name, .type = request.qtype};
    if (job->table->locals && job->table->locals->find(quest.name, quest.type)) break;  // asked later
    auto known = from_cache(*job, quest);
    if (!known) break;
    std::ranges::move(known->chain, std::back_inserter(chain));
    if (known->kind != Reading::Kind::alias) return compose(request, chain, *known);
    if (chain.size() > most_sets || is_visited(chain, known->end)) break;
    name = known->end;
  }
  return std::nullopt;
}

Task<bool> Recursor::prime(std::shared_ptr<const RecursionTable> table) {
  const JobPtr job = begin(std::move(table));
  const auto quest = std::make_shared<const Quest>(Quest{.name = {}, .type = Type::ns});
  ZoneInquiry inquiry(*this, job, quest, job->table->root,
                      {.name = Dname(), .type = Type::ns, .whole = true});
  auto found = co_await inquiry.run();
  co_return found || found.error().ede == Ede::not_ready;
}

Task<Recursor::Found> Recursor::find(JobPtr job, QuestPtr quest) {
  if (auto local = from_local_zone(*job, *quest)) co_return *std::move(local);
  if (auto known = from_cache(*job, *quest)) co_return *std::move(known);
  if (const Failure* failure = failures_.find(quest->name, quest->type, job->began)) {
    quest->place.remark("failed a moment ago");
    co_return std::unexpected(Failure{Ede::cached_error, failure->text});
  }
  const unsigned cut_short = job->cut_short;
  auto found = co_await ask(job, quest);
  if (found) {
    failures_.forget(quest->name, quest->type);
  } else if (job->cut_short == cut_short ||
             (quest->is_the_clients && job->budget.spent(tools_.clock.now()))) {
    // What this request had no time or packets left for may be had by another.
    failures_.remember(quest->name, quest->type, job->began, found.error());
  }
  co_return found;
}

Task<Recursor::Found> Recursor::ask(JobPtr job, QuestPtr quest) {
  if (const ForwardTable::Zone* zone = forward_of(quest->name, *job->forwards, *job->table)) {
    auto found = co_await forward(job, quest);
    if (found || !zone->first) co_return found;
    quest->place.remark(found.error().text + ": resolved without them");
  }
  auto found = co_await iterate(job, quest);
  co_return found;
}

// Nothing for what is below a delegation, which is a stub.
std::optional<Recursor::Found> Recursor::from_local_zone(Job& job, const Quest& quest) {
  const Zone* zone = job.table->locals ? job.table->locals->find(quest.name, quest.type) : nullptr;
  if (!zone) return std::nullopt;
  auto reading = read_own_zone(*zone, quest.name, quest.type, scratch_);
  if (!reading) return std::unexpected(Failure{Ede::other, "a local answer larger than a message"});
  if (reading->kind == Reading::Kind::referral) return std::nullopt;
  job.used_local_zone = true;
  if (quest.place) quest.place.remark("answered from the local zone " + zone->apex().to_string());
  return *std::move(reading);
}

// What the root's servers would say. Nothing where they are to be asked.
std::optional<Reading> Recursor::from_local_root(const Job& job, Dname name, Type type) {
  const RecursionTable& table = *job.table;
  if (!table.local_root || tools_.clock.wall() >= table.local_root_expires) return std::nullopt;
  auto reading = read_own_zone(*table.local_root, name, type, scratch_);
  return reading ? std::optional(*std::move(reading)) : std::nullopt;
}

std::optional<Reading> Recursor::from_cache(const Job& job, const Quest& quest) {
  const Dname name = quest.name;
  const auto known = [&](Reading reading, const char* what) {
    quest.place.add(
        {.kind = TraceStep::Kind::cached, .name = reading.end, .type = quest.type, .outcome = what});
    return reading;
  };
  if (auto data = knowledge_.rrset(name, quest.type)) {
    return known({.kind = Reading::Kind::data, .chain = {*std::move(data)}, .end = DnameBuf(name)}, "data");
  }
  const Dname highest = job.configured_for(name);
  // Whether a zone begins at a name is for its parent to say, whatever the zone holds there.
  auto alias = quest.type == Type::ds ? std::nullopt : alias_from_cache(name, highest);
  if (alias && quest.type == Type::cname) {
    alias->kind = Reading::Kind::data;
    alias->end = name;
  }
  if (alias) return known(*std::move(alias), "an alias");
  if (auto denial = knowledge_.denial(name, quest.type, highest)) {
    const char* what = denial->of_name ? "the name does not exist" : "no data of the type";
    return known({.kind = Reading::Kind::denial, .end = DnameBuf(name), .denial = *std::move(denial)}, what);
  }
  return std::nullopt;
}

// A CNAME at the name or a DNAME above it.
std::optional<Reading> Recursor::alias_from_cache(Dname name, Dname highest) {
  Reading reading{.kind = Reading::Kind::alias};
  auto cname = knowledge_.rrset(name, Type::cname);
  for (Dname above = name; !cname && above.size() > highest.size();) {
    above = above.parent();
    auto dname = knowledge_.rrset(above, Type::dname);
    auto made = dname ? synthesise_cname(*dname, name) : std::unexpected(Error::not_found);
    if (!made) continue;
    reading.chain.push_back(*std::move(dname));
    cname = *std::move(made);
  }
  const auto target = cname ? target_in(cname->records.front()) : std::unexpected(Error::not_found);
  if (!target) return std::nullopt;
  reading.end = *target;
  reading.chain.push_back(*std::move(cname));
  return reading;
}

// What a resolver of others says is taken of the names below the zone that it was chosen for.
Task<Recursor::Found> Recursor::forward(JobPtr job, QuestPtr quest) {
  const ResolveRequest request{.qname = quest->name, .qtype = quest->type, .dnssec_ok = true};
  const Instant now = tools_.clock.now();
  if (job->budget.spent(now)) {
    ++job->cut_short;
    co_return std::unexpected(Failure{Ede::no_reachable_authority, "no time left"});
  }
  ForwarderOptions options = job->forwarding;
  options.max_packets = std::min(options.max_packets, job->budget.packets);
  options.timeout = std::min(options.timeout, job->budget.deadline - now);
  const ForwardTable::Zone* zone = forward_of(quest->name, *job->forwards, *job->table);
  if (zone && zone->first) options.timeout = std::min(options.timeout, (job->budget.deadline - now) / 2);
  auto resolution = co_await forwarder_.resolve(request, job->forwards, options, quest->place);
  job->budget.packets -= std::min(job->budget.packets, resolution.upstream_packets);
  const auto message = MessageView::parse(resolution.message);
  if (!message) {
    if (options.timeout < job->forwarding.timeout || job->budget.spent(tools_.clock.now())) ++job->cut_short;
    co_return std::unexpected(Failure{resolution.ede.value_or(Ede::other), resolution.ede_text});
  }
  job->server = resolution.server;
  const Dname chosen_for = zone ? zone->zone.view() : Dname();
  auto reading = read_reply(*message, {quest->name, quest->type, Class::in}, chosen_for, Speaker::resolver);
  if (!reading) co_return std::unexpected(Failure{Ede::invalid_data, "a reply that cannot be read"});
  learn(*job, chosen_for, *reading, quest->type);
  co_return *std::move(reading);
}

Task<Recursor::Found> Recursor::iterate(JobPtr job, QuestPtr quest) {
  Minimiser minimiser(quest->name, quest->type, job->options().minimisation);
  // Whether a zone begins at a name is for its parent to say (RFC 4035 section 3.1.4.1).
  const bool of_parent = quest->type == Type::ds && !quest->name.view().is_root();
  Delegation zone =
      co_await nearest(job, quest, of_parent ? quest->name.view().parent() : quest->name.view());
  bool is_news = false;  // what leads to the zone has been learned a moment ago
  while (true) {
    const Minimiser::Ask ask = minimiser.next(zone.zone);
    ZoneInquiry inquiry(*this, job, quest, zone, ask);
    auto found = co_await inquiry.run();
    if (!found && !is_news && has_lost_addresses(zone)) {
      is_news = true;
      if (zone.zone.view().is_root()) {
        zone = co_await root_servers(job, quest);
      } else {
        zone = co_await nearest(job, quest, zone.zone.view().parent());
      }
      continue;
    }
    if (!found) {
      if (ask.whole || job->budget.spent(tools_.clock.now())) co_return found;
      minimiser.give_up();
      continue;
    }
    if (found->kind == Reading::Kind::referral) {
      zone = *std::move(found->delegation);
      is_news = true;
      continue;
    }
    if (ask.whole) {
      learn(*job, zone.zone, *found, quest->type);
      co_return found;
    }
    if (found->kind != Reading::Kind::denial || !found->denial.of_name) {
      minimiser.deeper();
    } else if (minimiser.believes_denial() || zone.zone.view().is_root()) {
      // The root's servers are right about what does not exist, and most questions for it are junk.
      learn(*job, zone.zone, ask.name, ask.type, found->denial);
      found->end = quest->name;
      found->chain.clear();
      co_return found;
    } else {
      minimiser.give_up();
    }
  }
}

// What servers of a zone above the one that was configured for a name say of it is not kept, or it would hide
// what the configured ones say. A DS is for those above to say.
void Recursor::learn(const Job& job, Dname zone, const Reading& reading, Type type) {
  for (const Rrset& set : reading.chain) {
    if (set.type == Type::ds || zone.is_at_or_below(job.configured_for(set.owner)))
      knowledge_.learn(set, job.began);
  }
  if (reading.kind == Reading::Kind::denial) learn(job, zone, reading.end, type, reading.denial);
}

void Recursor::learn(const Job& job, Dname zone, Dname name, Type type, const Denial& denial) {
  if (zone.is_at_or_below(job.configured_for(name))) knowledge_.learn(name, type, denial, job.began);
}

Task<Delegation> Recursor::nearest(JobPtr job, QuestPtr quest, Dname name) {
  const Delegation* stub = job->table->stub(name);
  while (auto known = knowledge_.delegation(name)) {
    if (stub && known->zone.view().size() <= stub->zone.view().size()) break;
    if (known->zone.view().is_root() && job->table->root.configured) break;
    if (is_of_use(*known)) co_return *std::move(known);
    if (known->zone.view().is_root()) break;
    name = name.suffix(known->zone.view().label_count() - 1);
  }
  if (stub) co_return *stub;
  auto root = co_await root_servers(job, quest);
  co_return root;
}

// RFC 9609: the hints lead to the servers that the root has now.
Task<Delegation> Recursor::root_servers(JobPtr job, QuestPtr quest) {
  const Delegation& hints = job->table->root;
  // Who configures servers of the root means these.
  if (priming_ || hints.configured) co_return hints;
  priming_ = true;
  ZoneInquiry inquiry(*this, job, quest, hints, {.name = Dname(), .type = Type::ns, .whole = true});
  auto found = co_await inquiry.run();
  priming_ = false;
  if (!found || !found->delegation || !has_address(*found->delegation)) co_return hints;
  co_return *std::move(found->delegation);
}

Resolution Recursor::compose(const ResolveRequest& request, const std::vector<Rrset>& chain,
                             const Reading& last) {
  MessageWriter writer(scratch_);
  writer.qr(true);
  writer.ra(true);
  writer.rcode(rcode_of(last));
  const Signatures signatures = request.dnssec_ok ? Signatures::with : Signatures::without;
  bool fits = writer.question(request.qname, request.qtype, request.qclass);
  for (const Rrset& set : chain) fits = fits && put(writer, Section::answer, set, signatures);
  for (const Rrset& set : last.denial.proof) {
    if (!request.dnssec_ok && is_dnssec(set.type)) continue;
    fits = fits && put(writer, Section::authority, set, signatures);
  }
  if (!fits) return servfail(Ede::other, "an answer larger than a message");
  const Bytes message = writer.message();
  Resolution resolution;
  resolution.message.assign(message.begin(), message.end());
  resolution.rcode = rcode_of(last);
  return resolution;
}

}  // namespace peregrine
