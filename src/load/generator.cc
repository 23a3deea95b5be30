#include "load/generator.h"

#include "load/channel.h"
#include "load/load_run.h"

namespace peregrine {
namespace {

constexpr Duration housekeeping_interval = std::chrono::milliseconds(10);
constexpr Duration report_interval = std::chrono::milliseconds(100);

using Report = std::function<void(const LoadProgress&)>;

// Reports now and then, with the rate since the last time.
class Reporter {
 public:
  Reporter(const Report& report, Instant start) : report_(report), reported_(start) {}
  void look(const LoadRun& run, Instant now) {
    if (!report_ || now - reported_ < report_interval) return;
    LoadProgress progress = run.progress(now);
    const double seconds = std::chrono::duration<double>(now - reported_).count();
    progress.rate = static_cast<double>(progress.answers - answers_) / seconds;
    report_(progress);
    reported_ = now, answers_ = progress.answers;
  }

 private:
  const Report& report_;
  Instant reported_;
  uint64_t answers_ = 0;
};

}  // namespace

void run_load(const LoadOptions& options, const Queries& queries, const Expectation& expectation,
              LoadResult& result, const Report& report) {
  SystemClock clock;
  LoadRun run(options, queries, expectation, result);
  const auto channel =
      options.transport == Transport::tcp ? make_tcp_channel(run, clock) : make_udp_channel(run, clock);
  const Instant start = clock.precise();
  run.start(start);
  Reporter reporter(report, start);
  Instant house_kept = start;
  for (bool sending = true; sending || run.under_way().in_flight > 0;) {
    const Instant now = clock.precise();
    if (sending && run.is_over(now)) sending = false, run.stopped(now);
    if (sending) channel->send(now);
    channel->receive(sending ? run.idle_time(now) : Pace::longest_wait);
    if (now - house_kept >= housekeeping_interval) channel->keep_house(now), house_kept = now;
    reporter.look(run, now);
  }
  result.elapsed = run.elapsed();
  result.unsent = run.unsent();
}

}  // namespace peregrine
