// The stages of an answer, from a client's octets to a reply: in place from the cache, or later from a
// resolution. The world is seen through Clock, Network and Random only, so the same code runs in simulation.
// One thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/log.h"
#include "cache/answer_cache.h"
#include "policy/special_names.h"
#include "resolve/forwarder.h"
#include "resolve/inflight.h"
#include "resolve/recursor.h"
#include "resolve/reply.h"
#include "resolve/store_knowledge.h"
#include "server/hit_path.h"
#include "server/intake.h"
#include "server/outcome.h"
#include "server/render.h"
#include "server/snapshot.h"
#include "server/world.h"

namespace peregrine {

// Who asks, and how to reach him later. Views: what must last is copied by reply_address().
struct Client {
  Bytes address;  // 4 or 16 octets
  Transport transport;
  ReplySink& sink;
  const Datagram* datagram = nullptr;  // UDP
  SessionId session{};                 // streams
  ReplyAddress reply_address() const {
    if (datagram) return {.peer = datagram->peer, .local = datagram->local, .session = {}};
    return {.peer = {}, .local = {}, .session = session};
  }
};

template <Store S>
class Explainer;

template <Store S>
class Service {
 public:
  Service(World world, S& store, Snapshot snapshot, ExchangeOptions exchange)
      : world_(world),
        store_(store),
        reader_(store),
        cache_(store, world.flushes),
        snapshot_(std::move(snapshot)),
        exchange_(world.network, world.clock, world.timers, world.random, world.counters, exchange),
        upstreams_(world.clock, world.random),
        forwarder_(exchange_, upstreams_, world.clock),
        knowledge_(store, reader_, world.clock, world.hash_secret, world.flushes),
        recursor_({exchange_, upstreams_, world.clock}, knowledge_, forwarder_),
        inflight_(snapshot_.settings->inflight),
        blob_scratch_(max_blob),
        message_scratch_(max_message) {
    knowledge_.realm(snapshot_.knowledge_realm);
  }

  // Answers the query in the first `size` octets of `slot` in place: the reply's size, or 0 where there is
  // none now: then client.sink gets the reply later, or is told that there will be none.
  size_t handle(MutableBytes slot, size_t size, const Client& client);

  bool has_hit_path() const { return world_.zero_copy_parsing; }
  HitPath<S>& hits() { return hits_; }                         // only if has_hit_path()
  void quiet() { reader_.quiet(); }                            // after each batch
  void tell_time() { store_.tell_time(world_.clock.wall()); }  // now and then
  void offline() { reader_.offline(); }                        // around a wait that may block
  void online() { reader_.online(); }

  void adopt(Snapshot snapshot) {
    snapshot_ = std::move(snapshot);
    inflight_.limits(snapshot_.settings->inflight);
    knowledge_.realm(snapshot_.knowledge_realm);
  }
  const Snapshot& snapshot() const { return snapshot_; }
  const Upstreams& upstreams() const { return upstreams_; }
  size_t resolving() const { return inflight_.size() + explaining_; }
  void cancel() { exchange_.cancel_all(); }  // all that wait get SERVFAIL
  // Finds the root's servers ahead of the first query, where names are resolved from there, and says so where
  // that fails.
  Task<void> prime();

 private:
  friend class Explainer<S>;
  static constexpr size_t max_message = 65'535;

  // A client whose answer comes later, with its own letter case of the question.
  struct Waiter {
    Responder responder;
    uint16_t id;
    QueryFields fields;
    DnameBuf qname;
    Instant since;
  };

  // The generations when a resolution began.
  struct Began {
    uint32_t tables = 0;
    uint64_t flushes = 0;
    // Who asks later does not join: what he would get is of before a reload or a flush.
    uint64_t era() const { return flushes << 32 | tables; }
  };
  Began now_begins() const {
    return {.tables = snapshot_.policy_generation, .flushes = cache_.flush_generation()};
  }

