#include <gmock/gmock.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "config/config_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

bool in_repeated_table(std::string_view key) { return key.contains("[]."); }

// A value for each key that is not its default, as TOML.
struct Setting {
  std::string key, value;
};

std::vector<Setting> settings() {
  std::vector<Setting> all{
      {"profile", "\"dev\""},
      {"server.listen", "[\"udp://192.0.2.1:5353\", \"tcp://[2001:db8::1]:0\"]"},
      {"server.workers", "3"},
      {"server.user", "\"nobody\""},
      {"server.state_dir", "\"/run/elsewhere\""},
      {"server.batch", "16"},
      {"server.cpus", "[1, 0]"},
      {"server.steering", "\"cpu\""},
      {"server.receive_buffer", "\"1 MiB\""},
      {"server.tcp_sessions", "10"},
      {"server.tcp_sessions_per_client", "2"},
      {"server.tcp_idle", "\"1500ms\""},
      {"server.drain", "\"1m\""},
      {"access.allow", "[\"10.0.0.0/8\", \"2001:db8::/32\"]"},
      {"cache.size", "\"64 MiB\""},
      {"cache.file", "\"/var/lib/peregrine/cache\""},
      {"cache.min_ttl", "30"},
      {"cache.max_ttl", "\"2h\""},
      {"cache.max_negative_ttl", "\"1m\""},
      {"forward", "[{zone = \"example.com\", servers = [\"192.0.2.53\", \"[2001:db8::53]:5353\"]}]"},
      {"recursion.enabled", "false"},
      {"recursion.qname_minimisation", "\"strict\""},
      {"recursion.root_servers", "[\"192.0.2.1\"]"},
      {"recursion.port", "5300"},
      {"recursion.query_private", "true"},
      {"recursion.verify_glue", "true"},
      {"recursion.root_hints", "\"/etc/named.root\""},
      {"recursion.local_root", "\"/var/lib/root.zone\""},
      {"stub", "[{zone = \"example.net\", servers = [\"192.0.2.54\"]}]"},
      {"local", "[{zone = \"example.org\", records = [\"www A 192.0.2.1\"]}]"},
      {"resolver.timeout", "\"250ms\""},
      {"resolver.queries_in_flight", "100"},
      {"resolver.waiters_per_query", "10"},
      {"resolver.udp_sockets", "64"},
      {"resolver.randomise_case", "false"},
      {"edns.udp_size", "1400"},
      {"buffers.small", "1"},
      {"buffers.medium", "2"},
      {"buffers.large", "3"},
      {"log.level", "\"warning\""},
  };
  for (const FlagRow& row : flag_rows()) {
    const bool by_default = FlagSet().wanted(row.flag);
    all.push_back({"flags." + std::string(row.name), by_default ? "false" : "true"});
  }
  return all;
}

