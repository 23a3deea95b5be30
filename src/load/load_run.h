// What all sockets of a run share: which queries go next, what is under way, and the tally of the replies.
// One thread.
#pragma once

#include <span>
#include <vector>

#include "load/flights.h"
#include "load/pace.h"

namespace peregrine {

class LoadRun {
 public:
  LoadRun(const LoadOptions& options, const Queries& queries, const Expectation& expectation,
          LoadResult& result);
  void start(Instant now);

  const LoadOptions& options() const { return options_; }
  LoadResult& result() { return result_; }
  const UnderWay& under_way() const { return under_way_; }
  bool is_over(Instant now) const;  // no more is to be sent
  Duration idle_time(Instant now) const { return pace_.idle_time(now, under_way_); }
  Duration elapsed() const { return std::max(stopped_, last_reply_) - start_; }
  uint64_t unsent() const;                   // open loop: what was due and never went
  LoadProgress progress(Instant now) const;  // without a rate

  // The queries to send now, at most `most`. Those that did not depart come first again.
  std::span<const Drawn> due(Instant now, size_t most);
  EncodedQuery encode(const Drawn& drawn) { return queries_.encode(drawn, buffer_); }  // until the next
  void departed(Flights& flights, size_t count, Instant now);  // the first `count` of due()
  void stopped(Instant now) { stopped_ = now; }                // no more are sent

  void arrived(Flights& flights, Bytes reply, Instant now);
  void expire(Flights& flights, Instant now);  // those that have been under way for too long are lost
  void abandon(Flights& flights);              // all of them are

 private:
  const LoadOptions& options_;
  const Queries& queries_;
  const Expectation& expectation_;
  LoadResult& result_;
  Draw draw_;
  Pace pace_;
  Queries::Buffer buffer_{};
  std::vector<Drawn> drawn_;  // the next queries, the first not sent yet first
  UnderWay under_way_;
  Instant start_{}, stopped_{}, last_reply_{};
};

}  // namespace peregrine