  std::optional<size_t> answer_locally(MutableBytes slot, Query& query);
  std::optional<bool> write_locally(const Query& query, MessageWriter& writer) const;
  size_t answer_from_cache(MutableBytes slot, Query& query, const AnswerKey& key);
  size_t reject(MutableBytes slot, Query& query, const Rejection& rejection, Source source = Source::error);
  size_t resolve_later(MutableBytes slot, Query& query, const AnswerKey& key, const Client& client);
  std::optional<AnswerBlob> current_answer(const Hit& hit, const Query& query) const;
  bool is_current(const AnswerBlob& blob, const Query& query) const;
  const SpecialZone* special_zone(Dname qname, Type qtype) const;
  const Zone* local_zone(Dname qname, Type qtype) const { return snapshot_.own->locals->find(qname, qtype); }
  bool is_recursive(Dname qname) const;
  size_t recall(MutableBytes slot, Query& query);
  Task<void> run(AnswerKey key, ResolveRequest request, Began began);
  Task<Resolution> resolve(Recursor& recursor, ResolveRequest request, std::shared_ptr<Trace> trace);
  void finish(const AnswerKey& key, const ResolveRequest& request, const Resolution& resolution,
              const Began& began);
  void reply_to(const Waiter& waiter, const ResolveRequest& request, Outcome outcome,
                const std::function<size_t(MutableBytes)>& render);
  size_t settle(Bytes slot, size_t size, Outcome& outcome);

