#include "io/sessions.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/buffer_pool.h"

namespace peregrine {
namespace {

constexpr size_t prefix_size = 2;  // RFC 1035 section 4.2.2
constexpr size_t largest_message = 65535;
// Messages and reads of one session before others get their turn: a sender whose octets are always there
// already would keep the thread for itself.
constexpr unsigned steps_per_turn = 128;
constexpr size_t small_buffer = 512;  // of an idle session: most queries fit, several at a time

// Whom a cap counts: an IPv6 client has a whole /64 to draw addresses from. All of a link are within one /64,
// and the same link-local address on another link is another client (RFC 4007 section 6).
Endpoint client_of(const Endpoint& peer) {
  const IpAddress& address = peer.address;
  if (address.family() == Family::v4 || address.is_link_local()) return {address, 0, peer.scope};
  std::array<uint8_t, 16> network{};
  std::ranges::copy(address.octets().first(8), network.begin());
  return {IpAddress::v6(network)};
}

SessionLimits checked(SessionLimits limits) {
  limits.pipelined = std::max<size_t>(limits.pipelined, 1);
  return limits;
}

size_t most_strangers(const SessionLimits& limits) { return std::max<size_t>(limits.total / 16, 1); }

// Octets that have arrived and are not yet taken as messages. Grows only as they arrive, not when they are
// announced.
class Inbox {
 public:
  // The next message if it is complete; valid until free_space().
  std::optional<Bytes> next() {
    const size_t have = end_ - begin_;
    if (have < needed()) return std::nullopt;
    const Bytes message = Bytes(octets_).subspan(begin_, needed()).subspan(prefix_size);
    begin_ += prefix_size + message.size();
    return message;
  }

  // Where to read to; at least one octet when next() has given all.
  MutableBytes free_space() {
    std::copy(octets_.data() + begin_, octets_.data() + end_, octets_.data());
    end_ -= std::exchange(begin_, 0);
    const size_t wanted = needed();
    if (end_ == octets_.size()) octets_.resize(std::min(wanted, octets_.size() * 2));
    if (octets_.size() > small_buffer && wanted <= small_buffer && end_ <= small_buffer) {
      octets_.resize(small_buffer);
      octets_.shrink_to_fit();
    }
    return MutableBytes(octets_).subspan(end_);
  }
  void added(size_t octets) { end_ += octets; }

 private:
  // Octets of the message that begins at begin_, its prefix included.
  size_t needed() const {
    if (end_ - begin_ < prefix_size) return prefix_size;
    return prefix_size + load_u16(octets_.data() + begin_);
  }
  Buffer octets_ = Buffer(small_buffer);
  size_t begin_ = 0;
  size_t end_ = 0;
};

// Replies on their way: framed, in the order of send().
class Outbox {
 public:
  size_t size() const { return writing_.size() - written_ + queued_.size(); }
  void put(Bytes message) {
    std::array<uint8_t, prefix_size> prefix;
    store_u16(prefix.data(), static_cast<uint16_t>(message.size()));
    queued_.insert(queued_.end(), prefix.begin(), prefix.end());
    queued_.insert(queued_.end(), message.begin(), message.end());
  }
  // What to write next: no more than the largest reply, so that a write's time limit is that of one reply.
  Bytes next() {
    if (written_ == writing_.size()) {
      writing_.clear();
      written_ = 0;
      std::swap(writing_, queued_);
    }
    return Bytes(writing_).subspan(written_,
                                   std::min(writing_.size() - written_, prefix_size + largest_message));
  }
  void written(size_t octets) { written_ += octets; }
  // When all is written: keeps no more memory than an idle session may hold.
  void trim() {
    queued_.clear();
    writing_.clear();
    written_ = 0;
    if (queued_.capacity() > small_buffer) queued_.shrink_to_fit();
    if (writing_.capacity() > small_buffer) writing_.shrink_to_fit();
  }

 private:
  Buffer queued_;
  Buffer writing_;
  size_t written_ = 0;
};

}  // namespace

// Lives until it has ended and nothing holds it: its reader, its writer, and end() itself.
struct Sessions::Session {
  Session(SessionId i, std::unique_ptr<Stream> s, std::function<void()> on_idle)
      : id(i), stream(std::move(s)), peer(stream->peer()), idle(std::move(on_idle)) {}
  SessionId id;
  std::unique_ptr<Stream> stream;
  Endpoint peer;
  Inbox inbox;
  Outbox outbox;
  Timer idle;
  Promise<bool> below_cap;  // what a paused reader waits for, and one whose turn is over
  size_t unanswered = 0;
  unsigned holds = 0;
  bool writer_runs = false;
  bool paused = false;
  bool gathering = false;   // replies are collected while the messages of one read are handled
  bool input_over = false;  // no more messages are taken; ends when all is answered
  bool ended = false;       // not found any more; waits only for its holds
  bool stranger = false;    // has one of the strangers' places
};

struct Sessions::State {
  State(Clock& c, Timers& t, SessionLimits l, SessionHandler& h, Counters& n)
      : clock(c), timers(t), limits(checked(l)), handler(h), counters(n), resume([this] {
          resume_paused();
        }) {}

