#include <gmock/gmock.h>

#include "config/config_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ConfigChecks, AtLeastOneListenAddress) {
  EXPECT_THAT(file_errors("[server]\nlisten = []\n"),
              ElementsAre("p.toml:2:10: server.listen has no address"));
}

TEST(ConfigChecks, AListenAddressOnce) {
  EXPECT_THAT(file_errors("server.listen = [\n"
                          "  \"127.0.0.1:53\",\n"
                          "  \"[::1]:53\",\n"
                          "  \"127.0.0.1\",\n"
                          "]\n"),
              ElementsAre("p.toml:4:3: server.listen has 127.0.0.1:53 twice"));
  EXPECT_THAT(set_errors({R"(server.listen=["127.0.0.1:53", "udp://127.0.0.1:53"])"}),
              ElementsAre("--set: server.listen has 127.0.0.1:53 twice"));
}

TEST(ConfigChecks, AWildcardAddressTakesItsPortOnAllOfTheFamily) {
  EXPECT_THAT(set_errors({R"(server.listen=["0.0.0.0:53", "127.0.0.1:53"])"}),
              ElementsAre("--set: server.listen has 127.0.0.1:53, which 0.0.0.0:53 includes"));
  EXPECT_THAT(set_errors({R"(server.listen=["[::1]:53", "127.0.0.1:53", "udp://[::]:53"])"}),
              ElementsAre("--set: server.listen has [::]:53, which includes another of its addresses"));
  EXPECT_THAT(set_errors({R"(server.listen=["0.0.0.0:53", "0.0.0.0:53"])"}),
              ElementsAre("--set: server.listen has 0.0.0.0:53 twice"));
  EXPECT_THAT(set_errors({R"(server.listen=["0.0.0.0:53", "[::]:53", "[::1]:54", "127.0.0.1:55"])"}),
              IsEmpty());
  EXPECT_THAT(set_errors({R"(server.listen=["0.0.0.0:53", "[::1]:53"])"}), IsEmpty());
  EXPECT_THAT(set_errors({R"(server.listen=["udp://0.0.0.0:53", "tcp://127.0.0.1:53"])"}), IsEmpty());
  EXPECT_THAT(set_errors({R"(server.listen=["0.0.0.0:0", "127.0.0.1:0"])"}), IsEmpty());
}

TEST(ConfigChecks, UdpAndTcpApartAndPortZeroAreNoDuplicates) {
  EXPECT_THAT(set_errors({R"(server.listen=["udp://127.0.0.1:53", "tcp://127.0.0.1:53"])"}), IsEmpty());
  EXPECT_THAT(set_errors({R"(server.listen=["127.0.0.1:0", "127.0.0.1:0"])"}), IsEmpty());
  EXPECT_THAT(set_errors({R"(server.listen=["127.0.0.1:53", "127.0.0.1:54", "127.0.0.2:53"])"}), IsEmpty());
}

TEST(ConfigChecks, MinimumTtlNotOverMaximum) {
  EXPECT_THAT(file_errors("[cache]\nmin_ttl = \"1h\"\nmax_ttl = \"10m\"\n"),
              ElementsAre("p.toml:3:11: cache.min_ttl, 3600 s, is over cache.max_ttl, 600 s"));
  EXPECT_THAT(file_errors("[cache]\nmax_ttl = 5\nmin_ttl = 6\n"),
              ElementsAre("p.toml:3:11: cache.min_ttl, 6 s, is over cache.max_ttl, 5 s"));
  EXPECT_THAT(file_errors("cache.min_ttl = \"2d\"\n"),
              ElementsAre("p.toml:1:17: cache.min_ttl, 172800 s, is over cache.max_ttl, 86400 s"));
  EXPECT_THAT(file_errors("cache.min_ttl = 5\ncache.max_ttl = 5\n"), IsEmpty());
}

TEST(ConfigChecks, BlamesTheStrongerSourceForAClash) {
  ConfigSources sources;
  sources.file_name = "p.toml";
  sources.file_text = "cache.max_ttl = 5\n";
  sources.set = {"cache.min_ttl=6"};
  EXPECT_THAT(texts(load_config(sources).errors),
              ElementsAre("--set: cache.min_ttl, 6 s, is over cache.max_ttl, 5 s"));
}

TEST(ConfigChecks, DoNotLookAtValuesThatCouldNotBeRead) {
  EXPECT_EQ(file_errors("cache.min_ttl = \"2d\"\ncache.max_ttl = true\n").size(), 1u);
  EXPECT_EQ(file_errors("server.listen = [\"x\"]\n").size(), 1u);
  EXPECT_EQ(file_errors("server.listen = [\"127.0.0.1\", \"x\", \"127.0.0.1\"]\n").size(), 1u);
}

TEST(ConfigChecks, AZoneIsForwardedOnce) {
  EXPECT_THAT(file_errors("[[forward]]\nzone = \"example.com\"\nservers = [\"192.0.2.1\"]\n"
                          "[[forward]]\nzone = \"EXAMPLE.com.\"\nservers = [\"192.0.2.2\"]\n"
                          "[[forward]]\nzone = \"www.example.com\"\nservers = [\"192.0.2.3\"]\n"),
              ElementsAre("p.toml:4:1: forward has the zone EXAMPLE.com. twice"));
}

TEST(ConfigChecks, StubsAreHeldToTheSame) {
  EXPECT_THAT(file_errors("[[stub]]\nzone = \"example.com\"\nservers = [\"192.0.2.1\"]\n"
                          "[[stub]]\nzone = \"example.com\"\nservers = [\"192.0.2.2\"]\n"),
              ElementsAre("p.toml:4:1: stub has the zone example.com. twice"));
  EXPECT_THAT(file_errors("[[stub]]\nzone = \"example.com\"\n"),
              ElementsAre("p.toml:1:1: stub has no servers"));
  EXPECT_THAT(file_errors("[server]\n"
                          "listen = [\"192.0.2.1:53\"]\n"
                          "[[stub]]\n"
                          "zone = \"example.com\"\n"
                          "servers = [\"192.0.2.1\"]\n"),
              ElementsAre("p.toml:5:12: the stub server 192.0.2.1:53 is our own server.listen address "
                          "192.0.2.1:53: queries would go round in a loop"));
}

TEST(ConfigChecks, ALocalZoneHasOneSourceOfRecords) {
  EXPECT_THAT(file_errors("[[local]]\nzone = \"home.example\"\n"),
              ElementsAre("p.toml:1:1: local has neither records nor a file"));
  EXPECT_THAT(file_errors("[[local]]\nrecords = []\n"),
              ElementsAre("p.toml:1:1: local has no zone", "p.toml:2:11: local has no records"));
  EXPECT_THAT(file_errors("[[local]]\nzone = \"a\"\nrecords = [\"@ A 192.0.2.1\"]\nfile = \"/a\"\n"),
              ElementsAre("p.toml:1:1: local has both records and a file; put all in one"));
  EXPECT_THAT(file_errors("[[local]]\nzone = \"a..b\"\nrecords = [1]\nfiles = \"/a\"\n"),
              ElementsAre(testing::HasSubstr("local[].zone must be a domain name"),
                          testing::HasSubstr("p.toml:3:12: local[].records must be a list of records"),
                          testing::HasSubstr("did you mean local[].file?")));
  EXPECT_THAT(file_errors("[[local]]\nzone = \"a\"\nfile = \"relative\"\n"),
              ElementsAre(testing::HasSubstr("local[].file must be an absolute path")));
}

TEST(ConfigChecks, ALocalRecordKnowsWhereItStands) {
  const Config config = good(load_file("[[local]]\nzone = \"a\"\nrecords = [\n  \"@ A 192.0.2.1\",\n]\n"));
  const LocalRecord& record = config.local.at(0).records.at(0);
  EXPECT_EQ(record.text, "@ A 192.0.2.1");
  EXPECT_EQ(record.at.source, "p.toml");
  EXPECT_EQ(record.at.line, 4u);
  EXPECT_EQ(record.at.column, 3u);
  const Config set = good(load_set({R"(local=[{zone="a", records=["@ A 192.0.2.1"]}])"}));
  EXPECT_EQ(set.local.at(0).records.at(0).at.source, "--set");
  EXPECT_EQ(set.local.at(0).records.at(0).at.line, 0u);
  EXPECT_EQ(set.local, config.local) << "wherever they stand";
}

TEST(ConfigChecks, ALocalZoneAnswersForAllThatItHolds) {
  const std::string local = "[[local]]\nzone = \"home.example\"\nrecords = [\"@ A 192.0.2.1\"]\n";
  EXPECT_THAT(file_errors(local + local), ElementsAre("p.toml:4:1: local has the zone home.example. twice"));
  EXPECT_THAT(
      file_errors(local + "[[forward]]\nzone = \"home.example\"\nservers = [\"192.0.2.1\"]\n"),
      ElementsAre("p.toml:4:1: forward has the zone home.example., which the local zone home.example. "
                  "answers for"));
  EXPECT_THAT(file_errors(local + "[[stub]]\nzone = \"a.home.example\"\nservers = [\"192.0.2.1\"]\n"),
              ElementsAre("p.toml:4:1: stub has the zone a.home.example., which the local zone home.example. "
                          "answers for"));
  EXPECT_THAT(file_errors(local + "[[forward]]\nzone = \"example\"\nservers = [\"192.0.2.1\"]\n"), IsEmpty());
}

TEST(ConfigChecks, ForwardFirstNeedsRecursion) {
  const std::string forward = "[[forward]]\nzone = \"example\"\nservers = [\"192.0.2.1\"]\nfirst = true\n";
  EXPECT_THAT(file_errors(forward + "[recursion]\nenabled = false\n"),
              ElementsAre("p.toml:1:1: forward with first = true needs recursion.enabled"));
  EXPECT_TRUE(good(load_file(forward)).forward.at(0).first);
  EXPECT_THAT(file_errors("[[stub]]\nzone = \"example\"\nservers = [\"192.0.2.1\"]\nfirst = true\n"),
              ElementsAre(testing::HasSubstr("unknown key stub[].first")));
}

TEST(ConfigChecks, NoForwardToOurselves) {
  EXPECT_THAT(file_errors("[server]\n"
                          "listen = [\"192.0.2.1:5353\"]\n"
                          "[[forward]]\n"
                          "zone = \".\"\n"
                          "servers = [\"192.0.2.1\", \"192.0.2.1:5353\"]\n"),
              ElementsAre("p.toml:5:25: the forward server 192.0.2.1:5353 is our own server.listen address "
                          "192.0.2.1:5353: queries would go round in a loop"));
}

TEST(ConfigChecks, NoForwardToOurselvesThroughAWildcardOrTheDefault) {
  EXPECT_THAT(
      set_errors({"server.listen=0.0.0.0:53", R"(forward=[{zone=".", servers=["127.0.0.53"]}])"}),
      ElementsAre("--set: the forward server 127.0.0.53:53 is our own server.listen address 0.0.0.0:53: "
                  "queries would go round in a loop"));
  EXPECT_THAT(set_errors({"server.listen=[::]:53", R"(forward=[{zone=".", servers=["::1"]}])"}),
              ElementsAre("--set: the forward server [::1]:53 is our own server.listen address [::]:53: "
                          "queries would go round in a loop"));
  EXPECT_THAT(set_errors({R"(forward=[{zone=".", servers=["127.0.0.1:1053"]}])"}),
              ElementsAre("--set: the forward server 127.0.0.1:1053 is our own server.listen address "
                          "127.0.0.1:1053: queries would go round in a loop"));
  EXPECT_THAT(set_errors({"server.listen=0.0.0.0:53", R"(forward=[{zone=".", servers=["127.0.0.53:54"]}])"}),
              IsEmpty());
  EXPECT_THAT(set_errors({"server.listen=[::]:53", R"(forward=[{zone=".", servers=["127.0.0.1"]}])"}),
              IsEmpty());
}

}  // namespace
}  // namespace peregrine
