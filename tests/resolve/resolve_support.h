// The resolver's parts on a virtual clock and a scripted network.
#pragma once

#include <utility>

#include "resolve/dns_script.h"
#include "resolve/exchange.h"
#include "resolve/fake_network.h"

namespace peregrine {

using namespace std::chrono_literals;

struct TestWorld {
  explicit TestWorld(uint64_t seed = 1, ExchangeOptions options = {})
      : network(clock, timers, seed),
        random(Random::from_seed(seed + 1000)),
        exchange(network, clock, timers, random, counters, options) {}

  Instant in(Duration time) const { return clock.now() + time; }
  uint64_t count(Counter counter) const { return counters.get(counter); }
  Result<Reply> udp(const Endpoint& server, std::string_view qname, Duration patience = 1s) {
    return ask(exchange.udp(server, {query_for(qname)}, in(patience)));
  }
  Result<Reply> tcp(const Endpoint& server, std::string_view qname, Duration patience = 1s) {
    return ask(exchange.tcp(server, {query_for(qname)}, in(patience)));
  }
  Result<Reply> ask(Task<Result<Reply>> task) {
    auto result = run(network, std::move(task));
    return result ? std::move(*result) : throw std::logic_error("the network came to rest without a result");
  }

  VirtualClock clock;
  Timers timers{clock.now()};
  FakeNetwork network;
  Random random;
  Counters counters;
  Exchange exchange;
};

// The id, or a letter's case, or any octet, of a reply changed.
inline Octets with_octet(Octets message, size_t at, uint8_t flipped_bits) {
  message.at(at) ^= flipped_bits;
  return message;
}

}  // namespace peregrine
