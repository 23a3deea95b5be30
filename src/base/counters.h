// Counters of one worker: written by that worker only, read by anybody, no shared cache line written by two.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace peregrine {

// counter_rows() says what each counts.
enum class Counter : uint8_t {
  udp_queries,
  tcp_queries,
  dropped_malformed,  // too short or with QR=1: silence
  answers,
  cache_hits,
  cache_misses,
  local_answers,
  upstream_answers,
  refused_acl,
  truncated,
  send_dropped,
  receive_truncated,
  upstream_queries,
  upstream_replies,
  upstream_timeouts,
  upstream_mismatched,
  upstream_tcp,
  upstream_errors,
  resolutions,
  joined,
  waiters_refused,
  resolutions_refused,
  servfail,
  tcp_accepted,
  tcp_refused,
  tcp_closed,
  reloads,
};
inline constexpr size_t counter_count = static_cast<size_t>(Counter::reloads) + 1;

struct CounterRow {
  Counter counter;
  std::string_view name;
  std::string_view help;
};
std::span<const CounterRow> counter_rows();  // in the order of Counter

class alignas(64) Counters {
 public:
  void add(Counter c, uint64_t n = 1) {
    auto& v = values_[static_cast<size_t>(c)];
    // One writer, so no locked add is needed.
    v.store(v.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  uint64_t get(Counter c) const { return values_[static_cast<size_t>(c)].load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, counter_count> values_{};
};

}  // namespace peregrine
