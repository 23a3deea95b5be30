// Answers a question as a worker would, and tells how. It takes the same decisions by the same cache and the
// same knowledge of servers, but counts nothing as a client's. One thread.
#pragma once

#include <functional>

#include "cache/mutex_store.h"
#include "server/explanation.h"
#include "server/service.h"

namespace peregrine {

template <Store S>
class Explainer {
 public:
  static constexpr size_t most_at_once = 4;
  // Nothing: there are as many under way as there may be.
  using Done = std::function<void(std::optional<Explanation>)>;

  // `service` outlives what this starts (Service::cancel() ends it). `done` is called once, maybe at once.
  static void start(Service<S>& service, const ExplainRequest& request, Done done) {
    if (service.explaining_ >= most_at_once) return done(std::nullopt);
    spawn(run(&service, request, std::move(done)));
  }

 private:
  // A cache that is empty, and a recursor that knows nothing else. Look-ups go on in it when the answer is
  // there: it lasts as long as what they write their steps to.
  struct Fresh {
    static constexpr uint64_t octets = 4u << 20;
    explicit Fresh(Service<S>& service)
        : knowledge(store, reader, service.world_.clock, service.world_.hash_secret, nullptr),
          recursor({service.exchange_, service.upstreams_, service.world_.clock}, knowledge,
                   service.forwarder_),
          trace(service.world_.clock) {
      knowledge.limits(service.snapshot_.settings->ttl);
    }
    MutexStore store{octets, 1};
    MutexStore::Reader reader{store};
    StoreKnowledge<MutexStore> knowledge;
    Recursor recursor;
    Trace trace;
  };

  Explainer(Service<S>& service, const ExplainRequest& request)
      : service_(service),
        request_{.qname = request.qname, .qtype = request.qtype, .dnssec_ok = request.dnssec_ok},
        fresh_(request.fresh),
        trace_(std::make_shared<Trace>(service.world_.clock)) {}

  static Task<void> run(Service<S>* service, ExplainRequest request, Done done) {
    ++service->explaining_;
    const Instant began = service->world_.clock.precise();
    Explainer explainer(*service, request);
    if (!explainer.answer_at_once()) co_await explainer.resolve();
    Explanation& made = explainer.made_;
    made.steps = explainer.trace_->steps();
    made.took = service->world_.clock.precise() - began;
    --service->explaining_;
    done(std::move(made));
  }

  bool answer_at_once();
  bool answer_from_cache(const Query& query, const AnswerKey& key);
  Task<void> resolve();
  void decide();
  void keep(const typename Service<S>::Began& began);
  AnswerKey key() const;
  // The question as the first step, and below it why it is answered here.
  void say(TraceStep step) const;
  // The answer that has been rendered over the query.
  void take(size_t size);

