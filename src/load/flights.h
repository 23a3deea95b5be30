// The queries of one socket that have no reply yet, by id. Ids go up by one, so that what a reply belongs to
// is found by its place, and the oldest is known. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "load/queries.h"

namespace peregrine {

struct Flight {
  Instant due{};  // sent, or to be sent by the schedule
  Drawn query{};
  Instant sent{};
};

class Flights {
 public:
  explicit Flights(size_t capacity);  // ids that can be under way, a power of two up to 65536

  // How many may depart now. A query without a reply stands in the way of the ids that are `capacity` after
  // it, until it expires.
  size_t room() const { return ring_.size() - (next_ - oldest_); }
  size_t in_flight() const { return in_flight_; }
  uint16_t next_id() const { return static_cast<uint16_t>(next_); }  // of the next to depart
  void depart(const Flight& flight);                                 // room() > 0
  // What the reply with this id answers: nothing for a second one, a late one, or one to nothing.
  std::optional<Flight> arrive(uint16_t id);
  // Gives up those sent before `limit`, which are the oldest; returns how many.
  size_t expire(Instant limit);

 private:
  struct Entry {
    Flight flight{};
    bool open = false;
  };
  Entry& at(uint64_t number) { return ring_[number & (ring_.size() - 1)]; }
  void skip_closed();

  std::vector<Entry> ring_;
  uint64_t oldest_ = 0, next_ = 0;
  size_t in_flight_ = 0;
};

}  // namespace peregrine
