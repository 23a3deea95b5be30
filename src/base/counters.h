// Counters of one worker: written by that worker only, read by anybody, no shared cache line written by two.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace peregrine {

enum class Counter : uint8_t {
  udp_queries, tcp_queries,              // well-formed queries taken in
  dropped_malformed,                     // datagrams too short or with QR=1: silence
  answers,                               // answers handed to a transport
  cache_hits, cache_misses, local_answers, upstream_answers,
  refused_acl,
  truncated,                             // answers sent with TC
  send_dropped,                          // the kernel took no more: dropped
  receive_truncated,                     // datagrams longer than a slot
  upstream_queries, upstream_replies, upstream_timeouts, upstream_mismatched, upstream_tcp, upstream_errors,
  resolutions, joined,                   // resolutions started; clients that joined a running one
  waiters_refused, resolutions_refused,  // caps reached
  servfail,
  tcp_accepted, tcp_refused, tcp_closed,
  reloads,
};
inline constexpr size_t counter_count = static_cast<size_t>(Counter::reloads) + 1;

struct CounterRow {
  Counter counter;
  std::string_view name;
  std::string_view help;
};
std::span<const CounterRow> counter_rows();   // in the order of Counter

class alignas(64) Counters {
 public:
  void add(Counter c, uint64_t n = 1) {
    auto& v = values_[static_cast<size_t>(c)];
    v.store(v.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);   // one writer: no locked add
  }
  uint64_t get(Counter c) const { return values_[static_cast<size_t>(c)].load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, counter_count> values_{};
};

}  // namespace peregrine
