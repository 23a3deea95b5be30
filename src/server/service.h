// The stages of an answer, from a client's octets to a reply: in place from the cache, or later from a
// resolution. The world is seen through Clock, Network and Random only, so the same code runs in simulation.
// One thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/counters.h"
#include "base/histogram.h"
#include "cache/answer_cache.h"
#include "policy/special_names.h"
#include "resolve/forwarder.h"
#include "resolve/inflight.h"
#include "server/intake.h"
#include "server/render.h"
#include "server/snapshot.h"

namespace peregrine {

// What one worker is made of and counts into. Everything outlives the service.
struct World {
  Clock& clock;
  Timers& timers;
  Network& network;
  Random& random;
  Counters& counters;
  Histogram& latency;  // of answers that had to be resolved
  HashKey hash_key;    // of cache keys: the same in all workers of one store
};

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
class Service {
 public:
  Service(World world, S& store, Snapshot snapshot, ExchangeOptions exchange)
      : world_(world),
        reader_(store),
        cache_(store),
        snapshot_(std::move(snapshot)),
        exchange_(world.network, world.clock, world.timers, world.random, world.counters, exchange),
        upstreams_(world.clock, world.random),
        forwarder_(exchange_, upstreams_, world.clock),
        inflight_(snapshot_.settings->inflight),
        blob_scratch_(max_blob),
        message_scratch_(max_message) {}

  // Answers the query in the first `size` octets of `slot` in place: the reply's size, or 0 where there is
  // none now: then client.sink gets the reply later, or is told that there will be none.
  size_t handle(MutableBytes slot, size_t size, const Client& client);

  void quiet() { reader_.quiet(); }      // after each batch
  void offline() { reader_.offline(); }  // around a wait that may block
  void online() { reader_.online(); }

  void adopt(Snapshot snapshot) {
    snapshot_ = std::move(snapshot);
    inflight_.limits(snapshot_.settings->inflight);
  }
  const Snapshot& snapshot() const { return snapshot_; }
  const Upstreams& upstreams() const { return upstreams_; }
  size_t resolving() const { return inflight_.size(); }
  void cancel() { exchange_.cancel_all(); }  // all that wait get SERVFAIL

 private:
  static constexpr size_t max_message = 65'535;

  // A client whose answer comes later, with its own letter case of the question.
  struct Waiter {
    Responder responder;
    QueryFields fields;
    DnameBuf qname;
    Instant since;
  };

  size_t answer_locally(MutableBytes slot, const Query& query, const SpecialZone& zone);
  size_t answer_from_cache(MutableBytes slot, const Query& query, const AnswerKey& key);
  size_t reject(MutableBytes slot, const QueryFields& fields, const Rejection& rejection);
  size_t resolve_later(MutableBytes slot, const Query& query, const AnswerKey& key, const Client& client);
  const SpecialZone* special_zone(const Question& question) const;
  Task<void> run(AnswerKey key, ResolveRequest request);
  void finish(const AnswerKey& key, const ResolveRequest& request, const Resolution& resolution);
  void reply_to(const Waiter& waiter, const ResolveRequest& request,
                const std::function<size_t(MutableBytes)>& render);

  RenderOptions render_options() const {
    return {.now = world_.clock.wall(), .udp_size = snapshot_.settings->udp_size};
  }
  size_t count(size_t size, Counter source) {
    world_.counters.add(source);
    return counted(size);
  }
  size_t counted(size_t size) {
    if (size != 0) world_.counters.add(Counter::answers);
    return size;
  }