  struct Slot {
    std::unique_ptr<Session> session;
    uint32_t generation = 1;  // so that a SessionId{} names nobody
  };

  bool has_room_for(const Endpoint& client, bool stranger) const;
  void judge_again();
  void adopt(std::unique_ptr<Stream> stream);
  Session* find(SessionId id);
  Task<void> read_loop(Session& s);
  Task<void> write_loop(Session& s);
  void hand_over(Session& s, Bytes message);
  void start_writer(Session& s);
  bool queue(Session& s, Bytes message);
  void answered(Session& s);
  void settle(Session& s);
  void end(Session& s);
  void release(Session& s);
  void resume_later(const Session& s);
  void resume_paused();
  template <class F>
  void for_each(F f);

  Clock& clock;
  Timers& timers;
  SessionLimits limits;
  SessionHandler& handler;
  Counters& counters;
  std::vector<Slot> slots;
  std::vector<uint32_t> free_slots;
  std::map<Endpoint, size_t> clients;  // how many sessions each has
  size_t count = 0;                    // of all, strangers included
  size_t strangers = 0;
  bool draining = false;
  std::vector<SessionId> resumable;  // paused ones that may go on
  Timer resume;
  std::array<uint8_t, largest_message> message;  // the one that the handler is given
};

template <class F>
void Sessions::State::for_each(F f) {
  for (size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].session && !slots[i].session->ended) f(*slots[i].session);
  }
}

bool Sessions::State::has_room_for(const Endpoint& client, bool stranger) const {
  if (draining) return false;
  const bool full = stranger ? strangers >= most_strangers(limits) : count - strangers >= limits.total;
  if (full) return false;
  const auto known = clients.find(client);
  return known == clients.end() || known->second < limits.per_client;
}

void Sessions::State::adopt(std::unique_ptr<Stream> stream) {
  const Endpoint peer = stream->peer();
  const Endpoint client = client_of(peer);
  const bool stranger = !handler.is_client(peer);
  if (!has_room_for(client, stranger)) return counters.add(Counter::tcp_refused);
  counters.add(Counter::tcp_accepted);
  ++clients[client];
  ++count;
  if (stranger) ++strangers;
  if (free_slots.empty()) {
    free_slots.push_back(static_cast<uint32_t>(slots.size()));
    slots.emplace_back();
  }
  const uint32_t index = free_slots.back();
  free_slots.pop_back();
  const SessionId id{index, slots[index].generation};
  auto on_idle = [this, index] { end(*slots[index].session); };
  slots[index].session = std::make_unique<Session>(id, std::move(stream), on_idle);
  Session& s = *slots[index].session;
  s.stranger = stranger;
  settle(s);
  ++s.holds;
  spawn(read_loop(s));
}

// Who is a stranger may have changed. All are judged before any is closed, so that no more are than must be.
void Sessions::State::judge_again() {
  strangers = 0;
  for_each([this](Session& s) {
    s.stranger = !handler.is_client(s.peer);
    if (s.stranger) ++strangers;
  });
  for_each([this](Session& s) {
    if (s.stranger && strangers > most_strangers(limits)) end(s);
  });
}

Sessions::Session* Sessions::State::find(SessionId id) {
  if (id.index >= slots.size() || slots[id.index].generation != id.generation) return nullptr;
  Session* const s = slots[id.index].session.get();
  return s != nullptr && !s->ended ? s : nullptr;
}

Task<void> Sessions::State::read_loop(Session& s) {
  for (unsigned steps = 1; !s.ended && !s.input_over; ++steps) {
    if (steps % steps_per_turn == 0) {
      start_writer(s);
      resume_later(s);
      co_await s.below_cap;
      s.below_cap.reset();
      continue;
    }
    if (const auto next = s.inbox.next()) {
      hand_over(s, *next);
      if (s.ended || s.unanswered < limits.pipelined) continue;
      start_writer(s);
      s.paused = true;
      co_await s.below_cap;
      s.below_cap.reset();
      continue;
    }
    start_writer(s);
    if (s.ended) break;
    const auto got = co_await s.stream->read(s.inbox.free_space(), Instant::max());
    if (!got) end(s);
    if (got && *got == 0) s.input_over = true;
    if (got) s.inbox.added(*got);
  }
  start_writer(s);
  settle(s);
  --s.holds;
  release(s);
}

