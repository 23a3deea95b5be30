#include "resolve/forwarder.h"

#include <algorithm>

#include "resolve/reply.h"
#include "wire/message_writer.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;

constexpr Duration shortest_tcp_wait =
    1500ms;  // a lost SYN is sent again after a second (RFC 6298 section 2)
constexpr size_t max_query_size = header_size + max_dname_size + type_and_class_size + bare_opt_size;

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

// What became of asking one server, whatever packets it took.
enum class Verdict : uint8_t {
  answered,  // Inquiry::answer is filled in
  useless,   // replied, and will not reply better soon
  silent,    // may reply to another try
  no_way,    // will not reply to another try either
  cancelled,
};

// One request on its way through the servers of its zone.
class Inquiry {
 public:
  struct Tools {
    Exchange& exchange;
    Upstreams& upstreams;
    Clock& clock;
    MutableBytes scratch;
  };
  Inquiry(Tools tools, const ResolveRequest& request, const ForwarderOptions& options)
      : tools_(tools), request_(request), options_(options), deadline_(tools.clock.now() + options.timeout) {}

  Task<Resolution> run(std::span<const Endpoint> zone_servers);

 private:
  bool spent() const { return packets_ >= options_.max_packets || tools_.clock.now() >= deadline_; }
  Task<Verdict> ask(Endpoint server, unsigned round);
  Task<Result<Reply>> send(Endpoint server, unsigned round, bool edns, bool tcp);
  Instant patience(Endpoint server, unsigned round, bool tcp) const;
  Buffer query(bool edns) const;
  Verdict give_up(Endpoint server, Error error);
  Verdict take(Endpoint server, const Reply& reply, const MessageView& view);
  Resolution failure(size_t asked) const;

  Tools tools_;
  const ResolveRequest& request_;
  const ForwarderOptions& options_;
  Instant deadline_;
  unsigned packets_ = 0;
  bool had_reply_ = false;
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
      Verdict verdict = co_await ask(server, round);
      if (verdict == Verdict::cancelled) co_return servfail(Ede::not_ready, "shutting down");
      if (verdict == Verdict::silent) silent.push_back(server);
      if (verdict != Verdict::answered) continue;
      answer_.upstream_packets = packets_;
      co_return std::move(answer_);
    }
    servers = std::move(silent);
  }
  co_return failure(asked);
}

// UDP; TCP where that is cut short or looks forged; without EDNS where that is not understood.
Task<Verdict> Inquiry::ask(Endpoint server, unsigned round) {
  bool edns = tools_.upstreams.health(server).no_edns_until <= tools_.clock.now();
  bool tcp = false, tried_without_edns = false;
  while (!spent()) {
    auto reply = co_await send(server, round, edns, tcp);
    had_reply_ |= reply || reply.error() == Error::bad_message;
    if (!reply && reply.error() == Error::bad_message && !tcp) {
      tcp = true;
      continue;
    }
    if (!reply) co_return give_up(server, reply.error());
    auto view = MessageView::parse(reply->message);
    if (!view) co_return give_up(server, Error::bad_message);
    ReplyKind kind = classify(*view, edns);
    if (kind == ReplyKind::truncated && !tcp) {
      tools_.upstreams.answered(server, reply->rtt);
      tcp = true;
      continue;
    }
    if (kind == ReplyKind::no_edns) {
      edns = false;
      tried_without_edns = true;
      continue;
    }
    if (kind == ReplyKind::answer && tried_without_edns) tools_.upstreams.lacks_edns(server);
    co_return take(server, *reply, *view);
  }
  co_return Verdict::useless;
}

Task<Result<Reply>> Inquiry::send(Endpoint server, unsigned round, bool edns, bool tcp) {
  ++packets_;
  OutgoingQuery outgoing{query(edns), options_.randomise_case};
  Instant until = patience(server, round, tcp);
  if (tcp) {
    auto reply = co_await tools_.exchange.tcp(server, std::move(outgoing), until);
    co_return reply;
  }
  auto reply = co_await tools_.exchange.udp(server, std::move(outgoing), until);
  co_return reply;
}

Instant Inquiry::patience(Endpoint server, unsigned round, bool tcp) const {
  // After the last packet there is nothing left to do but to wait.
  if (packets_ >= options_.max_packets) return deadline_;
  Duration wait = tools_.upstreams.health(server).timeout(round);
  if (tcp) wait = std::max(2 * wait, shortest_tcp_wait);
  return std::min(deadline_, tools_.clock.now() + wait);
}

Buffer Inquiry::query(bool edns) const {
  std::array<uint8_t, max_query_size> buffer;
  MessageWriter writer(buffer);
  writer.rd(true);
  writer.cd(request_.checking_disabled);
  writer.question(request_.qname, request_.qtype, request_.qclass);
  if (edns) writer.edns({.udp_size = options_.udp_size, .dnssec_ok = request_.dnssec_ok, .options = {}});
  Bytes message = writer.message();
  return {message.begin(), message.end()};
}

Verdict Inquiry::give_up(Endpoint server, Error error) {
  switch (error) {
    case Error::cancelled:
      return Verdict::cancelled;
    case Error::timeout:
      tools_.upstreams.failed(server);
      return Verdict::silent;
    case Error::bad_message:
      tools_.upstreams.failed(server);
      return Verdict::useless;
    case Error::unreachable:
      tools_.upstreams.failed(server);
      return Verdict::no_way;
    default:  // a shortage of our own, no fault of the server's
      return Verdict::no_way;
  }
}

Verdict Inquiry::take(Endpoint server, const Reply& reply, const MessageView& view) {
  Question question{request_.qname, request_.qtype, request_.qclass};
  Result<Bytes> message = std::unexpected(Error::bad_message);
  if (classify(view, false) == ReplyKind::answer)
    message = normalise(view, question, request_.dnssec_ok, tools_.scratch);
  if (!message) {
    tools_.upstreams.answered_uselessly(server, reply.rtt);
    if (view.rcode() == Rcode::servfail && !upstream_ede_) upstream_ede_ = extended_error(view);
    return Verdict::useless;
  }
  tools_.upstreams.answered(server, reply.rtt);
  answer_.message.assign(message->begin(), message->end());
  answer_.rcode = view.rcode();
  answer_.server = server;
  return Verdict::answered;
}

Resolution Inquiry::failure(size_t asked) const {
  Resolution resolution;
  resolution.upstream_packets = packets_;
  resolution.ede = upstream_ede_.value_or(had_reply_ ? Ede::no_reachable_authority : Ede::network_error);
  resolution.ede_text = (had_reply_ ? "no answer from " : "no reply from ") + count_of_servers(asked);
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
                                    ForwarderOptions options) {
  const ForwardTable::Zone* zone = table->find(request.qname);
  if (zone == nullptr || zone->servers.empty())
    co_return servfail(Ede::no_reachable_authority, "no server for this name");
  Inquiry inquiry({exchange_, upstreams_, clock_, scratch_}, request, options);
  auto resolution = co_await inquiry.run(zone->servers);
  co_return resolution;
}

}  // namespace peregrine
