#include "load/flights.h"

#include <utility>

namespace peregrine {

Flights::Flights(size_t capacity) : ring_(capacity) {}

void Flights::depart(const Flight& flight) {
  at(next_++) = {flight, true};
  ++in_flight_;
}

std::optional<Flight> Flights::arrive(uint16_t id) {
  // The one number in [oldest_, next_) that ends in the id's 16 bits.
  const uint64_t number = oldest_ + static_cast<uint16_t>(id - static_cast<uint16_t>(oldest_));
  if (number >= next_ || !std::exchange(at(number).open, false)) return std::nullopt;
  --in_flight_;
  const Flight flight = at(number).flight;
  skip_closed();
  return flight;
}

size_t Flights::expire(Instant limit) {
  size_t lost = 0;
  while (oldest_ != next_ && at(oldest_).flight.sent < limit) {
    at(oldest_).open = false;
    ++lost;
    skip_closed();
  }
  in_flight_ -= lost;
  return lost;
}

void Flights::skip_closed() {
  while (oldest_ != next_ && !at(oldest_).open) ++oldest_;
}

}  // namespace peregrine