std::string variable(const std::string& key) {
  std::string name = "PEREGRINE_";
  for (const char c : key) {
    if (c == '.') {
      name += "__";
    } else {
      name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
  }
  return name;
}

// Flags know where they come from, which makes otherwise equal configurations differ.
Config without_origins(Config config) {
  FlagSet plain(config.profile);
  for (const FlagRow& row : flag_rows()) {
    plain.set(row.flag, config.flags.wanted(row.flag), Origin::rollout);
  }
  config.flags = plain;
  return config;
}

TEST(ConfigKeys, AreUniqueAndDocumented) {
  std::set<std::string_view> seen;
  for (const KeyRow& row : config_keys()) {
    EXPECT_TRUE(seen.insert(row.key).second) << row.key;
    EXPECT_FALSE(row.form.empty()) << row.key;
    EXPECT_FALSE(row.help.empty()) << row.key;
    EXPECT_EQ(row.built_in.empty(), in_repeated_table(row.key)) << row.key;
  }
}

TEST(ConfigKeys, TheseTestsSetEachOfThem) {
  std::vector<std::string> wanted;
  std::vector<std::string> tested;
  for (const KeyRow& row : config_keys()) {
    if (!in_repeated_table(row.key)) wanted.emplace_back(row.key);
  }
  for (const Setting& s : settings()) tested.push_back(s.key);
  EXPECT_EQ(tested, wanted);
}

TEST(ConfigKeys, TheBuiltInValueIsTheDefault) {
  const Config defaults = good(load_config({}));
  for (const KeyRow& row : config_keys()) {
    if (in_repeated_table(row.key)) continue;
    const std::string text = std::string(row.key) + " = " + std::string(row.built_in);
    Config config = good(load_file(text));
    config.server.listen_is_default = true;
    EXPECT_EQ(without_origins(config), without_origins(defaults)) << text;
  }
}

TEST(ConfigKeys, EachCanBeSetInEachSource) {
  const Config defaults = good(load_config({}));
  for (const Setting& s : settings()) {
    const Config by_file = good(load_file(s.key + " = " + s.value));
    const Config by_environment = good(load_environment({{variable(s.key), s.value}}));
    const Config by_set = good(load_set({s.key + "=" + s.value}));
    EXPECT_NE(without_origins(by_file), without_origins(defaults)) << s.key;
    EXPECT_EQ(without_origins(by_environment), without_origins(by_file)) << s.key;
    EXPECT_EQ(without_origins(by_set), without_origins(by_file)) << s.key;
  }
}

TEST(ConfigKeys, EachTouchesNoOther) {
  std::string file;
  for (const Setting& s : settings()) file += s.key + " = " + s.value + "\n";
  const Config together = good(load_file(file));
  EXPECT_EQ(together.profile, Profile::dev);
  EXPECT_EQ(together.server.listen.size(), 2u);
  EXPECT_EQ(together.server.workers, 3u);
  EXPECT_EQ(together.server.user, "nobody");
  EXPECT_EQ(together.server.state_dir, "/run/elsewhere");
  EXPECT_EQ(together.server.batch, 16u);
  EXPECT_THAT(together.server.cpus, ElementsAre(1u, 0u));
  EXPECT_EQ(together.server.steering, SteeringKey::cpu);
  EXPECT_EQ(together.server.receive_buffer, 1u << 20);
  EXPECT_EQ(together.server.tcp_sessions, 10u);
  EXPECT_EQ(together.server.tcp_sessions_per_client, 2u);
  EXPECT_EQ(together.server.tcp_idle, std::chrono::milliseconds(1500));
  EXPECT_EQ(together.server.drain_seconds, 60u);
  EXPECT_EQ(together.access.allow.size(), 2u);
  EXPECT_EQ(together.cache.size, 64u << 20);
  EXPECT_EQ(together.cache.min_ttl, std::chrono::seconds(30));
  EXPECT_EQ(together.cache.max_ttl, std::chrono::hours(2));
  EXPECT_EQ(together.cache.max_negative_ttl, std::chrono::minutes(1));
  EXPECT_EQ(together.forward.size(), 1u);
  EXPECT_EQ(together.resolver.timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(together.resolver.queries_in_flight, 100u);
  EXPECT_EQ(together.resolver.waiters_per_query, 10u);
  EXPECT_EQ(together.resolver.udp_sockets, 64u);
  EXPECT_FALSE(together.resolver.randomise_case);
  EXPECT_EQ(together.edns.udp_size, 1400);
  EXPECT_EQ(together.log.level, LogLevel::warning);
  for (const FlagRow& row : flag_rows()) {
    EXPECT_EQ(together.flags.wanted(row.flag), !FlagSet().wanted(row.flag)) << row.name;
  }
}

TEST(ConfigKeys, EachRefusesWhatItsFormDoesNotSay) {
  for (const KeyRow& row : config_keys()) {
    if (in_repeated_table(row.key)) continue;
    for (const char* wrong : {"1979-05-27", "nan", "-1", "[[]]", "{a = {}}"}) {
      const std::string text = std::string(row.key) + " = " + wrong;
      EXPECT_EQ(file_errors(text).size(), 1u) << text;
    }
  }
}

TEST(ConfigKeys, NumbersKeepTheLimitsOfTheirForm) {
  constexpr std::string_view start = "a number from ";
  constexpr std::string_view middle = " to ";
  unsigned found = 0;
  for (const KeyRow& row : config_keys()) {
    if (!row.form.starts_with(start)) continue;
    ++found;
    const std::string_view limits = row.form.substr(start.size());
    const size_t at = limits.find(middle);
    ASSERT_NE(at, limits.npos) << row.key;
    const long least = std::stol(std::string(limits.substr(0, at)));
    const long most = std::stol(std::string(limits.substr(at + middle.size())));
    const auto fits = [&row](long number) {
      return load_set({std::string(row.key) + "=" + std::to_string(number)}).errors.empty();
    };
    EXPECT_TRUE(fits(least)) << row.key;
    EXPECT_TRUE(fits(most)) << row.key;
    EXPECT_FALSE(fits(least - 1)) << row.key;
    EXPECT_FALSE(fits(most + 1)) << row.key;
  }
  EXPECT_GE(found, 8u);
}

TEST(ConfigKeys, ARestartIsNeededForTheKeysThatAreNotLive) {
  const Config running = good(load_config({}));
  EXPECT_THAT(keys_that_need_a_restart(running, running), IsEmpty());
  for (const Setting& s : settings()) {
    if (s.key == "profile") continue;
    const Config wanted = good(load_set({s.key + "=" + s.value}));
    const auto row = std::ranges::find(config_keys(), s.key, &KeyRow::key);
    ASSERT_NE(row, config_keys().end());
    const std::vector<std::string> needed = keys_that_need_a_restart(running, wanted);
    if (row->live) {
      EXPECT_THAT(needed, IsEmpty()) << s.key;
    } else {
      EXPECT_THAT(needed, ElementsAre(s.key));
    }
  }
}

TEST(ConfigKeys, AProfileNeedsARestartAndSoDoTheFlagsThatItChanges) {
  const Config running = good(load_set({"profile=production"}));
  const Config wanted = good(load_set({"profile=full"}));
  std::vector<std::string> changed{"profile"};
  for (const FlagRow& row : flag_rows()) {
    const bool differs = running.flags.wanted(row.flag) != wanted.flags.wanted(row.flag);
    if (differs && row.scope == FlagScope::process) changed.push_back("flags." + std::string(row.name));
  }
  EXPECT_EQ(keys_that_need_a_restart(running, wanted), changed);
}

TEST(ConfigKeys, TheSameValueFromAnotherSourceNeedsNoRestart) {
  EXPECT_THAT(keys_that_need_a_restart(good(load_config({})),
                                       good(load_set({"flags.simd=true", "cache.size=256MiB"}))),
              IsEmpty());
}

TEST(ConfigKeys, TheseNeedARestart) {
  std::vector<std::string_view> not_live;
  for (const KeyRow& row : config_keys()) {
    if (!row.live && !row.key.starts_with("flags.")) not_live.push_back(row.key);
  }
  EXPECT_THAT(
      not_live,
      ElementsAre("profile", "server.listen", "server.workers", "server.user", "server.state_dir",
                  "server.batch", "server.cpus", "server.steering", "server.receive_buffer", "cache.size",
                  "cache.file", "resolver.udp_sockets", "buffers.small", "buffers.medium", "buffers.large"));
}

}  // namespace
}  // namespace peregrine
