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
  const UpstreamHealth known = tools_.upstreams.health(server);
  const Instant now = tools_.clock.now();
  bool edns = known.no_edns_until <= now;
  Why tcp = Why::not_needed;
  bool tried_without_edns = false;
  while (!spent()) {
    auto reply = co_await send(server, round, edns, tcp != Why::not_needed);
    had_reply_ |= reply || reply.error() == Error::bad_message;
    const bool is_junk = !reply && reply.error() == Error::bad_message;
    if (!reply && !(is_junk && tcp == Why::not_needed))
      co_return std::unexpected(give_up(server, reply.error(), tcp));
    const auto view = reply ? MessageView::parse(reply->message) : std::unexpected(reply.error());
    if (reply && !view) co_return std::unexpected(give_up(server, Error::bad_message, tcp));
    const ReplyKind kind = view ? classify(*view, edns) : ReplyKind::truncated;
    if (kind == ReplyKind::truncated && tcp == Why::not_needed) {
      tcp = is_junk ? Why::junk : Why::truncated;
      if (reply) tools_.upstreams.answered(server, reply->rtt);
      last_query_.say(is_junk ? "a reply that may be forged" : "truncated");
      if (known.no_tcp_until > now) co_return std::unexpected(without_tcp(tcp));
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
  co_return std::unexpected(TalkFailure::shortage);
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
  // Without a route to the family nothing was sent.
  if (!reply && reply.error() == Error::unreachable && !tcp) ++budget_.packets;
  if (reply) restore_case(reply->message);
  if (reply) budget_.octets -= std::min(budget_.octets, reply->message.size());
  if (query && reply) query.replied(reply->rtt);
  if (query && !reply) query.say(to_string(reply.error()));
  co_return reply;
}

// Names of the reply may be compressed into its question, and would be in the random case that was sent.
void Talk::restore_case(Buffer& reply) const {
  const Bytes asked = question_.qname.view().wire();
  const MutableBytes message(reply);
  if (message.size() < header_size + asked.size()) return;
  const MutableBytes qname = message.subspan(header_size, asked.size());
  const auto replied = Dname::parse(qname);
  if (replied && *replied == question_.qname) std::ranges::copy(asked, qname.begin());
}

TracePlace Talk::trace(Endpoint server, bool tcp) const {
  if (!place_) return {};
  return place_.add({.kind = TraceStep::Kind::query,
                     .name = question_.qname,
                     .type = question_.qtype,
                     .server = server,
                     .over_tcp = tcp});
}

Instant Talk::patience(Endpoint server, unsigned round, bool tcp) {
  Duration wait = tools_.upstreams.health(server).timeout(round);
  if (tcp) wait = std::max(2 * wait, shortest_tcp_wait);
  const Instant until = tools_.clock.now() + wait;
  hurried_ = budget_.deadline < until;
  // After the last packet there is nothing left to do but to wait.
  return budget_.packets == 0 ? budget_.deadline : std::min(budget_.deadline, until);
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

// What is cut short stays so; but after junk, which anybody may have sent, the true reply may still be had.
TalkFailure Talk::without_tcp(Why tcp) {
  return tcp == Why::junk ? TalkFailure::silent : TalkFailure::useless;
}

TalkFailure Talk::give_up(Endpoint server, Error error, Why tcp) {
  if (error == Error::cancelled) return TalkFailure::cancelled;
  if (error == Error::unreachable && tcp != Why::not_needed) {
    tools_.upstreams.lacks_tcp(server);
    return without_tcp(tcp);
  }
  switch (error) {
    case Error::timeout:
      // Neither who sends junk nor who leaves a request no time must be able to have a server rest.
      if (tcp != Why::junk && !hurried_) tools_.upstreams.failed(server);
      return TalkFailure::silent;
    case Error::bad_message:
      tools_.upstreams.failed(server);
      return TalkFailure::useless;
    case Error::unreachable:
      tools_.upstreams.failed(server);
      return TalkFailure::no_way;
    default:
      return TalkFailure::shortage;
  }
}

}  // namespace peregrine
