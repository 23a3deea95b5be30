#include "cli/ctl_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace peregrine {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json status_reply() {
  return json::parse(
      R"({"ok":true,"version":"0.1.0","pid":17,"profile":"staging","uptime_s":3700.5,"workers":2,
    "generation":3,"listening":["udp://127.0.0.1:1053","tcp://127.0.0.1:1053"],
    "forwarding":[{"zone":".","servers":["192.0.2.1:53","192.0.2.2:53"]},{"zone":"a.example.","servers":["192.0.2.3:53"]}],
    "counters":{"udp_queries":90,"tcp_queries":10,"refused_acl":4,"dropped_malformed":5,"cache_hits":75,
      "cache_misses":25,"upstream_queries":30,"upstream_timeouts":2,"upstream_errors":1,"servfail":6},
    "cache":{"entries":1,"octets":26214400,"capacity":268435456},
    "resolved":{"p50_ms":12.34,"p99_ms":1250}})");
}

TEST(CtlText, Status) {
  EXPECT_EQ(status_text(status_reply()),
            "Peregrine    0.1.0, pid 17, profile staging\n"
            "up           1 h 1 min; 2 workers; configuration 3\n"
            "listening    udp://127.0.0.1:1053\n"
            "             tcp://127.0.0.1:1053\n"
            "forwarding   . to 192.0.2.1:53 192.0.2.2:53\n"
            "             a.example. to 192.0.2.3:53\n"
            "queries      90 over UDP, 10 over TCP; 4 refused by access.allow, 5 dropped\n"
            "cache hits   75.0 % (75 of 100)\n"
            "cache use    25 MiB of 256 MiB (9.8 %), 1 answer\n"
            "resolved in  12.3 ms (p50), 1.25 s (p99)\n"
            "upstream     30 packets; 2 without a reply in time, 1 failed; 6 answered SERVFAIL\n");
}

TEST(CtlText, StatusOfAServerThatHasDoneNothing) {
  json reply = status_reply();
  for (json& counter : reply["counters"]) counter = 0;
  reply["forwarding"] = json::array();
  reply["resolved"] = {{"p50_ms", 0}, {"p99_ms", 0}};
  const std::string text = status_text(reply);
  EXPECT_THAT(text, HasSubstr("forwarding   none\n"));
  EXPECT_THAT(text, HasSubstr("cache hits   - (0 of 0)\n"));
  EXPECT_THAT(text, HasSubstr("resolved in  -\n"));
}

TEST(CtlText, WhatIsNotInTheKnownFormThrows) {
  json lacks = status_reply();
  lacks.erase("cache");
  EXPECT_THROW(status_text(lacks), json::exception);
  json other_type = status_reply();
  other_type["version"] = 17;
  EXPECT_THROW(status_text(other_type), json::exception);
  EXPECT_THROW(flags_text(json::parse(R"({"flags":[1]})")), json::exception);
  EXPECT_THROW(upstreams_text(json::object()), json::exception);
  EXPECT_THROW(reload_text(json::parse(R"({"need_restart":[5]})")), json::exception);
}

TEST(CtlText, NothingMovesTheCursor) {
  json reply = status_reply();
  reply["version"] = "\x1b[2J";
  reply["listening"][0] = "a\nb";
  const std::string text = status_text(reply);
  EXPECT_EQ(text.find('\x1b'), text.npos);
  EXPECT_THAT(text, HasSubstr("a\\x0ab"));
}

TEST(CtlText, Flags) {
  const json reply = json::parse(R"({"ok":true,"flags":[
    {"name":"batched_io","on":true,"wanted":true,"origin":"profile","unavailable":"","scope":"process"},
    {"name":"simd","on":false,"wanted":true,"origin":"file","unavailable":"the CPU lacks AVX2","scope":"live"},
    {"name":"x","on":false,"wanted":false,"origin":"profile","unavailable":"not in this binary","scope":"live"}]})");
  EXPECT_EQ(flags_text(reply),
            "FLAG        VALUE  FROM     CHANGES  AVAILABLE\n"
            "batched_io  on     profile  restart  yes\n"
            "simd        off    file     live     the CPU lacks AVX2 (wanted on)\n"
            "x           off    profile  live     not in this binary\n");
}

TEST(CtlText, Upstreams) {
  EXPECT_EQ(upstreams_text(json::parse(R"({"upstreams":[]})")), "no server has been asked yet\n");
  const json reply = json::parse(R"({"ok":true,"upstreams":[
    {"server":"192.0.2.1:53","worker":0,"srtt_ms":1.5,"timeout_ms":200,"failures":0,"useless":0,"resting":false},
    {"server":"192.0.2.2:53","worker":1,"srtt_ms":0,"timeout_ms":800,"failures":3,"useless":0,"resting":true},
    {"server":"192.0.2.3:53","worker":1,"srtt_ms":1,"timeout_ms":800,"failures":1,"useless":0,"resting":false},
    {"server":"192.0.2.4:53","worker":1,"srtt_ms":1,"timeout_ms":800,"failures":0,"useless":2,"resting":false}]})");
  EXPECT_EQ(upstreams_text(reply),
            "SERVER        WORKER  ROUND TRIP  TIMEOUT  FAILURES  STATE\n"
            "192.0.2.1:53  0       1.5 ms      200 ms   0         good\n"
            "192.0.2.2:53  1       -           800 ms   3         resting\n"
            "192.0.2.3:53  1       1 ms        800 ms   1         failing\n"
            "192.0.2.4:53  1       1 ms        800 ms   0         no help\n");
}

TEST(CtlText, Reload) {
  EXPECT_EQ(reload_text(json::parse(R"({"need_restart":[]})")), "reloaded\n");
  EXPECT_EQ(reload_text(json::parse(R"({"need_restart":["server.workers"]})")),
            "reloaded\nserver.workers waits for a restart\n");
}

}  // namespace
}  // namespace peregrine
