#include "sim/clients.h"

#include <algorithm>

namespace peregrine::sim {
namespace {

using namespace std::chrono_literals;

uint16_t id_of(Bytes message) { return message.size() < 2 ? uint16_t{0} : load_u16(message.data()); }

}  // namespace

bool UdpClients::ask(const Sender& sender, const ClientQuery& query, Duration patience) {
  const auto key = std::pair(sender.from, id_of(query.octets));
  if (asked_.contains(key)) return false;
  const size_t limit = oracle_.limit(query, true);
  asked_.emplace(key, Asked{query, sender.at, {}, {limit, limit}});
  ask_again(sender, query, patience);
  return true;
}

void UdpClients::ask_again(const Sender& sender, const ClientQuery& query, Duration patience) {
  ++sent_;
  stage_.trace.note("query", sender.from, query.octets);
  Asked& asked = asked_.at({sender.from, id_of(query.octets)});
  const size_t limit = oracle_.limit(query, true);
  asked.terms = {std::min(asked.terms.least_limit, limit), std::max(asked.terms.most_limit, limit)};
  if (query.expect != Expect::silence) asked.deadlines.push_back(stage_.clock.now() + patience);
}

void UdpClients::reply(const MemoryEngine::Sent& sent) {
  const Endpoint to = sent.to.endpoint();
  stage_.trace.note("reply", to, sent.octets);
  const auto found = asked_.find({to, id_of(sent.octets)});
  if (found == asked_.end()) return stage_.found("a reply to nobody: " + summary(sent.octets));
  Asked& asked = found->second;
  oracle_.judge(asked.query, sent.octets, asked.terms);
  if (sent.from.address != asked.at.address) stage_.found("replied from an address that was not asked");
  if (asked.deadlines.empty()) return stage_.found("one reply too many: " + summary(sent.octets));
  if (stage_.clock.now() > asked.deadlines.front()) stage_.found("replied too late: " + summary(sent.octets));
  asked.deadlines.erase(asked.deadlines.begin());
}

void UdpClients::check_complete() {
  for (const auto& [key, asked] : asked_) {
    if (!asked.deadlines.empty())
      stage_.found("no reply to " + summary(asked.query.octets) + " of " + key.first.to_string());
  }
}

void TcpClient::start(std::unique_ptr<Stream> stream, std::vector<ClientQuery> queries) {
  stream_ = std::move(stream);
  queries_ = std::move(queries);
  running_ = 2;
  spawn(read(shared_from_this()));
  spawn(write(shared_from_this()));
}

void TcpClient::vanish() {
  vanished_ = true;
  if (stream_) stream_->cancel();
}

Task<void> TcpClient::write(Self self) {
  TcpClient& c = *self;
  for (const ClientQuery& query : c.queries_) {
    co_await sleep_until(c.stage_.timers,
                         c.stage_.clock.now() + c.dice_.between(Duration(0), c.habits_.longest_pause));
    if (c.hushed_ || c.vanished_) break;
    std::vector<uint8_t> framed(2);
    store_u16(framed.data(), static_cast<uint16_t>(query.octets.size()));
    framed.insert(framed.end(), query.octets.begin(), query.octets.end());
    Bytes left = framed;
    if (c.habits_.in_pieces) {
      const size_t first = c.dice_.below(static_cast<uint32_t>(framed.size()));
      const auto piece = co_await c.stream_->write(left.first(first), Instant::max());
      if (!piece) break;
      left = left.subspan(first);
      co_await sleep_until(c.stage_.timers, c.stage_.clock.now() + c.dice_.between(Duration(0), 300ms));
      if (c.hushed_ || c.vanished_) break;
    }
    c.stage_.trace.note("tcp query", c.stream_->peer(), query.octets);
    if (query.expect != Expect::silence)
      c.unanswered_.emplace(id_of(query.octets), Asked{&query, c.stage_.clock.now()});
    const auto written = co_await c.stream_->write(left, Instant::max());
    if (!written) break;
  }
  c.written_ = true;
  if (c.unanswered_.empty() && c.habits_.ending == Ending::close) c.stream_->cancel();
  if (--c.running_ == 0) c.stream_.reset();
}

Task<void> TcpClient::read(Self self) {
  TcpClient& c = *self;
  for (;;) {
    if (c.habits_.reading_pause > Duration(0)) {
      co_await sleep_until(c.stage_.timers, c.stage_.clock.now() + c.habits_.reading_pause);
    }
    const auto reply = co_await read_message(*c.stream_, Instant::max());
    if (!reply || reply->empty()) break;
    c.take(*reply);
    if (c.written_ && c.unanswered_.empty() && c.habits_.ending == Ending::close) break;
  }
  if (!c.unanswered_.empty() && !c.vanished_) c.stage_.found("a TCP session was closed on queries that wait");
  if (--c.running_ == 0) c.stream_.reset();
}

void TcpClient::take(Bytes reply) {
  stage_.trace.note("tcp reply", stream_->peer(), reply);
  const auto found = unanswered_.find(id_of(reply));
  if (found == unanswered_.end()) return stage_.found("a reply on TCP to nothing: " + summary(reply));
  const auto [query, asked_at] = found->second;
  const size_t limit = oracle_.limit(*query, false);
  const bool slow = habits_.reading_pause > Duration(0);
  oracle_.judge(*query, reply, {limit, limit, slow ? stage_.clock.now() - asked_at : Duration(0)});
  unanswered_.erase(found);
}

void TcpClient::check_complete() {
  if (!unanswered_.empty() && !vanished_)
    stage_.found("no reply on TCP to " + summary(unanswered_.begin()->second.query->octets));
}

}  // namespace peregrine::sim
