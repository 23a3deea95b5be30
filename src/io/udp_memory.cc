#include <algorithm>
#include <cstring>
#include <utility>

#include "io/udp.h"
#include "io/udp_slots.h"

namespace peregrine {

struct MemoryEngine::State {
  State(const UdpOptions& o, Counters& c) : options(o), counters(c), slots(o) {
    outbox.reserve(size_t{o.batch} * 2);
  }

  // What waits is inbox[taken..waiting). Entries are used again, so that a steady state allocates nothing.
  struct Waiting {
    PeerAddress from;
    LocalAddress at;
    std::vector<uint8_t> octets;
  };
  UdpOptions options;
  Counters& counters;
  detail::Slots slots;
  std::vector<Waiting> inbox;
  size_t taken = 0;
  size_t waiting = 0;
  std::vector<const Datagram*> outbox;
  std::vector<Sent> sent;
  uint64_t sent_count = 0;
  bool keep = true;
};

MemoryEngine::MemoryEngine(UdpOptions options, Counters& counters)
    : state_(std::make_unique<State>(detail::checked(options), counters)) {}
MemoryEngine::~MemoryEngine() = default;
MemoryEngine::MemoryEngine(MemoryEngine&&) noexcept = default;

void MemoryEngine::deliver(const PeerAddress& from, Bytes octets, const LocalAddress& at) {
  State& s = *state_;
  if (s.waiting == s.inbox.size()) s.inbox.emplace_back();
  State::Waiting& entry = s.inbox[s.waiting++];
  entry.from = from;
  entry.at = at;
  entry.octets.assign(octets.begin(), octets.end());
}

std::span<Datagram> MemoryEngine::receive() {
  flush();
  State& s = *state_;
  const auto slots = s.slots.received();
  size_t count = 0;
  for (; count < slots.size() && s.taken < s.waiting; ++s.taken) {
    const State::Waiting& entry = s.inbox[s.taken];
    Datagram& datagram = slots[count];
    if (entry.octets.size() > datagram.capacity) {
      s.counters.add(Counter::receive_truncated);
      continue;
    }
    std::ranges::copy(entry.octets, datagram.data);
    datagram.size = static_cast<uint32_t>(entry.octets.size());
    datagram.peer = entry.from;
    datagram.local = entry.at;
    ++count;
  }
  if (s.taken == s.waiting) s.taken = s.waiting = 0;
  return slots.first(count);
}

void MemoryEngine::reply(Datagram& datagram, size_t size) {
  datagram.size = static_cast<uint32_t>(size);
  if (state_->outbox.size() < state_->options.batch) state_->outbox.push_back(&datagram);
}

Datagram& MemoryEngine::compose(const PeerAddress& to, const LocalAddress& from) {
  if (state_->slots.all_composed()) flush();
  return state_->slots.compose(to, from);
}

void MemoryEngine::flush() {
  State& s = *state_;
  for (const Datagram& datagram : s.slots.composed()) {
    if (datagram.size > 0) s.outbox.push_back(&datagram);
  }
  s.sent_count += s.outbox.size();
  if (s.keep) {
    for (const Datagram* d : s.outbox) {
      const Bytes octets = d->received();
      s.sent.push_back({d->peer, d->local, {octets.begin(), octets.end()}});
    }
  }
  s.outbox.clear();
  s.slots.forget_composed();
}

std::vector<MemoryEngine::Sent> MemoryEngine::take_sent() { return std::exchange(state_->sent, {}); }

void MemoryEngine::keep_sent(bool keep) { state_->keep = keep; }

uint64_t MemoryEngine::sent_count() const { return state_->sent_count; }

}  // namespace peregrine
