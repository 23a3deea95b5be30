// What happened in a run: a hash of all of it, and the text of it for a person who replays a seed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/ip.h"

namespace peregrine::sim {

class Trace {
 public:
  Trace(const Clock& clock, bool verbose) : clock_(clock), verbose_(verbose) {}
  void note(std::string_view what, std::string_view detail = {});
  void note(std::string_view what, const Endpoint& who, Bytes message);
  uint64_t hash() const { return hash_; }
  std::string time() const;  // virtual, in seconds since the start

 private:
  void mix(Bytes octets);
  void mix_moment(std::string_view what);
  const Clock& clock_;
  bool verbose_;
  uint64_t hash_ = 0xcbf29ce484222325;
};

// Header and question in one line.
std::string summary(Bytes message);

}  // namespace peregrine::sim