  Service<S>& service_;
  const ResolveRequest request_;
  const bool fresh_;
  std::shared_ptr<Trace> trace_;
  std::vector<uint8_t> slot_;
  Explanation made_;
};

template <Store S>
void Explainer<S>::say(TraceStep step) const {
  TracePlace(trace_.get()).quest(request_.qname, request_.qtype).add(std::move(step));
}

template <Store S>
void Explainer<S>::take(size_t size) {
  slot_.resize(size);
  made_.resolution.message.assign(slot_.begin(), slot_.end());
  const auto header = Header::read(slot_);
  if (!header) return;
  made_.resolution.rcode = Rcode{header->rcode_low()};
  TracePlace(trace_.get()).say(to_string(made_.resolution.rcode));
}

template <Store S>
AnswerKey Explainer<S>::key() const {
  return AnswerKey({.qname = request_.qname, .qtype = request_.qtype, .dnssec_ok = request_.dnssec_ok},
                   service_.world_.hash_secret);
}

// The stages of Service::handle() that need no resolution.
template <Store S>
bool Explainer<S>::answer_at_once() {
  slot_.resize(max_message_size);
  MessageWriter writer(slot_);
  writer.rd(true);
  writer.question(request_.qname, request_.qtype, request_.qclass);
  writer.edns({.dnssec_ok = request_.dnssec_ok, .options = {}});
  Query query;
  const RenderOptions options = service_.render_options();
  const IntakeResult intake = take_in(writer.message(), Transport::tcp, options.udp_size, query);
  if (intake.verdict == Intake::reject || intake.verdict == Intake::drop) {
    made_.by = Explanation::By::refusal;
    made_.resolution.ede = intake.rejection.ede;
    made_.resolution.ede_text = intake.rejection.ede_text;
    say({.outcome = "refused: " + std::string(intake.rejection.ede_text)});
    take(render_rejection(slot_, query.fields, intake.rejection, options));
    return true;
  }
  if (intake.verdict == Intake::minimal_any) {
    made_.by = Explanation::By::minimal_any;
    say({.outcome = "ANY gets an HINFO record that says so (RFC 8482)"});
    take(render_minimal_any(slot_, query.fields, options));
    return true;
  }
  if (!fresh_ && answer_from_cache(query, key())) return true;
  MessageWriter local(service_.message_scratch_);
  const auto fits = service_.write_locally(query, local);
  if (!fits) return false;
  decide();
  say({.outcome = "answered here, and nobody is asked"});
  if (*fits) take(render_message(slot_, query.fields, local.message(), options));
  return true;
}

template <Store S>
bool Explainer<S>::answer_from_cache(const Query& query, const AnswerKey& key) {
  const Hit hit = service_.reader_.find(key.store_key());
  const auto blob = service_.current_answer(hit, query);
  if (!blob) return false;
  made_.by = Explanation::By::cache;
  const WallTime now = service_.world_.clock.wall();
  made_.age = std::max(now - blob->stored_at(), WallTime::duration(0));
  made_.time_left = hit.lifetime().expires_at - now;
  say({.kind = TraceStep::Kind::cached,
       .name = request_.qname,
       .type = request_.qtype,
       .outcome = "the whole answer"});
  take(render_answer(slot_, query.fields, *blob, service_.render_options()));
  return true;
}

// As Service::resolve() does.
template <Store S>
void Explainer<S>::decide() {
  const Snapshot& snapshot = service_.snapshot_;
  const Dname qname = request_.qname;
  const ForwardTable::Zone* forward = snapshot.recursion
                                          ? forward_of(qname, *snapshot.forward, *snapshot.recursion)
                                          : snapshot.forward->find(qname);
  if (const SpecialZone* special = service_.special_zone(qname, request_.qtype)) {
    made_.by = Explanation::By::special_name;
    made_.zone = special->apex;
  } else if (const Zone* local = service_.local_zone(qname, request_.qtype)) {
    made_.by = Explanation::By::local;
    made_.zone = DnameBuf(local->apex());
  } else if (forward) {
    made_.by = Explanation::By::forward;
    made_.zone = forward->zone;
    made_.servers = forward->servers;
    made_.first = forward->first;
  } else if (const Delegation* stub = snapshot.recursion ? snapshot.recursion->stub(qname) : nullptr) {
    made_.by = Explanation::By::stub;
    made_.zone = stub->zone;
    for (const NameServer& server : stub->servers) {
      for (const IpAddress& address : server.addresses) made_.servers.push_back({address, server.port});
    }
  } else if (snapshot.recursion) {
    made_.by = Explanation::By::root;
  }
}

template <Store S>
Task<void> Explainer<S>::resolve() {
  decide();
  if (fresh_) {
    auto fresh = std::make_shared<Fresh>(service_);
    trace_ = std::shared_ptr<Trace>(fresh, &fresh->trace);
    made_.resolution = co_await service_.resolve(fresh->recursor, request_, trace_);
    co_return;
  }
  const auto began = service_.now_begins();
  service_.knowledge_.limits(service_.snapshot_.settings->ttl);
  made_.resolution = co_await service_.resolve(service_.recursor_, request_, trace_);
  if (made_.by != Explanation::By::local && !made_.resolution.used_local_zone) keep(began);
}

// As for a client: who asks next finds it.
template <Store S>
void Explainer<S>::keep(const typename Service<S>::Began& began) {
  const auto message = MessageView::parse(made_.resolution.message);
  if (!message) return;
  [[maybe_unused]] const auto kept =
      service_.cache_.put(key(), *message, service_.world_.clock.wall(), began.tables,
                          service_.snapshot_.settings->ttl, service_.blob_scratch_, began.flushes);
}

}  // namespace peregrine
