// Zones of one's own: read at start, answered from by the service, swapped by a reload.
#include "server/own_zones.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <utime.h>

#include <filesystem>
#include <fstream>

#include "server/query_builder.h"
#include "server/worker_world.h"
#include "wire/wire_support.h"

namespace peregrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::load;
using testing::query;
using ::testing::SizeIs;

const WallTime now{std::chrono::seconds{1'800'000'000}};

class OwnZonesTest : public ::testing::Test {
 protected:
  OwnZonesTest() {
    std::string path = ::testing::TempDir() + "own_zones_XXXXXX";
    if (!mkdtemp(path.data())) throw std::runtime_error("no temporary directory");
    dir_ = path;
  }
  ~OwnZonesTest() override { std::filesystem::remove_all(dir_); }

  std::string write(const std::string& file, const std::string& text, WallTime modified = now) {
    const std::string path = dir_ + "/" + file;
    std::ofstream(path) << text;
    const time_t seconds = modified.time_since_epoch().count();
    const utimbuf times{seconds, seconds};
    utime(path.c_str(), &times);
    return path;
  }
  OwnZones read(const std::string& config) { return load_own_zones(load(config), now); }
  std::vector<std::string> errors(const std::string& config) {
    std::vector<std::string> all;
    for (const ConfigError& error : read(config).errors) {
      std::string text = error.to_string();
      if (const size_t at = text.find(dir_); at != text.npos) text.replace(at, dir_.size(), "DIR");
      all.push_back(text);
    }
    return all;
  }
  std::string dir_;
};

TEST_F(OwnZonesTest, AreMadeOfRecords) {
  const OwnZones own = read("[[local]]\nzone = \"home.example\"\nrecords = [\"www 60 A 192.0.2.1\"]\n");
  ASSERT_THAT(own.errors, IsEmpty());
  ASSERT_THAT(own.local, SizeIs(1));
  EXPECT_THAT(own.local[0]->records(name("www.home.example."), Type::a), SizeIs(1));
  EXPECT_THAT(own.local[0]->records(name("home.example."), Type::soa), SizeIs(1)) << "made up";
}

TEST_F(OwnZonesTest, OfFiles) {
  const std::string file = write("db", "@ SOA ns host 7 1 1 1 60\nwww A 192.0.2.1\n");
  const OwnZones own = read("[[local]]\nzone = \"home.example\"\nfile = \"" + file + "\"\n");
  ASSERT_THAT(own.errors, IsEmpty());
  EXPECT_THAT(own.local.at(0)->records(name("www.home.example."), Type::a), SizeIs(1));
}

TEST_F(OwnZonesTest, EveryMistakeHasItsPlace) {
  EXPECT_THAT(
      errors("[[local]]\nzone = \"a\"\nrecords = [\n  \"www A 192.0.2\",\n  \"www A 192.0.2.1\",\n"
             "  \"www CNAME x\",\n  \"x.b. A 192.0.2.1\",\n]\n"),
      ElementsAre(R"(test:4:3: local[].records: "192.0.2" is no data of type A)",
                  "test:6:3: local[].records: www.a. has a CNAME beside another record, or two of them",
                  "test:7:3: local[].records: x.b. is not in the zone a."));
  EXPECT_THAT(errors("[[local]]\nzone = \"a\"\nrecords = [\"@ CNAME x\"]\n"),
              ElementsAre("test:1:1: the zone a. has a CNAME at its apex, where its SOA must be"));
  EXPECT_THAT(errors("[[local]]\nzone = \"a\"\nfile = \"" + dir_ + "/missing\"\n"),
              ElementsAre("local[].file: cannot read DIR/missing: No such file or directory"));
  write("db", "@ A 192.0.2.1\nwww A x\n");
  EXPECT_THAT(errors("[[local]]\nzone = \"a\"\nfile = \"" + dir_ + "/db\"\n"),
              ElementsAre(R"(DIR/db:2: "x" is no data of type A)"));
}

TEST_F(OwnZonesTest, HintsAreServersOfTheRootWithAddresses) {
  const std::string file =
      write("hints",
            ". 3600000 NS A.ROOT-SERVERS.NET.\nA.ROOT-SERVERS.NET. 3600000 A 198.41.0.4\n"
            "A.ROOT-SERVERS.NET. 3600000 AAAA 2001:503:ba3e::2:30\n. NS B.ROOT.\n");
  const OwnZones own = read("[recursion]\nroot_hints = \"" + file + "\"\n");
  ASSERT_TRUE(own.root_hints);
  ASSERT_THAT(own.root_hints->servers, SizeIs(1));
  EXPECT_THAT(own.root_hints->servers[0].addresses, SizeIs(2));
  EXPECT_FALSE(own.root_hints->configured) << "they are asked who serves the root now";
  write("hints", "A.ROOT-SERVERS.NET. A 198.41.0.4\n");
  EXPECT_THAT(errors("[recursion]\nroot_hints = \"" + file + "\"\n"),
              ElementsAre(HasSubstr("no server of the root")));
}

TEST_F(OwnZonesTest, TheLocalRootHoldsForAsLongAsItsSoaSays) {
  const std::string text = ". 86400 SOA a. b. 1 1800 900 604800 86400\n. NS a.\ncom. NS a.\na. A 192.0.2.1\n";
  const std::string config = "[recursion]\nenabled = true\nlocal_root = \"" + dir_ + "/root\"\n";
  write("root", text, now - std::chrono::days(6));
  const OwnZones young = read(config);
  ASSERT_THAT(young.errors, IsEmpty());
  EXPECT_TRUE(young.local_root);
  EXPECT_EQ(young.local_root_expires, now + std::chrono::days(1));
  EXPECT_THAT(young.warnings, ElementsAre(HasSubstr("no ZONEMD")));
  write("root", text, now - std::chrono::days(7));
  const OwnZones old = read(config);
  EXPECT_THAT(old.errors, IsEmpty());
  EXPECT_FALSE(old.local_root);
  EXPECT_THAT(old.warnings, ::testing::Contains(HasSubstr("older than its SOA allows")));
  const Config both = load(config);
  EXPECT_EQ(*make_snapshot(both, {}, young).sources, *make_snapshot(both, {}, old).sources)
      << "what is cached of the root stays";
}

TEST_F(OwnZonesTest, ADamagedLocalRootIsAMistake) {
  const std::string config = "[recursion]\nenabled = true\nlocal_root = \"" + dir_ + "/root\"\n";
  write("root",
        ". 86400 SOA a. b. 1 1800 900 604800 86400\n. NS a.\n. ZONEMD 1 1 1 " + std::string(96, '0') + "\n");
  EXPECT_THAT(errors(config), ElementsAre(HasSubstr("does not match")));
  write("root", "com. NS a.\n");
  EXPECT_THAT(errors(config), ElementsAre(HasSubstr("no root zone")));
}

class LocalZoneTest : public ::testing::Test {
 protected:
  static constexpr std::string_view forward = "[[forward]]\nzone = \".\"\nservers = [\"192.0.2.53\"]\n";
  static std::string zone(std::string_view apex, std::string_view records) {
    return "[[local]]\nzone = \"" + std::string(apex) + "\"\nrecords = [" + std::string(records) + "]\n";
  }
  void reload(const std::string& text) {
    const Config config = load(std::string(forward) + text);
    const OwnZones own = load_own_zones(config, now);
    for (const ConfigError& error : own.errors) ADD_FAILURE() << error.to_string();
    world_.worker.adopt(next_snapshot(world_.worker.service().snapshot(), config, {}, own));
  }
  std::vector<MessageView> ask(testing::QuerySpec spec) {
    octets_ = world_.ask({query(spec)});
    std::vector<MessageView> views;
    for (const auto& reply : octets_) views.push_back(MessageView::parse(reply).value());
    return views;
  }
  std::vector<std::string> answer(std::string_view qname, Type qtype = Type::a) {
    const auto replies = ask({.qname = qname, .qtype = qtype});
    if (replies.size() != 1) return {"no reply"};
    EXPECT_TRUE(replies[0].header().aa());
    EXPECT_TRUE(replies[0].header().ra());
    return records(replies[0], Section::answer);
  }
  std::string rcode(std::string_view qname, Type qtype = Type::a) {
    const auto replies = ask({.qname = qname, .qtype = qtype});
    return replies.size() == 1 ? to_string(replies[0].rcode()) : "no reply";
  }
  testing::WorkerWorld<> world_;
  std::vector<std::vector<uint8_t>> octets_;
};

TEST_F(LocalZoneTest, AnswersForItsNames) {
  reload(zone("home.example", "\"www A 192.0.2.1\", \"*.dyn 60 A 192.0.2.2\", \"in CNAME www\""));
  EXPECT_THAT(answer("WWW.home.example."), ElementsAre("WWW.home.example.\t3600\tIN\tA\t192.0.2.1"));
  EXPECT_THAT(answer("x.dyn.home.example."), ElementsAre(HasSubstr("192.0.2.2")));
  EXPECT_THAT(answer("in.home.example."), ElementsAre(HasSubstr("CNAME"), HasSubstr("192.0.2.1")));
  EXPECT_THAT(answer("home.example.", Type::soa), SizeIs(1));
  EXPECT_EQ(rcode("gone.home.example."), "NXDOMAIN");
  const auto nodata = ask({.qname = "www.home.example.", .qtype = Type::mx});
  ASSERT_THAT(nodata, SizeIs(1));
  EXPECT_THAT(records(nodata[0], Section::authority), ElementsAre(HasSubstr("\t300\tIN\tSOA")));
  EXPECT_EQ(world_.network.sent, 0u);
}

TEST_F(LocalZoneTest, WinsOverTheCacheAsSoonAsItIsThere) {
  world_.cache({.qname = "www.home.example."});
  world_.cache({.qname = "www.example."});
  reload(zone("home.example", "\"www A 192.0.2.1\""));
  EXPECT_THAT(answer("www.home.example."), ElementsAre(HasSubstr("192.0.2.1")));
  EXPECT_EQ(rcode("www.example."), "NOERROR") << "others stay";
  reload(zone("home.example", "\"www A 192.0.2.99\""));
  EXPECT_THAT(answer("www.home.example."), ElementsAre(HasSubstr("192.0.2.99")));
  reload("");
  EXPECT_EQ(rcode("www.home.example."), "no reply") << "what was cached before is not of use any more";
  EXPECT_EQ(rcode("www.example."), "NOERROR");
}

TEST_F(LocalZoneTest, TakesThePlaceOfASpecialZone) {
  reload(zone("1.168.192.in-addr.arpa", "\"7 PTR nas.home.example.\"") + zone("test", "\"www A 192.0.2.1\""));
  EXPECT_THAT(answer("7.1.168.192.in-addr.arpa.", Type::ptr), ElementsAre(HasSubstr("nas.home.example.")));
  EXPECT_THAT(answer("www.test."), ElementsAre(HasSubstr("192.0.2.1")));
  EXPECT_EQ(rcode("7.2.168.192.in-addr.arpa.", Type::ptr), "NXDOMAIN") << "its neighbours are as they were";
  reload(zone("arpa", "\"www A 192.0.2.1\""));
  EXPECT_EQ(rcode("7.1.168.192.in-addr.arpa.", Type::ptr), "NXDOMAIN");
  EXPECT_THAT(answer("www.arpa."), SizeIs(1));
}

TEST_F(LocalZoneTest, AnAliasThatLeadsOutIsResolved) {
  reload(zone("home.example", "\"web CNAME www.example.\""));
  EXPECT_EQ(rcode("web.home.example."), "no reply");
  EXPECT_EQ(world_.network.sent, 1u);
  const auto unwanted = ask({.qname = "web.home.example.", .rd = false});
  ASSERT_THAT(unwanted, SizeIs(1));
  EXPECT_THAT(records(unwanted[0], Section::answer), ElementsAre(HasSubstr("CNAME")));
}

TEST_F(LocalZoneTest, ADsIsOfTheZoneAbove) {
  reload(zone("home.example", "\"www A 192.0.2.1\""));
  EXPECT_EQ(rcode("home.example.", Type::ds), "no reply");
  EXPECT_EQ(rcode("www.home.example.", Type::ds), "NOERROR");
}

TEST_F(LocalZoneTest, IsForThoseWhoMayAsk) {
  reload(zone("home.example", "\"www A 192.0.2.1\"") + "[access]\nallow = [\"192.0.2.0/24\"]\n");
  EXPECT_EQ(rcode("www.home.example."), "REFUSED");
}

TEST(Sources, ChangeForTheNamesWhoseServersChange) {
  const auto since = [](const std::string& before, const std::string& after, std::string_view qname) {
    const Config old_config = load(before), config = load(after);
    const Snapshot old_snapshot = make_snapshot(old_config, {}, load_own_zones(old_config, now));
    const Snapshot snapshot = next_snapshot(old_snapshot, config, {}, load_own_zones(config, now));
    EXPECT_EQ(snapshot.policy_generation, before == after ? 1u : 2u);
    return snapshot.served_since->generation_of(name(qname));
  };
  const std::string recursion = "[recursion]\nenabled = true\n";
  const std::string stub = "[[stub]]\nzone = \"corp.example\"\nservers = [\"192.0.2.1\"]\n";
  const std::string other = "[[stub]]\nzone = \"corp.example\"\nservers = [\"192.0.2.2\"]\n";
  EXPECT_EQ(since(recursion, recursion, "www.corp.example."), 1u);
  EXPECT_EQ(since(recursion, recursion + stub, "www.corp.example."), 2u);
  EXPECT_EQ(since(recursion, recursion + stub, "www.example."), 1u);
  EXPECT_EQ(since(recursion + stub, recursion + other, "www.corp.example."), 2u);
  EXPECT_EQ(since(recursion + stub, recursion, "www.corp.example."), 2u);
  EXPECT_EQ(since("[recursion]\nenabled = false\n", recursion, "www.example."), 2u);
  EXPECT_EQ(since(recursion, recursion + "root_servers = [\"192.0.2.1\"]\n", "www.example."), 2u);
  EXPECT_EQ(since(recursion, recursion + "port = 54\n", "www.example."), 2u);
  const std::string local = "[[local]]\nzone = \"home.example\"\nrecords = [\"a A 192.0.2.1\"]\n";
  EXPECT_EQ(since(recursion, recursion + local, "a.home.example."), 2u);
  EXPECT_EQ(since(recursion + local, recursion, "a.home.example."), 2u);
  EXPECT_EQ(since(recursion + local, recursion, "example."), 1u);
}

TEST(Sources, WhatWasLearnedIsApartFromWhatOthersSaid) {
  const auto realm = [](const std::string& text) {
    const Config config = load(text);
    return make_snapshot(config, {}, load_own_zones(config, now)).knowledge_realm;
  };
  const std::string recursion = "[recursion]\nenabled = true\n";
  EXPECT_EQ(realm(recursion), realm(recursion));
  EXPECT_NE(realm(recursion), realm(recursion + "root_servers = [\"192.0.2.1\"]\n"));
  EXPECT_NE(realm(recursion), realm(recursion + "[[stub]]\nzone = \"a\"\nservers = [\"192.0.2.1\"]\n"));
  EXPECT_EQ(realm(recursion), realm(recursion + "[[local]]\nzone = \"a\"\nrecords = [\"a A 192.0.2.1\"]\n"));
}

}  // namespace
}  // namespace peregrine