void Sessions::State::hand_over(Session& s, Bytes next) {
  ++s.unanswered;
  timers.disarm(s.idle);
  s.gathering = true;
  std::ranges::copy(next, message.begin());
  handler.on_message(s.id, s.peer, message, next.size());
}

// Sends what has been gathered. The writer may run to its end in here, and so may the session; a caller that
// goes on with the session holds it.
void Sessions::State::start_writer(Session& s) {
  s.gathering = false;
  if (s.ended || s.writer_runs || s.outbox.size() == 0) return;
  s.writer_runs = true;
  ++s.holds;
  spawn(write_loop(s));
}

Task<void> Sessions::State::write_loop(Session& s) {
  while (!s.ended && s.outbox.size() > 0) {
    const Bytes chunk = s.outbox.next();
    const auto done = co_await s.stream->write(chunk, clock.now() + limits.write);
    s.outbox.written(chunk.size());
    if (!done) end(s);
  }
  s.outbox.trim();
  s.writer_runs = false;
  settle(s);
  --s.holds;
  release(s);
}

bool Sessions::State::queue(Session& s, Bytes reply) {
  if (reply.size() > largest_message || s.outbox.size() + prefix_size + reply.size() > limits.unsent_octets) {
    end(s);
    return false;
  }
  s.outbox.put(reply);
  return true;
}

void Sessions::State::answered(Session& s) {
  if (s.unanswered > 0) --s.unanswered;
  if (!s.paused || s.unanswered >= limits.pipelined) return;
  // Not from within this call: the reader would hand over a message while a handler may still work on
  // another.
  s.paused = false;
  resume_later(s);
}

void Sessions::State::resume_later(const Session& s) {
  resumable.push_back(s.id);
  timers.arm(resume, Instant::min());
}

void Sessions::State::resume_paused() {
  for (const SessionId id : std::exchange(resumable, {})) {
    if (Session* const s = find(id)) s->below_cap.deliver(true);
  }
}

// When something may have been the last that was going on.
void Sessions::State::settle(Session& s) {
  if (s.ended || s.unanswered > 0 || s.outbox.size() > 0) return;
  if (s.input_over) return end(s);
  timers.arm(s.idle, clock.now() + limits.idle);
}

void Sessions::State::end(Session& s) {
  if (s.ended) return;
  s.ended = true;
  ++s.holds;
  --count;
  if (s.stranger) --strangers;
  const auto client = clients.find(client_of(s.peer));
  if (--client->second == 0) clients.erase(client);
  counters.add(Counter::tcp_closed);
  timers.disarm(s.idle);
  s.stream->cancel();
  s.below_cap.deliver(false);
  --s.holds;
  release(s);
}

void Sessions::State::release(Session& s) {
  if (!s.ended || s.holds > 0) return;
  Slot& slot = slots[s.id.index];
  ++slot.generation;
  free_slots.push_back(s.id.index);
  slot.session.reset();
}

Sessions::Sessions(Clock& clock, Timers& timers, SessionLimits limits, SessionHandler& handler,
                   Counters& counters)
    : state_(std::make_unique<State>(clock, timers, limits, handler, counters)) {}

Sessions::~Sessions() { close_all(); }

void Sessions::adopt(std::unique_ptr<Stream> stream) { state_->adopt(std::move(stream)); }

bool Sessions::send(SessionId session, Bytes message, bool last) {
  Session* const s = state_->find(session);
  if (s == nullptr || !state_->queue(*s, message)) return false;
  if (last) state_->answered(*s);
  if (!s->gathering || s->outbox.size() > largest_message) state_->start_writer(*s);
  return true;
}

void Sessions::drop_one(SessionId session) {
  Session* const s = state_->find(session);
  if (s == nullptr) return;
  state_->answered(*s);
  state_->settle(*s);
}

void Sessions::limits(const SessionLimits& limits) {
  state_->limits = checked(limits);
  state_->judge_again();
}

void Sessions::drain() {
  state_->draining = true;
  state_->for_each([this](Session& s) {
    s.input_over = true;
    state_->settle(s);
  });
}

void Sessions::close_all() {
  state_->for_each([this](Session& s) { state_->end(s); });
}

size_t Sessions::size() const { return state_->count; }

}  // namespace peregrine
