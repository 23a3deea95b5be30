#include "base/counters.h"

namespace peregrine {
namespace {

using enum Counter;

constexpr std::array<CounterRow, counter_count> rows{{
    {udp_queries, "udp_queries", "Well-formed queries taken in over UDP"},
    {tcp_queries, "tcp_queries", "Well-formed queries taken in over TCP"},
    {dropped_malformed, "dropped_malformed", "Datagrams dropped because they were too short or no query"},
    {answers, "answers", "Answers handed to a transport"},
    {cache_hits, "cache_hits", "Queries answered from the cache"},
    {cache_misses, "cache_misses", "Queries for which the cache had no answer"},
    {local_answers, "local_answers", "Queries answered from local data"},
    {upstream_answers, "upstream_answers", "Queries answered after asking upstream"},
    {refused_acl, "refused_acl", "Queries refused by the access list"},
    {truncated, "truncated", "Answers sent with the TC bit"},
    {send_dropped, "send_dropped", "Answers dropped because the kernel took no more"},
    {receive_truncated, "receive_truncated", "Datagrams longer than a receive slot"},
    {upstream_queries, "upstream_queries", "Queries sent upstream"},
    {upstream_replies, "upstream_replies", "Replies accepted from upstream"},
    {upstream_timeouts, "upstream_timeouts", "Upstream queries without a reply in time"},
    {upstream_mismatched, "upstream_mismatched", "Upstream replies that matched no query of ours"},
    {upstream_tcp, "upstream_tcp", "Upstream exchanges over TCP"},
    {upstream_errors, "upstream_errors", "Upstream exchanges that failed otherwise than by a timeout"},
    {resolutions, "resolutions", "Resolutions started"},
    {joined, "joined", "Queries that joined a running resolution"},
    {waiters_refused, "waiters_refused", "Queries refused because a resolution had too many waiters"},
    {resolutions_refused, "resolutions_refused", "Queries refused because too many resolutions were running"},
    {servfail, "servfail", "Answers with the code SERVFAIL"},
    {tcp_accepted, "tcp_accepted", "TCP connections accepted"},
    {tcp_refused, "tcp_refused", "TCP connections refused because too many were open"},
    {tcp_closed, "tcp_closed", "TCP connections closed"},
    {reloads, "reloads", "Configurations taken over while running"},
}};

static_assert(
    [] {
      for (size_t i = 0; i < rows.size(); ++i) {
        if (static_cast<size_t>(rows[i].counter) != i) return false;
      }
      return true;
    }(),
    "rows are in the order of Counter");

}  // namespace

std::span<const CounterRow> counter_rows() { return rows; }

}  // namespace peregrine
