#include "resolve/forwarder.h"

#include <algorithm>

#include "resolve/reply.h"
#include "resolve/talk.h"

namespace peregrine {
namespace {

Dname name_of(const ForwardTable::Zone& zone) { return zone.zone; }

bool before(Dname a, Dname b) {
  unsigned a_labels = a.label_count(), b_labels = b.label_count();
  return a_labels != b_labels ? a_labels > b_labels : canonical_compare(a, b) < 0;
}

Resolution servfail(Ede ede, std::string text) {
  Resolution resolution;
  resolution.ede = ede;
  resolution.ede_text = std::move(text);
  return resolution;
}

std::string count_of_servers(size_t n) { return std::to_string(n) + (n == 1 ? " server" : " servers"); }

// The server's own reason for a SERVFAIL (RFC 8914). Its text is not passed on: it may be anything.
std::optional<Ede> extended_error(const MessageView& reply) {
  if (!reply.edns()) return std::nullopt;
  auto option = reply.edns()->find(EdnsOption::extended_error);
  if (!option || option->size() < 2) return std::nullopt;
  return Ede(load_u16(option->data()));
}

// One request on its way through the servers of its zone.
class Inquiry {
 public:
  Inquiry(Talk::Tools tools, MutableBytes scratch, const ResolveRequest& request,
          const ForwarderOptions& options, TracePlace place)
      : tools_(tools),
        scratch_(scratch),
        request_(request),
        options_(options),
        question_{.qname = request.qname,
                  .qtype = request.qtype,
                  .qclass = request.qclass,
                  .recursion_desired = true,
                  .checking_disabled = request.checking_disabled,
                  .dnssec_ok = request.dnssec_ok,
                  .randomise_case = options.randomise_case,
                  .udp_size = options.udp_size},
        budget_{.packets = options.max_packets, .deadline = tools.clock.now() + options.timeout},
        talk_(tools_, question_, budget_, place) {}

  Task<Resolution> run(std::span<const Endpoint> zone_servers);

 private:
  bool spent() const { return budget_.spent(tools_.clock.now()); }
  unsigned packets() const { return options_.max_packets - budget_.packets; }
  bool take(Endpoint server, const Reply& reply);
  Resolution failure(size_t asked) const;

  Talk::Tools tools_;
  MutableBytes scratch_;
  const ResolveRequest& request_;
  const ForwarderOptions& options_;
  TalkQuestion question_;
  Budget budget_;
  Talk talk_;
  std::optional<Ede> upstream_ede_;
  Resolution answer_;
};

Task<Resolution> Inquiry::run(std::span<const Endpoint> zone_servers) {
  auto servers = tools_.upstreams.order(zone_servers, options_.max_packets);
  size_t asked = 0;
  // A server may be silent because it still asks others: it is asked again for as long as the request lasts.
  for (unsigned round = 0; !servers.empty() && !spent(); ++round) {
    std::vector<Endpoint> silent;
    for (const Endpoint& server : servers) {
      if (spent()) break;
      if (round == 0) ++asked;
      auto reply = co_await talk_.ask(server, round);
      if (!reply && reply.error() == TalkFailure::cancelled)
        co_return servfail(Ede::not_ready, "shutting down");
      if (!reply && reply.error() == TalkFailure::silent) silent.push_back(server);
      if (!reply || !take(server, *reply)) continue;
      answer_.upstream_packets = packets();
      co_return std::move(answer_);
    }
    servers = std::move(silent);
  }
  co_return failure(asked);
}

// Whether the reply is an answer; `answer_` is filled in then.
bool Inquiry::take(Endpoint server, const Reply& reply) {
  const auto view = MessageView::parse(reply.message);
  Question question{request_.qname, request_.qtype, request_.qclass};
  Result<Bytes> message = std::unexpected(Error::bad_message);
  if (view && classify(*view, false) == ReplyKind::answer)
    message = normalise(*view, question, request_.dnssec_ok, scratch_);
  if (const TracePlace query = talk_.last_query()) {
    query.say(view ? to_string(view->rcode()) : std::string(to_string(view.error())));
    if (!message) query.say("of no use");
  }
  if (!message) {
    tools_.upstreams.answered_uselessly(server, reply.rtt);
    if (view && view->rcode() == Rcode::servfail && !upstream_ede_) upstream_ede_ = extended_error(*view);
    return false;
  }
  tools_.upstreams.answered(server, reply.rtt);
  answer_.message.assign(message->begin(), message->end());
  answer_.rcode = view->rcode();
  answer_.server = server;
  return true;
}

Resolution Inquiry::failure(size_t asked) const {
  Resolution resolution;
  resolution.upstream_packets = packets();
  const bool had_reply = talk_.had_reply();
  resolution.ede = upstream_ede_.value_or(had_reply ? Ede::no_reachable_authority : Ede::network_error);
  resolution.ede_text = (had_reply ? "no answer from " : "no reply from ") + count_of_servers(asked);
  return resolution;
}

}  // namespace

ForwardTable::ForwardTable(std::vector<Zone> zones) : zones_(std::move(zones)) {
  std::ranges::sort(zones_, before, name_of);
}

const ForwardTable::Zone* ForwardTable::find(Dname qname) const {
  for (unsigned labels = qname.label_count();; --labels) {
    Dname suffix = qname.suffix(labels);
    auto found = std::ranges::lower_bound(zones_, suffix, before, name_of);
    if (found != zones_.end() && name_of(*found) == suffix) return &*found;
    if (labels == 0) return nullptr;
  }
}

Forwarder::Forwarder(Exchange& exchange, Upstreams& upstreams, Clock& clock)
    : exchange_(exchange), upstreams_(upstreams), clock_(clock), scratch_(max_message_size) {}

Task<Resolution> Forwarder::resolve(ResolveRequest request, std::shared_ptr<const ForwardTable> table,
                                    ForwarderOptions options, TracePlace place) {
  const ForwardTable::Zone* zone = table->find(request.qname);
  if (zone == nullptr || zone->servers.empty())
    co_return servfail(Ede::no_reachable_authority, "no server for this name");
  const TracePlace zone_place =
      place ? place.add({.kind = TraceStep::Kind::zone, .name = zone->zone}) : TracePlace();
  Inquiry inquiry({exchange_, upstreams_, clock_}, scratch_, request, options, zone_place);
  auto resolution = co_await inquiry.run(zone->servers);
  co_return resolution;
}

}  // namespace peregrine
