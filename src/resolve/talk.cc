#include "resolve/talk.h"

#include <algorithm>

#include "resolve/reply.h"
#include "wire/message_writer.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;

constexpr Duration shortest_tcp_wait =
    1500ms;  // a lost SYN is sent again after a second (RFC 6298 section 2)
constexpr size_t max_query_size = header_size + max_dname_size + type_and_class_size + bare_opt_size;

}  // namespace

Task<std::expected<Reply, TalkFailure>> Talk::ask(Endpoint server, unsigned round) {
  bool edns = tools_.upstreams.health(server).no_edns_until <= tools_.clock.now();
  bool tcp = false, tried_without_edns = false;
  while (!spent()) {
    auto reply = co_await send(server, round, edns, tcp);
    had_reply_ |= reply || reply.error() == Error::bad_message;
    if (!reply && reply.error() == Error::bad_message && !tcp) {
      tcp = true;
      continue;
    }
    if (!reply) co_return std::unexpected(give_up(server, reply.error()));
    auto view = MessageView::parse(reply->message);
    if (!view) co_return std::unexpected(give_up(server, Error::bad_message));
    ReplyKind kind = classify(*view, edns);
    if (kind == ReplyKind::truncated && !tcp) {
      tools_.upstreams.answered(server, reply->rtt);
      last_query_.say("truncated");
      tcp = true;
      continue;
    }
    if (kind == ReplyKind::no_edns) {
      last_query_.say("does not understand EDNS");
      edns = false;
      tried_without_edns = true;
      continue;
    }
    if (kind == ReplyKind::answer && tried_without_edns) tools_.upstreams.lacks_edns(server);
    co_return std::move(*reply);
  }
  co_return std::unexpected(TalkFailure::useless);
}

Task<Result<Reply>> Talk::send(Endpoint server, unsigned round, bool edns, bool tcp) {
  --budget_.packets;
  OutgoingQuery outgoing{query(edns), question_.randomise_case};
  Instant until = patience(server, round, tcp);
  const TracePlace query = trace(server, tcp);
  last_query_ = query;
  Result<Reply> reply = std::unexpected(Error::cancelled);
  if (tcp) {
    reply = co_await tools_.exchange.tcp(server, std::move(outgoing), until);
  } else {
    reply = co_await tools_.exchange.udp(server, std::move(outgoing), until);
  }
  if (query && reply) query.replied(reply->rtt);
  if (query && !reply) query.say(to_string(reply.error()));
  co_return reply;
}

TracePlace Talk::trace(Endpoint server, bool tcp) const {
  if (!place_) return {};
  return place_.add({.kind = TraceStep::Kind::query,
                     .name = question_.qname,
                     .type = question_.qtype,
                     .server = server,
                     .over_tcp = tcp});
}

Instant Talk::patience(Endpoint server, unsigned round, bool tcp) const {
  // After the last packet there is nothing left to do but to wait.
  if (budget_.packets == 0) return budget_.deadline;
  Duration wait = tools_.upstreams.health(server).timeout(round);
  if (tcp) wait = std::max(2 * wait, shortest_tcp_wait);
  return std::min(budget_.deadline, tools_.clock.now() + wait);
}

Buffer Talk::query(bool edns) const {
  std::array<uint8_t, max_query_size> buffer;
  MessageWriter writer(buffer);
  writer.rd(question_.recursion_desired);
  writer.cd(question_.checking_disabled);
  writer.question(question_.qname, question_.qtype, question_.qclass);
  if (edns) writer.edns({.udp_size = question_.udp_size, .dnssec_ok = question_.dnssec_ok, .options = {}});
  Bytes message = writer.message();
  return {message.begin(), message.end()};
}

TalkFailure Talk::give_up(Endpoint server, Error error) {
  switch (error) {
    case Error::cancelled:
      return TalkFailure::cancelled;
    case Error::timeout:
      tools_.upstreams.failed(server);
      return TalkFailure::silent;
    case Error::bad_message:
      tools_.upstreams.failed(server);
      return TalkFailure::useless;
    case Error::unreachable:
      tools_.upstreams.failed(server);
      return TalkFailure::no_way;
    default:  // a shortage of our own, no fault of the server's
      return TalkFailure::no_way;
  }
}

}  // namespace peregrine
