// How many queries may go, and what their latency counts from. Closed loop: `window` are under way at any
// time. Open loop: they are due by a schedule, and one that goes late is late from when it was due.
#pragma once

#include "load/load_options.h"
#include "load/schedule.h"

namespace peregrine {

// Where a run stands.
struct UnderWay {
  uint64_t sent = 0;
  size_t in_flight = 0;
};

class Pace {
 public:
  static constexpr Duration longest_wait = std::chrono::milliseconds(1);

  explicit Pace(const LoadOptions& options);
  void start(Instant now);
  size_t allowance(Instant now, const UnderWay& run) const;  // how many may go now
  Instant counts_from(uint64_t query, Instant now) const;    // of the one that is sent now
  bool is_over(Instant now, uint64_t sent) const;
  uint64_t unsent(uint64_t sent) const { return scheduled_ > sent ? scheduled_ - sent : 0; }  // open loop
  Duration idle_time(Instant now, const UnderWay& run) const;  // how long there is nothing to send

 private:
  const LoadOptions& options_;
  Instant start_{};
  Schedule schedule_;
  uint64_t scheduled_ = 0;  // queries of the whole run
};

}  // namespace peregrine
