// `peregrine ctl cache` against a server in this process, and its texts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/control_support.h"
#include "cli/cli_support.h"
#include "cli/ctl_cache_text.h"

namespace peregrine {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

class CtlCache : public testing::Test {
 protected:
  Done cache(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"ctl", "--state-dir", dir_.path(), "--timeout", "60", "cache"});
    return run(arguments);
  }
  const TempDir dir_;
};

TEST_F(CtlCache, OfAnEmptyCache) {
  const RunningServer running(small_config(dir_.path()));
  const Done stats = cache({"stats"});
  EXPECT_EQ(stats.code, 0) << stats.err;
  EXPECT_THAT(stats.out, StartsWith("entries  0, - of them expired; 0 answers, 0 RRsets, 0 delegations\n"));
  EXPECT_THAT(stats.out, HasSubstr(" of 1 MiB ("));
  EXPECT_EQ(cache({"dump"}).out, "0 entries\n");
  EXPECT_EQ(cache({"dump", "--zone", "example.com", "--json"}).out, "{\"entries\":0,\"ok\":true}\n");
  EXPECT_EQ(cache({"flush", "www.example.com"}).out, "flushed www.example.com.: 0 entries\n");
  EXPECT_EQ(cache({"flush", "--below", "."}).out, "flushed . and all below: 0 entries\n");
  EXPECT_EQ(json::parse(cache({"flush", "example.com", "--below", "--json"}).out).at("below"), true);
}

TEST_F(CtlCache, WhatIsNoName) {
  const RunningServer running(small_config(dir_.path()));
  const Done done = cache({"flush", "a..b"});
  EXPECT_EQ(done.code, 2);
  EXPECT_THAT(done.err, StartsWith("peregrine: a..b: not a domain name\n"));
  EXPECT_EQ(cache({"dump", "--zone", "a b"}).code, 2);
  EXPECT_EQ(cache({"flush", "\xff\xfe.example"}).out, "flushed \\255\\254.example.: 0 entries\n");
}

TEST_F(CtlCache, WrongUsageAndNoServer) {
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{},
                                             {"stat"},
                                             {"flush"},
                                             {"flush", "a.example", "b.example"},
                                             {"stats", "--below"},
                                             {"dump", "--zone"}}) {
    const Done done = cache(wrong);
    EXPECT_EQ(done.code, 2) << testing::PrintToString(wrong);
    EXPECT_THAT(done.err, StartsWith("peregrine: "));
  }
  EXPECT_EQ(cache({"stats"}).code, 2);
}

TEST(CtlCacheText, AnEntryIsALineUnderTheHeading) {
  const json entry = json::parse(R"({"name":"www.example.com.","type":"A","view":"answer","flags":["DO","AD"],
      "ttl_s":212,"expired":false,"age_s":88,"octets":69,"frequency":3})");
  EXPECT_EQ(cache_dump_heading() + cache_entry_text(entry),
            "     TTL       AGE   OCTETS  FREQ  VIEW        FLAGS     TYPE        NAME\n"
            "     212        88       69     3  answer      DO,AD     A           www.example.com.\n");
  const json other =
      json::parse(R"({"name":"a\u001b.example.","type":"TXT","class":"CH","view":"rrset","ttl_s":0,
      "expired":true,"age_s":-1,"octets":70,"frequency":0})");
  EXPECT_EQ(cache_entry_text(other),
            " expired         -       70     0  rrset       -         CH TXT      a\\x1b.example.\n");
  EXPECT_THROW(cache_entry_text(json::object()), json::exception);
}

TEST(CtlCacheText, Stats) {
  const json reply = json::parse(R"({"ok":true,"hits":3,"misses":1,
      "store":{"entries":2,"octets":1024,"capacity":4096,"octets_live":512,"octets_dead":0,"octets_index":256,
               "inserted":5,"replaced":1,"removed":2,"refused":0,"evicted":1,"evicted_cold":1,"evicted_crowded":0,
               "expired":7,"moved":4},
      "census":{"entries":2,"expired":1,"views":{"answer":1,"rrset":1,"delegation":0,"denial":0},
                "ages":[{"below_s":60,"entries":1},{"below_s":21600,"entries":0},{"below_s":86400,"entries":1},
                        {"below_s":null,"entries":0}]}})");
  EXPECT_EQ(cache_stats_text(reply),
            "entries  2, 50.0 % of them expired; 1 answer, 1 RRset, 0 delegations\n"
            "octets   1 KiB of 4 KiB (25.0 %): 512 octets live, 0 octets dead, 256 octets index\n"
            "hits     75.0 % (3 of 4)\n"
            "stored   5 new, 1 replaced, 0 refused; 2 removed\n"
            "evicted  1 to make room, 0 from a crowded index; 7 expired; 4 moved to keep them\n"
            "age      below 1 min  1  (50.0 %)\n"
            "         below 6 h    0  (0.0 %)\n"
            "         below 1 d    1  (50.0 %)\n"
            "         more         0  (0.0 %)\n");
}

TEST(CtlCacheText, CountsOfOne) {
  EXPECT_EQ(cache_dump_text({{"entries", 1}}), "1 entry\n");
  EXPECT_EQ(cache_flush_text({{"name", "a."}, {"below", false}, {"removed", 1}}), "flushed a.: 1 entry\n");
}

}  // namespace
}  // namespace peregrine