  World world_;
  typename S::Reader reader_;
  AnswerCache<S> cache_;
  Snapshot snapshot_;
  Exchange exchange_;
  Upstreams upstreams_;
  Forwarder forwarder_;
  Inflight<Waiter> inflight_;
  std::vector<uint8_t> blob_scratch_, message_scratch_;
};

template <Store S>
size_t Service<S>::handle(MutableBytes slot, size_t size, const Client& client) {
  Query query{.transport = client.transport, .received = world_.clock.now()};
  const Settings& settings = *snapshot_.settings;
  const IntakeResult intake = take_in(slot.first(size), client.transport, settings.udp_size, query);
  if (intake.verdict == Intake::drop) {
    world_.counters.add(Counter::dropped_malformed);
    client.sink.abandon(client.reply_address());
    return 0;
  }
  world_.counters.add(client.transport == Transport::udp ? Counter::udp_queries : Counter::tcp_queries);
  if (!settings.access.allows(client.address)) {
    world_.counters.add(Counter::refused_acl);
    return reject(slot, query.fields, {Rcode::refused, Ede::prohibited, "not in access.allow"});
  }
  if (intake.verdict == Intake::reject) return reject(slot, query.fields, intake.rejection);
  if (intake.verdict == Intake::minimal_any) {
    return count(render_minimal_any(slot, query.fields, render_options()), Counter::local_answers);
  }

  const AnswerKey key({.realm = query.realm,
                       .qname = query.question.qname,
                       .qtype = query.question.qtype,
                       .qclass = query.question.qclass,
                       .dnssec_ok = query.fields.dnssec_ok,
                       .checking_disabled = query.fields.cd},
                      world_.hash_key);
  if (size_t reply = answer_from_cache(slot, query, key)) return reply;
  if (const SpecialZone* zone = special_zone(query.question)) return answer_locally(slot, query, *zone);
  return resolve_later(slot, query, key, client);
}

template <Store S>
size_t Service<S>::answer_from_cache(MutableBytes slot, const Query& query, const AnswerKey& key) {
  const Hit hit = reader_.find(key.store_key());
  if (!hit || !hit.lifetime().fresh(world_.clock.wall())) return 0;
  const auto blob = AnswerBlob::open(hit.blob());
  if (!blob) return 0;
  // Stored under other rules: the name may have become one that we answer ourselves.
  if (blob->policy_generation() != snapshot_.generation && special_zone(query.question)) return 0;
  return count(render_answer(slot, query.fields, *blob, render_options()), Counter::cache_hits);
}

// The special zone that holds the name, unless somebody configured a zone of his own there (RFC 6303 section
// 3).
template <Store S>
const SpecialZone* Service<S>::special_zone(const Question& question) const {
  const SpecialZone* zone = find_special_zone(question.qname, question.qtype);
  if (!zone) return nullptr;
  const ForwardTable::Zone* configured = snapshot_.forward->find(question.qname);
  return configured && configured->zone.view().is_at_or_below(zone->apex) ? nullptr : zone;
}

template <Store S>
size_t Service<S>::answer_locally(MutableBytes slot, const Query& query, const SpecialZone& zone) {
  MessageWriter writer(message_scratch_);
  if (!write_special_answer(zone, query.question, writer)) {
    return reject(slot, query.fields, {Rcode::servfail, Ede::other, "no room for a local answer"});
  }
  return count(render_message(slot, query.fields, writer.message(), render_options()),
               Counter::local_answers);
}

template <Store S>
size_t Service<S>::reject(MutableBytes slot, const QueryFields& fields, const Rejection& rejection) {
  if (rejection.rcode == Rcode::servfail) world_.counters.add(Counter::servfail);
  return counted(render_rejection(slot, fields, rejection, render_options()));
}

template <Store S>
size_t Service<S>::resolve_later(MutableBytes slot, const Query& query, const AnswerKey& key,
                                 const Client& client) {
  world_.counters.add(Counter::cache_misses);
  if (!query.fields.rd) {
    // RFC 8914 section 4.21: recursion was not asked for, and we are authoritative for nothing.
    return reject(slot, query.fields, {Rcode::refused, Ede::not_authoritative, "recursion not desired"});
  }
  Waiter waiter{.responder = {&client.sink, client.reply_address()},
                .fields = query.fields,
                .qname = DnameBuf(query.question.qname),
                .since = query.received};
  switch (inflight_.join(key, std::move(waiter))) {
    case Joined::refused:
      world_.counters.add(Counter::waiters_refused);
      return reject(slot, query.fields, {Rcode::servfail, Ede::other, "too many queries are waiting"});
    case Joined::waiting:
      world_.counters.add(Counter::joined);
      return 0;
    case Joined::first:
      break;
  }
  world_.counters.add(Counter::resolutions);
  spawn(run(key, {.qname = DnameBuf(query.question.qname),
                  .qtype = query.question.qtype,
                  .qclass = query.question.qclass,
                  .dnssec_ok = query.fields.dnssec_ok,
                  .checking_disabled = query.fields.cd}));
  return 0;
}

template <Store S>
Task<void> Service<S>::run(AnswerKey key, ResolveRequest request) {
  auto resolution = co_await forwarder_.resolve(request, snapshot_.forward, snapshot_.settings->forwarder);
  finish(key, request, resolution);
}

template <Store S>
void Service<S>::finish(const AnswerKey& key, const ResolveRequest& request, const Resolution& resolution) {
  const std::vector<Waiter> waiters = inflight_.finish(key);
  const auto message = MessageView::parse(resolution.message);
  Result<AnswerBlob> blob = std::unexpected(Error::not_found);
  if (message) {
    blob = cache_.put(key, *message, world_.clock.wall(), snapshot_.generation, snapshot_.settings->ttl,
                      blob_scratch_);
  }
  const Rejection failure{Rcode::servfail, resolution.ede.value_or(Ede::other), resolution.ede_text};
  for (const Waiter& waiter : waiters) {
    world_.counters.add(blob ? Counter::upstream_answers : Counter::servfail);
    world_.latency.record(world_.clock.now() - waiter.since);
    reply_to(waiter, request, [&](MutableBytes slot) {
      return blob ? render_answer(slot, waiter.fields, *blob, render_options())
                  : render_rejection(slot, waiter.fields, failure, render_options());
    });
  }
}

// Lays the client's question out as it came, renders behind it, and sends.
template <Store S>
void Service<S>::reply_to(const Waiter& waiter, const ResolveRequest& request,
                          const std::function<size_t(MutableBytes)>& render) {
  ByteWriter question(message_scratch_);
  question.put(std::array<uint8_t, header_size>{});
  question.put(waiter.qname.view().wire());
  question.u16(static_cast<uint16_t>(request.qtype));
  question.u16(static_cast<uint16_t>(request.qclass));
  const size_t size = counted(render(message_scratch_));
  if (size == 0) return waiter.responder.abandon();
  waiter.responder.send(Bytes(message_scratch_).first(size));
}

}  // namespace peregrine
