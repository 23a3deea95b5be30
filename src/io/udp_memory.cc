#include <cstring>
#include <deque>
#include <utility>

#include "io/udp.h"
#include "io/udp_slots.h"

namespace peregrine {

// Datagrams are delivered straight into slots, a batch's worth of slots at a time, as a kernel would have
// written them: receive() has only to hand them out, so that what is counted on this engine is the cost of an
// answer and not of a copy that no other engine makes.
struct MemoryEngine::State {
  // The datagrams of one receive(), or of a part of one.
  struct Batch {
    explicit Batch(const UdpOptions& o) : slots(o.batch, o) {}
    detail::SlotRow slots;
    size_t count = 0;
  };
  State(const UdpOptions& o, Counters& c)
      : options(o), counters(c), late(o), current(std::make_unique<Batch>(o)), outbox(size_t{o.batch} * 2) {}

  Batch& batch_with_room();
  void keep_outbox();

  UdpOptions options;
  Counters& counters;
  detail::Composer late;
  std::unique_ptr<Batch> current;  // what receive() has handed out
  std::deque<std::unique_ptr<Batch>> waiting;
  std::vector<std::unique_ptr<Batch>> spare;  // their slots are used again
  std::vector<const Datagram*> outbox;
  size_t queued = 0;
  std::vector<Sent> sent;
  uint64_t sent_count = 0;
  bool keep = true;
};

MemoryEngine::MemoryEngine(UdpOptions options, Counters& counters)
    : state_(std::make_unique<State>(detail::checked(options), counters)) {}
MemoryEngine::~MemoryEngine() = default;
MemoryEngine::MemoryEngine(MemoryEngine&&) noexcept = default;

MemoryEngine::State::Batch& MemoryEngine::State::batch_with_room() {
  if (!waiting.empty() && waiting.back()->count < options.batch) return *waiting.back();
  if (spare.empty()) spare.push_back(std::make_unique<Batch>(options));
  waiting.push_back(std::move(spare.back()));
  spare.pop_back();
  waiting.back()->count = 0;
  return *waiting.back();
}

void MemoryEngine::deliver(const PeerAddress& from, Bytes octets, const LocalAddress& at) {
  State& s = *state_;
  if (octets.size() > s.options.slot_size) return s.counters.add(Counter::receive_truncated);
  State::Batch& batch = s.batch_with_room();
  Datagram& datagram = batch.slots.datagrams()[batch.count++];
  if (!octets.empty()) std::memcpy(datagram.data, octets.data(), octets.size());
  datagram.size = static_cast<uint32_t>(octets.size());
  datagram.peer = from;
  datagram.local = at;
}

std::span<Datagram> MemoryEngine::receive() {
  flush();
  State& s = *state_;
  if (s.waiting.empty()) return {};
  s.current->slots.renew(s.current->count);
  s.spare.push_back(std::exchange(s.current, std::move(s.waiting.front())));
  s.waiting.pop_front();
  return s.current->slots.datagrams().first(s.current->count);
}

void MemoryEngine::reply(Datagram& datagram, size_t size) {
  State& s = *state_;
  datagram.size = static_cast<uint32_t>(size);
  if (s.queued < s.options.batch) s.outbox[s.queued++] = &datagram;
}

Datagram& MemoryEngine::compose(const PeerAddress& to, const LocalAddress& from) {
  State& s = *state_;
  if (s.late.full()) flush();
  return s.late.compose(to, from);
}

void MemoryEngine::State::keep_outbox() {
  for (const Datagram* d : std::span(outbox).first(queued)) {
    const Bytes octets = d->received();
    sent.push_back({d->peer, d->local, {octets.begin(), octets.end()}});
  }
}

void MemoryEngine::flush() {
  State& s = *state_;
  for (const Datagram& datagram : s.late.composed()) {
    if (datagram.size > 0) s.outbox[s.queued++] = &datagram;
  }
  if (s.keep) s.keep_outbox();
  s.sent_count += std::exchange(s.queued, 0);
  s.late.clear();
}

std::vector<MemoryEngine::Sent> MemoryEngine::take_sent() { return std::exchange(state_->sent, {}); }

void MemoryEngine::keep_sent(bool keep) { state_->keep = keep; }

uint64_t MemoryEngine::sent_count() const { return state_->sent_count; }

}  // namespace peregrine