  RenderOptions render_options() const {
    return {.now = world_.clock.wall(), .udp_size = snapshot_.settings->udp_size};
  }
  World world_;
  S& store_;
  typename S::Reader reader_;
  AnswerCache<S> cache_;
  Snapshot snapshot_;
  Exchange exchange_;
  Upstreams upstreams_;
  Forwarder forwarder_;
  StoreKnowledge<S> knowledge_;
  Recursor recursor_;
  Inflight<Waiter> inflight_;
  size_t explaining_ = 0;
  std::vector<uint8_t> blob_scratch_, message_scratch_;
  KnownCookies cookies_;
  HitPath<S> hits_{reader_, world_, snapshot_, cookies_};
};

template <Store S>
size_t Service<S>::handle(MutableBytes slot, size_t size, const Client& client) {
  Query query{.transport = client.transport, .received = world_.clock.now()};
  const Settings& settings = *snapshot_.settings;
  const auto take = world_.zero_copy_parsing ? take_in : take_in_owning;
  const IntakeResult intake = take(slot.first(size), client.transport, settings.udp_size, query);
  if (intake.verdict == Intake::drop) {
    world_.counters.add(Counter::dropped_malformed);
    client.sink.abandon(client.reply_address());
    return 0;
  }
  world_.counters.add(client.transport == Transport::udp ? Counter::udp_queries : Counter::tcp_queries);
  if (!settings.access.allows(client.address)) {
    world_.counters.add(Counter::refused_acl);
    query.fields.cookie.size = 0;  // a stranger gets no work done, and no more octets than he sent
    return reject(slot, query, {Rcode::refused, Ede::prohibited, {}}, Source::policy);
  }
  if (query.fields.cookie)
    answer_cookie(snapshot_, cookies_, client.address, world_.clock.wall(), query.fields);
  if (intake.verdict == Intake::reject) return reject(slot, query, intake.rejection);
  if (intake.verdict == Intake::minimal_any) {
    query.outcome.source = Source::local;
    return settle(slot, render_minimal_any(slot, query.fields, render_options()), query.outcome);
  }

  const AnswerKey key({.realm = query.realm,
                       .qname = query.question.qname,
                       .qtype = query.question.qtype,
                       .qclass = query.question.qclass,
                       .dnssec_ok = query.fields.dnssec_ok,
                       .checking_disabled = query.fields.cd()},
                      world_.hash_secret);
  if (size_t reply = answer_from_cache(slot, query, key)) return reply;
  if (const auto reply = answer_locally(slot, query)) return *reply;
  return resolve_later(slot, query, key, client);
}

template <Store S>
size_t Service<S>::answer_from_cache(MutableBytes slot, Query& query, const AnswerKey& key) {
  const Hit hit = reader_.find(key.store_key());
  const auto blob = current_answer(hit, query);
  if (!blob) return 0;
  query.outcome.source = Source::cache;
  return settle(slot, render_answer(slot, query.fields, *blob, render_options()), query.outcome);
}

// What may be given to the client, if there is anything.
template <Store S>
std::optional<AnswerBlob> Service<S>::current_answer(const Hit& hit, const Query& query) const {
  if (!hit || !hit.lifetime().fresh(world_.clock.wall())) return std::nullopt;
  const auto blob = AnswerBlob::open(hit.blob());
  return blob && is_current(*blob, query) ? blob : std::nullopt;
}

// Whether an answer that is fresh by its TTL may still be given.
template <Store S>
bool Service<S>::is_current(const AnswerBlob& blob, const Query& query) const {
  if (is_from_future(blob.stored_at(), world_.clock.wall())) return false;
  if (blob.policy_generation() == snapshot_.policy_generation) return true;
  // Stored under other rules: the name may have other servers now, or have become one that we answer
  // ourselves.
  return blob.policy_generation() >= snapshot_.served_since->generation_of(query.question.qname) &&
         !special_zone(query.question.qname, query.question.qtype);
}

// The special zone that holds the name, unless somebody configured a zone of his own there (RFC 6303 section
// 3).
template <Store S>
const SpecialZone* Service<S>::special_zone(Dname qname, Type qtype) const {
  const SpecialZone* zone = find_special_zone(qname, qtype);
  if (!zone) return nullptr;
  const Zone* local = local_zone(qname, qtype);
  if (local && local->apex().is_at_or_below(zone->apex)) return nullptr;
  const ForwardTable::Zone* configured = snapshot_.forward->find(qname);
  if (configured && configured->zone.view().is_at_or_below(zone->apex)) return nullptr;
  const Delegation* stub = snapshot_.recursion ? snapshot_.recursion->stub(qname) : nullptr;
  return stub && stub->zone.view().is_at_or_below(zone->apex) ? nullptr : zone;
}

// Whether what we answer ourselves fits. Nothing where the name is not ours, or where an alias leads out of
// our zone or a delegation down, and the client wants to be led on.
template <Store S>
std::optional<bool> Service<S>::write_locally(const Query& query, MessageWriter& writer) const {
  const Question& question = query.question;
  if (const SpecialZone* special = special_zone(question.qname, question.qtype)) {
    return write_special_answer(*special, question, writer);
  }
  const Zone* zone = local_zone(question.qname, question.qtype);
  if (!zone) return std::nullopt;
  const bool fits = writer.question(question.qname, question.qtype, question.qclass);
  const Zone::Outcome outcome = zone->answer(question, query.fields.dnssec_ok, writer);
  const bool leads_on = outcome == Zone::Outcome::alias || outcome == Zone::Outcome::referral;
  if (leads_on && query.fields.rd()) return std::nullopt;
  return fits && outcome != Zone::Outcome::overflow;
}

template <Store S>
std::optional<size_t> Service<S>::answer_locally(MutableBytes slot, Query& query) {
  MessageWriter writer(message_scratch_);
  const auto fits = write_locally(query, writer);
  if (!fits) return std::nullopt;
  if (!*fits) {
    return reject(slot, query, {Rcode::servfail, Ede::other, "no room for a local answer"});
  }
  query.outcome.source = Source::local;
  return settle(slot, render_message(slot, query.fields, writer.message(), render_options()), query.outcome);
}

template <Store S>
size_t Service<S>::reject(MutableBytes slot, Query& query, const Rejection& rejection, Source source) {
  query.outcome.source = source;
  query.outcome.ede = rejection.ede;
  return settle(slot, render_rejection(slot, query.fields, rejection, render_options()), query.outcome);
}

// Completes the outcome by what the reply says, and makes it known. Returns `size`.
template <Store S>
size_t Service<S>::settle(Bytes slot, size_t size, Outcome& outcome) {
  if (size == 0) return 0;
  const Header header = *Header::read(slot);
  outcome.rcode = Rcode{header.rcode_low()};
  outcome.truncated = header.tc();
  observe(outcome, world_.counters, world_.latency);
  return size;
}

template <Store S>
size_t Service<S>::resolve_later(MutableBytes slot, Query& query, const AnswerKey& key,
                                 const Client& client) {
  world_.counters.add(Counter::cache_misses);
  if (!query.fields.rd()) {
    if (const size_t reply = recall(slot, query)) return reply;
    // RFC 8914 section 4.21: recursion was not asked for, and we are authoritative for nothing.
    return reject(slot, query, {Rcode::refused, Ede::not_authoritative, "recursion not desired"});
  }
  Waiter waiter{.responder = {&client.sink, client.reply_address()},
                .id = query.id,
                .fields = query.fields,
                .qname = DnameBuf(query.question.qname),
                .since = query.received};
  const Began began = now_begins();
  switch (inflight_.join(key, std::move(waiter), began.era())) {
    case Joined::too_many_resolutions:
      world_.counters.add(Counter::resolutions_refused);
      return reject(slot, query, {Rcode::servfail, Ede::other, "too many names are being resolved"});
    case Joined::too_many_waiters:
      world_.counters.add(Counter::waiters_refused);
      return reject(slot, query, {Rcode::servfail, Ede::other, "too many queries are waiting"});
    case Joined::waiting:
      world_.counters.add(Counter::joined);
      return 0;
    case Joined::first:
      break;
  }
  world_.counters.add(Counter::resolutions);
  ResolveRequest request{.qname = DnameBuf(query.question.qname),
                         .qtype = query.question.qtype,
                         .qclass = query.question.qclass,
                         .dnssec_ok = query.fields.dnssec_ok,
                         .checking_disabled = query.fields.cd()};
  spawn(run(key, request, began));
  return 0;
}

// RFC 1034 section 4.3.1: who does not want recursion gets what is known.
template <Store S>
size_t Service<S>::recall(MutableBytes slot, Query& query) {
  const Question& question = query.question;
  if (!is_recursive(question.qname)) return 0;
  const auto known = recursor_.recall({.qname = DnameBuf(question.qname),
                                       .qtype = question.qtype,
                                       .qclass = question.qclass,
                                       .dnssec_ok = query.fields.dnssec_ok},
                                      snapshot_.recursion, snapshot_.forward);
  if (!known || known->message.empty()) return 0;
  query.outcome.source = Source::cache;
  return settle(slot, render_message(slot, query.fields, known->message, render_options()), query.outcome);
}

template <Store S>
Task<void> Service<S>::prime() {
  const std::shared_ptr<const RecursionTable> table = snapshot_.recursion;
  if (!table || table->root.configured || table->local_root || snapshot_.forward->find(Dname())) co_return;
  const bool answered = co_await recursor_.prime(table);
  if (answered) co_return;
  log_warning(
      "no server of the root answers: names cannot be resolved from there; set [[forward]] with zone = \".\" "
      "and servers = [\"192.0.2.53\"], or recursion.root_servers; make lab shows everything without a "
      "network");
}

// Whether the name is resolved from the root or a stub: no [[forward]] holds it, or only one above its
// [[stub]]; or one that may be gone without.
template <Store S>
bool Service<S>::is_recursive(Dname qname) const {
  if (!snapshot_.recursion) return false;
  const ForwardTable::Zone* zone = forward_of(qname, *snapshot_.forward, *snapshot_.recursion);
  return !zone || zone->first;
}

template <Store S>
Task<void> Service<S>::run(AnswerKey key, ResolveRequest request, Began began) {
  knowledge_.limits(snapshot_.settings->ttl);
  auto resolution = co_await resolve(recursor_, request, nullptr);
  finish(key, request, resolution, began);
}

// By whom the name is to be answered, with the recursor where there is need of one. `trace` may be null.
template <Store S>
Task<Resolution> Service<S>::resolve(Recursor& recursor, ResolveRequest request,
                                     std::shared_ptr<Trace> trace) {
  const bool is_local = local_zone(request.qname, request.qtype) != nullptr;
  if (is_local || is_recursive(request.qname)) {
    auto resolution = co_await recursor.resolve(request, is_local ? snapshot_.own : snapshot_.recursion,
                                                snapshot_.forward, snapshot_.settings->forwarder, trace);
    co_return resolution;
  }
  const TracePlace place = TracePlace(trace.get()).quest(request.qname, request.qtype);
  auto resolution =
      co_await forwarder_.resolve(request, snapshot_.forward, snapshot_.settings->forwarder, place);
  if (place) place.say(resolution.message.empty() ? resolution.ede_text : to_string(resolution.rcode));
  const auto message = MessageView::parse(resolution.message);
  if (snapshot_.recursion && message && ends_in_alias(*message)) {
    // The target may be another's to answer for.
    resolution = co_await recursor.resolve(request, snapshot_.recursion, snapshot_.forward,
                                           snapshot_.settings->forwarder, trace);
  }
  co_return resolution;
}

template <Store S>
void Service<S>::finish(const AnswerKey& key, const ResolveRequest& request, const Resolution& resolution,
                        const Began& began) {
  const std::vector<Waiter> waiters = inflight_.finish(key, began.era());
  const auto message = MessageView::parse(resolution.message);
  Result<AnswerBlob> blob = std::unexpected(Error::not_found);
  if (message && (resolution.used_local_zone || local_zone(request.qname, request.qtype))) {
    // What is ours is not in the cache, where a reload would not change it.
    const BlobFields fields{.stored_at = world_.clock.wall(), .keep = snapshot_.settings->ttl.cap};
    const auto octets = encode_answer(*message, fields, blob_scratch_);
    if (const auto opened = octets ? AnswerBlob::open(*octets) : std::nullopt) blob = *opened;
  } else if (message) {
    blob = cache_.put(key, *message, world_.clock.wall(), began.tables, snapshot_.settings->ttl,
                      blob_scratch_, began.flushes);
  }
  const Rejection failure{Rcode::servfail, resolution.ede.value_or(Ede::other), resolution.ede_text};
  for (const Waiter& waiter : waiters) {
    Outcome outcome{.source = blob ? Source::upstream : Source::error,
                    .server = resolution.server,
                    .latency = world_.clock.now() - waiter.since};
    if (!blob) outcome.ede = failure.ede;
    reply_to(waiter, request, outcome, [&](MutableBytes slot) {
      return blob ? render_answer(slot, waiter.fields, *blob, render_options())
                  : render_rejection(slot, waiter.fields, failure, render_options());
    });
  }
}

// Lays the client's question out as it came, renders behind it, and sends.
template <Store S>
void Service<S>::reply_to(const Waiter& waiter, const ResolveRequest& request, Outcome outcome,
                          const std::function<size_t(MutableBytes)>& render) {
  ByteWriter question(message_scratch_);
  question.u16(waiter.id);
  question.put(std::array<uint8_t, header_size - 2>{});
  question.put(waiter.qname.view().wire());
  question.u16(static_cast<uint16_t>(request.qtype));
  question.u16(static_cast<uint16_t>(request.qclass));
  const size_t size = settle(message_scratch_, render(message_scratch_), outcome);
  if (size == 0) return waiter.responder.abandon();
  waiter.responder.send(Bytes(message_scratch_).first(size));
}

}  // namespace peregrine
