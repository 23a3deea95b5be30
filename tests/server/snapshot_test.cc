#include "server/snapshot.h"

#include <gtest/gtest.h>

#include "server/server.h"

namespace peregrine {
namespace {

Config load(const std::string& text) {
  LoadedConfig loaded = load_config(
      {.file_name = "test.toml", .file_text = text, .unreadable = {}, .environment = {}, .set = {}});
  for (const auto& error : loaded.errors) ADD_FAILURE() << error.to_string();
  return loaded.config;
}

TEST(Snapshot, WithoutForwardZonesTheSystemsServersServeEverything) {
  const Endpoint server = Endpoint::parse("192.0.2.1", 53).value();
  const Snapshot snapshot = make_snapshot(load(""), {{server}});
  const auto* zone = snapshot.forward->find(DnameBuf::from_text("www.example.").value());
  ASSERT_TRUE(zone);
  EXPECT_EQ(zone->servers, std::vector<Endpoint>{server});
  EXPECT_EQ(snapshot.generation, 1u);
}

TEST(Snapshot, ConfiguredZonesReplaceTheSystemsServers) {
  const Endpoint server = Endpoint::parse("192.0.2.1", 53).value();
  const Snapshot snapshot =
      make_snapshot(load("[[forward]]\nzone = \"corp.example\"\nservers = [\"192.0.2.9\"]\n"), {{server}});
  EXPECT_TRUE(snapshot.forward->find(DnameBuf::from_text("a.corp.example.").value()));
  EXPECT_FALSE(snapshot.forward->find(DnameBuf::from_text("other.example.").value()));
}

TEST(Snapshot, TheSystemsServersAreNotReadWhereForwardZonesAreConfigured) {
  const Config config = load("[[forward]]\nzone = \"corp.example\"\nservers = [\"192.0.2.9\"]\n");
  EXPECT_TRUE(system_servers(config, config.server.listen).empty());
}

// Zones as "zone=server" words; generation_of() of names after each of several reloads.
class Served {
 public:
  explicit Served(std::initializer_list<std::pair<const char*, const char*>> zones)
      : snapshot_(make_snapshot(config_of(zones), {})) {}
  void reload(std::initializer_list<std::pair<const char*, const char*>> zones) {
    snapshot_ = next_snapshot(snapshot_, config_of(zones), {});
  }
  uint32_t since(const char* name) const {
    return snapshot_.served_since->generation_of(DnameBuf::from_text(name).value());
  }

 private:
  static Config config_of(std::initializer_list<std::pair<const char*, const char*>> zones) {
    Config config;
    for (auto [zone, server] : zones) {
      config.forward.push_back({DnameBuf::from_text(zone).value(), {Endpoint::parse(server, 53).value()}});
    }
    return config;
  }
  Snapshot snapshot_;
};

TEST(ServedSince, WhatHasNotChangedIsAsOldAsItWas) {
  Served served({{".", "192.0.2.1"}, {"corp.example", "192.0.2.2"}});
  served.reload({{".", "192.0.2.1"}, {"corp.example", "192.0.2.2"}});
  EXPECT_EQ(served.since("www.example"), 1u);
  EXPECT_EQ(served.since("a.corp.example"), 1u);
}

TEST(ServedSince, AZoneWithOtherServersIsNewAndItsNeighboursAreNot) {
  Served served({{".", "192.0.2.1"}, {"corp.example", "192.0.2.2"}});
  served.reload({{".", "192.0.2.1"}, {"corp.example", "192.0.2.3"}});
  EXPECT_EQ(served.since("a.corp.example"), 2u);
  EXPECT_EQ(served.since("corp.example"), 2u);
  EXPECT_EQ(served.since("example"), 1u);
  served.reload({{".", "192.0.2.9"}, {"corp.example", "192.0.2.3"}});
  EXPECT_EQ(served.since("a.corp.example"), 2u);
  EXPECT_EQ(served.since("example"), 3u);
}

TEST(ServedSince, AZoneThatComesOrGoesIsNew) {
  Served served({{".", "192.0.2.1"}});
  served.reload({{".", "192.0.2.1"}, {"corp.example", "192.0.2.2"}});
  EXPECT_EQ(served.since("a.corp.example"), 2u);
  served.reload({{".", "192.0.2.1"}});
  EXPECT_EQ(served.since("a.corp.example"), 3u);
  EXPECT_EQ(served.since("www.example"), 1u);
  served.reload({{".", "192.0.2.7"}});  // which serves what was the zone's as well
  EXPECT_EQ(served.since("a.corp.example"), 4u);
}

TEST(ServedSince, AZoneWithTheServersOfTheOneAboveChangesNothing) {
  Served served({{".", "192.0.2.1"}});
  served.reload({{".", "192.0.2.1"}, {"corp.example", "192.0.2.1"}});
  EXPECT_EQ(served.since("a.corp.example"), 1u);
}

TEST(Snapshot, AReloadKeepsWhatCannotChange) {
  const Config running = load("[server]\nworkers = 2\n[cache]\nsize = \"8 MiB\"\nmax_ttl = 100\n");
  const Config wanted =
      load("[server]\nworkers = 4\n[cache]\nsize = \"9 MiB\"\nmax_ttl = 200\n[edns]\nudp_size = 1400\n");
  const Config merged = merge_live(running, wanted);
  EXPECT_EQ(merged.server.workers, 2u);
  EXPECT_EQ(merged.cache.size, 8ull << 20);
  EXPECT_EQ(merged.cache.max_ttl, std::chrono::seconds(200));
  EXPECT_EQ(merged.edns.udp_size, 1400);
  EXPECT_TRUE(keys_that_need_a_restart(running, merged).empty());
}

}  // namespace
}  // namespace peregrine
