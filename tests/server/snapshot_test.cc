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
  const Snapshot snapshot = make_snapshot(load(""), {{server}}, 3);
  const auto* zone = snapshot.forward->find(DnameBuf::from_text("www.example.").value());
  ASSERT_TRUE(zone);
  EXPECT_EQ(zone->servers, std::vector<Endpoint>{server});
  EXPECT_EQ(snapshot.generation, 3u);
}

TEST(Snapshot, ConfiguredZonesReplaceTheSystemsServers) {
  const Endpoint server = Endpoint::parse("192.0.2.1", 53).value();
  const Snapshot snapshot =
      make_snapshot(load("[[forward]]\nzone = \"corp.example\"\nservers = [\"192.0.2.9\"]\n"), {{server}}, 1);
  EXPECT_TRUE(snapshot.forward->find(DnameBuf::from_text("a.corp.example.").value()));
  EXPECT_FALSE(snapshot.forward->find(DnameBuf::from_text("other.example.").value()));
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
