#include "cli/bench_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

namespace peregrine {
namespace {

using namespace std::chrono_literals;

// 1000 queries: 900 right answers, 60 wrong ones, 40 lost, in two seconds.
std::unique_ptr<LoadResult> result() {
  auto made = std::make_unique<LoadResult>();
  made->sent = 1000;
  made->lost = 40;
  made->unexpected = 3;
  made->verdicts[static_cast<size_t>(Verdict::right)] = 900;
  made->verdicts[static_cast<size_t>(Verdict::rcode)] = 50;
  made->verdicts[static_cast<size_t>(Verdict::rdata)] = 10;
  made->rcodes[0] = 910;
  made->rcodes[2] = 50;
  made->reply_octets = 90'000;
  made->elapsed = 2s;
  made->latency_sum = 1440ms;
  for (int i = 0; i < 990; ++i) made->latency.record(1ms);
  for (int i = 0; i < 10; ++i) made->latency.record(20ms);
  return made;
}

TEST(BenchText, SaysWhatWasMeasured) {
  EXPECT_EQ(load_text(*result(), ServerUse{1800us, 4 << 20}),
            "answers     450 a second; 900 of 1000 queries in 2.00 s\n"
            "latency     p50 1 ms, p90 1 ms, p99 1 ms, p99.9 20.1 ms, max 20.1 ms\n"
            "lost        40; 3 replies to nothing asked, 0 times refused\n"
            "wrong       rcode 50, rdata 10\n"
            "size        100.0 octets a reply\n"
            "server      2000 ns of CPU an answer, 4 MiB resident\n");
}

TEST(BenchText, TheServerIsLeftOutWhereItWasNotWatched) {
  EXPECT_THAT(load_text(*result(), std::nullopt), ::testing::Not(::testing::HasSubstr("server")));
  EXPECT_FALSE(nlohmann::json::parse(load_json(*result(), std::nullopt)).contains("server"));
}

TEST(BenchText, NothingMeasuredIsNoDivisionByZero) {
  const auto nothing = std::make_unique<LoadResult>();
  EXPECT_THAT(load_text(*nothing, ServerUse{1s, 0}),
              ::testing::HasSubstr("answers     0 a second; 0 of 0 queries"));
  EXPECT_EQ(nlohmann::json::parse(load_json(*nothing, ServerUse{1s, 0}))["server"]["cpu_ns_per_answer"], 0);
}

TEST(BenchText, JsonHasEveryFigure) {
  const auto json = nlohmann::json::parse(load_json(*result(), ServerUse{1800us, 4 << 20}));
  EXPECT_EQ(json["sent"], 1000);
  EXPECT_EQ(json["answers"], 900);
  EXPECT_EQ(json["lost"], 40);
  EXPECT_EQ(json["unexpected"], 3);
  EXPECT_EQ(json["refused"], 0);
  EXPECT_EQ(json["seconds"], 2.0);
  EXPECT_EQ(json["rate"], 450.0);
  EXPECT_EQ(json["wrong"]["rcode"], 50);
  EXPECT_EQ(json["wrong"]["empty"], 0);
  EXPECT_EQ(json["rcodes"], (nlohmann::json{{"NOERROR", 910}, {"SERVFAIL", 50}}));
  EXPECT_NEAR(json["latency_us"]["p50"].get<double>(), 1000, 10);
  EXPECT_NEAR(json["latency_us"]["p99.9"].get<double>(), 20'000, 200);
  EXPECT_EQ(json["latency_us"]["mean"], 1500.0);
  EXPECT_NEAR(json["latency_us"]["max"].get<double>(), 20'000, 200);
  EXPECT_EQ(json["reply_octets"], 100.0);
  EXPECT_FALSE(json.contains("connections"));
  EXPECT_EQ(json["server"]["cpu_ns_per_answer"], 2000.0);
  EXPECT_EQ(json["server"]["rss_octets"], 4 << 20);
}

TEST(BenchText, PercentilesAreACurve) {
  const auto json = nlohmann::json::parse(load_json(*result(), std::nullopt));
  const auto curve = json["percentiles"].get<std::vector<std::pair<double, double>>>();
  ASSERT_GT(curve.size(), 20u);
  EXPECT_EQ(curve.front().first, 0.0);
  EXPECT_EQ(curve.back().first, 1.0);
  EXPECT_TRUE(std::ranges::is_sorted(curve, {}, &std::pair<double, double>::first));
  EXPECT_TRUE(std::ranges::is_sorted(curve, {}, &std::pair<double, double>::second));
  EXPECT_NEAR(curve.front().second, 1000, 10);
  EXPECT_NEAR(curve.back().second, 20'000, 200);
}

TEST(BenchText, ConnectionsAreToldOverTcp) {
  auto over_tcp = result();
  over_tcp->connections = 17;
  over_tcp->closed = 1;
  EXPECT_THAT(load_text(*over_tcp, std::nullopt),
              ::testing::HasSubstr("connections 17 opened, 1 closed by the server\n"));
  EXPECT_EQ(nlohmann::json::parse(load_json(*over_tcp, std::nullopt))["connections"],
            (nlohmann::json{{"opened", 17}, {"closed_by_server", 1}}));
}

TEST(BenchText, ProgressIsABar) {
  EXPECT_EQ(progress_text({.done = 0.5, .answers = 10, .rate = 1234}),
            "[###############...............]  50 %  1234 answers/s");
  EXPECT_EQ(progress_text({.done = 1, .answers = 10, .rate = 0}),
            "[##############################] 100 %  0 answers/s");
}

}  // namespace
}  // namespace peregrine
