#include <gmock/gmock.h>

#include "config/config_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

TEST(Config, NothingGivenIsTheBuiltIn) {
  const Config config = good(load_config({}));
  EXPECT_TRUE(config.server.listen_is_default);
  ASSERT_EQ(config.server.listen.size(), 2u);
  EXPECT_EQ(config.server.listen[0].at.to_string(), "127.0.0.1:1053");
  EXPECT_EQ(config.server.listen[1].at.to_string(), "[::1]:1053");
  ASSERT_EQ(config.access.allow.size(), 2u);
  EXPECT_EQ(config.access.allow[0].to_string(), "127.0.0.0/8");
  EXPECT_EQ(config.access.allow[1].to_string(), "::1/128");
  EXPECT_EQ(config.cache.size, 256u << 20);
  EXPECT_THAT(config.forward, IsEmpty());
  EXPECT_EQ(config.flags, FlagSet(Profile::production));
}

TEST(Config, ListenAddressesHaveSchemesAndPorts) {
  const Config config = good(
      load_file(R"(server.listen = ["192.0.2.1", "udp://192.0.2.1:5353", "tcp://[2001:db8::1]:0", "::1"])"));
  EXPECT_FALSE(config.server.listen_is_default);
  std::vector<std::pair<ListenScheme, std::string>> found;
  for (const ListenAddress& l : config.server.listen) found.emplace_back(l.scheme, l.at.to_string());
  EXPECT_THAT(found, ElementsAre(std::pair(ListenScheme::udp_and_tcp, "192.0.2.1:53"),
                                 std::pair(ListenScheme::udp, "192.0.2.1:5353"),
                                 std::pair(ListenScheme::tcp, "[2001:db8::1]:0"),
                                 std::pair(ListenScheme::udp_and_tcp, "[::1]:53")));
}

TEST(Config, ForwardsByZone) {
  const Config config =
      good(load_file("[[forward]]\nzone = \"example.com\"\nservers = [\"192.0.2.1\"]\n"
                     "[[forward]]\nzone = \".\"\nservers = [\"::1\", \"[::1]:5353\"]\n"));
  ASSERT_EQ(config.forward.size(), 2u);
  EXPECT_EQ(config.forward[0].zone.to_string(), "example.com.");
  EXPECT_EQ(config.forward[0].servers[0].to_string(), "192.0.2.1:53");
  EXPECT_TRUE(config.forward[1].zone.view().is_root());
  EXPECT_EQ(config.forward[1].servers[1].to_string(), "[::1]:5353");
}

struct Sized {
  const char* text;
  uint64_t octets;  // 0: refused
};

TEST(Config, ReadsSizes) {
  for (const Sized& s : {Sized{"\"1 MiB\"", 1 << 20},
                         Sized{"\"1MiB\"", 1 << 20},
                         Sized{"\"64 MB\"", 64'000'000},
                         Sized{"\"2048 KiB\"", 2 << 20},
                         Sized{"\"2000 kB\"", 2'000'000},
                         Sized{"\"1gib\"", 1 << 30},
                         Sized{"\"2 GB\"", 2'000'000'000},
                         Sized{"\"1 TiB\"", 1ull << 40},
                         Sized{"\"1 TB\"", 1'000'000'000'000},
                         Sized{"1048576", 1 << 20},
                         Sized{"\"1048576\"", 1 << 20},
                         Sized{"\"1048576 B\"", 1 << 20},
                         Sized{"1048575", 0},
                         Sized{"\"1023 KiB\"", 0},
                         Sized{"\"2 TiB\"", 0},
                         Sized{"\"MiB\"", 0},
                         Sized{"\"\"", 0},
                         Sized{"\"1.5 GiB\"", 0},
                         Sized{"\"-1 GiB\"", 0},
                         Sized{"-1", 0},
                         Sized{"\" 1 GiB\"", 0},
                         Sized{"\"1 GiB \"", 0},
                         Sized{"\"1 PiB\"", 0},
                         Sized{"\"16777216 TiB\"", 0},
                         Sized{"\"18446744073709551616\"", 0},
                         Sized{"\"9223372036854775807 KiB\"", 0},
                         Sized{"1e9", 0},
                         Sized{"true", 0},
                         Sized{"[1]", 0}}) {
    const auto loaded = load_file(std::string("cache.size = ") + s.text);
    EXPECT_EQ(loaded.errors.empty(), s.octets != 0) << s.text;
    if (s.octets != 0) {
      EXPECT_EQ(loaded.config.cache.size, s.octets) << s.text;
    }
  }
}

TEST(Config, ReadsDurations) {
  const auto timeout = [](const std::string& text) -> long {
    const auto loaded = load_file("resolver.timeout = " + text);
    return loaded.errors.empty() ? loaded.config.resolver.timeout.count() : -1;
  };
  EXPECT_EQ(timeout("\"500ms\""), 500);
  EXPECT_EQ(timeout("\"10s\""), 10'000);
  EXPECT_EQ(timeout("\"10 s\""), 10'000);
  EXPECT_EQ(timeout("\"1m\""), 60'000);
  EXPECT_EQ(timeout("7"), 7'000);
  EXPECT_EQ(timeout("\"7\""), 7'000);
  for (const char* bad : {"0", "61", "\"1h\"", "\"0ms\"", "\"1w\"", "\"s\"", "-1", "\"1.5s\"", "1.5",
                          "\"1h30m\"", "9223372036854775807", "\"9223372036854775807d\""}) {
    EXPECT_EQ(timeout(bad), -1) << bad;
  }
}

TEST(Config, DurationsInWholeSecondsRefuseParts) {
  EXPECT_EQ(good(load_file("cache.max_ttl = \"2000ms\"")).cache.max_ttl, std::chrono::seconds(2));
  EXPECT_EQ(file_errors("cache.max_ttl = \"1500ms\"").size(), 1u);
  EXPECT_EQ(good(load_file("cache.max_ttl = 2147483647")).cache.max_ttl.count(), 2147483647);
  EXPECT_EQ(file_errors("cache.max_ttl = 2147483648").size(), 1u);
}

TEST(Config, ReportsEverythingOfAFileInOrder) {
  EXPECT_THAT(
      file_errors("prfile = \"dev\"\n"
                  "log.level = \"loud\"\n"
                  "[server]\n"
                  "worker = 2\n"
                  "batch = \"32\"\n"
                  "listen = [\"127.0.0.1\", 53, \"tls://127.0.0.1\"]\n"
                  "[access]\n"
                  "allow = [\"10.0.0.1/8\"]\n"
                  "[[forward]]\n"
                  "zone = \"a..b\"\n"
                  "server = [\"192.0.2.1\"]\n"
                  "[cahe]\n"
                  "size = 1\n"),
      ElementsAre(
          "p.toml:1:1: unknown key prfile; did you mean profile?",
          "p.toml:2:13: log.level must be one of \"debug\", \"info\", \"warning\", \"error\", not \"loud\"",
          "p.toml:4:1: unknown key server.worker; did you mean server.workers?",
          "p.toml:5:9: server.batch must be a number from 1 to 1024, not \"32\"",
          "p.toml:6:24: server.listen must be a list of addresses, such as \"192.0.2.1\", \"[::1]:5353\" or "
          "\"udp://127.0.0.1:53\"; 53 is not one",
          "p.toml:6:28: server.listen must be a list of addresses, such as \"192.0.2.1\", \"[::1]:5353\" or "
          "\"udp://127.0.0.1:53\"; \"tls://127.0.0.1\" is not one",
          "p.toml:8:10: access.allow must be a list of address ranges without host bits, such as "
          "\"192.0.2.0/24\"; \"10.0.0.1/8\" is not one",
          "p.toml:9:1: forward has no servers",
          "p.toml:10:8: forward[].zone must be a domain name, such as \"example.com\", or \".\" for "
          "everything, "
          "not \"a..b\"",
          "p.toml:11:1: unknown key forward[].server; did you mean forward[].servers?",
          "p.toml:12:2: unknown key cahe; did you mean cache?"));
}

struct Bad {
  const char* file;
  const char* error;
};

class BadFile : public testing::TestWithParam<Bad> {};

TEST_P(BadFile, IsReported) { EXPECT_THAT(file_errors(GetParam().file), ElementsAre(GetParam().error)); }

INSTANTIATE_TEST_SUITE_P(
    UnknownKeys, BadFile,
    testing::Values(
        Bad{"nonsense = 1", "p.toml:1:1: unknown key nonsense"},
        Bad{"workers = 1", "p.toml:1:1: unknown key workers; did you mean server.workers?"},
        Bad{"[log]\nlisten = 1", "p.toml:2:1: unknown key log.listen; did you mean server.listen?"},
        Bad{"[resolver]\nrandomize_case = true",
            "p.toml:2:1: unknown key resolver.randomize_case; did you mean resolver.randomise_case?"},
        Bad{"[flags]\niouring = true", "p.toml:2:1: unknown key flags.iouring; did you mean flags.io_uring?"},
        Bad{"Server.Workers = 1", "p.toml:1:1: unknown key Server; did you mean server?"},
        Bad{"\"server.workers\" = 1",
            "p.toml:1:1: unknown key \"server.workers\"; did you mean server.workers?"},
        Bad{"\"forward[]\".zone = 1", "p.toml:1:1: unknown key \"forward[]\""},
        Bad{"\"a\\nb\" = 1", "p.toml:1:1: unknown key \"a\\x0ab\""},
        Bad{"\"\" = 1", "p.toml:1:1: unknown key \"\""},
        Bad{"[log]\nqqq = [1, {a = 2}]", "p.toml:2:1: unknown key log.qqq"},
        Bad{"[[forward]]\nzone = '.'\nservers = ['192.0.2.1']\n'a.b' = 1",
            "p.toml:4:1: unknown key forward[].\"a.b\""}));

INSTANTIATE_TEST_SUITE_P(
    WrongTypes, BadFile,
    testing::Values(
        Bad{"server = 1", "p.toml:1:10: server must be a table, not 1"},
        Bad{"[[server]]\nworkers = 1", "p.toml:1:1: server must be a table, not a list"},
        Bad{"[server]\nworkers = 1.5",
            "p.toml:2:11: server.workers must be a number from 0 to 1024, not a float"},
        Bad{"[server.workers]\nx = 1",
            "p.toml:1:1: server.workers must be a number from 0 to 1024, not a table"},
        Bad{"[server]\ncpus = 1", "p.toml:2:8: server.cpus must be a list of numbers from 0 to 1023, not 1"},
        Bad{"[server]\nuser = 1", "p.toml:2:8: server.user must be a user's name, not 1"},
        Bad{"[server]\nstate_dir = 'x'", "p.toml:2:13: server.state_dir must be an absolute path, not \"x\""},
        Bad{"flags.simd = 'on'", "p.toml:1:14: flags.simd must be true or false, not \"on\""},
        Bad{"edns.udp_size = 2024-01-01",
            "p.toml:1:17: edns.udp_size must be a number from 512 to 1400, not a date or time"},
        Bad{"edns.udp_size = 1401", "p.toml:1:17: edns.udp_size must be a number from 512 to 1400, not 1401"},
        Bad{"profile = true",
            "p.toml:1:11: profile must be one of \"dev\", \"staging\", \"production\", \"full\", not true"},
        Bad{"forward = 'x'",
            "p.toml:1:11: forward must be a list of tables, each written [[forward]], with zone and "
            "servers, not \"x\""},
        Bad{"[forward]\nzone = '.'",
            "p.toml:1:1: forward must be a list of tables, each written [[forward]], with "
            "zone and servers, not a table"},
        Bad{"forward = [1]",
            "p.toml:1:12: forward must be a list of tables, each written [[forward]], with zone and "
            "servers; 1 is not one"}));

INSTANTIATE_TEST_SUITE_P(
    ImpossibleForwards, BadFile,
    testing::Values(
        Bad{"[[forward]]\nservers = ['192.0.2.1']", "p.toml:1:1: forward has no zone"},
        Bad{"[[forward]]\nzone = '.'", "p.toml:1:1: forward has no servers"},
        Bad{"[[forward]]\nzone = '.'\nservers = []", "p.toml:3:11: forward has no servers"},
        Bad{"[[forward]]\nzone = ''\nservers = ['192.0.2.1']",
            "p.toml:2:8: forward[].zone must be a domain name, such as \"example.com\", or \".\" for "
            "everything, not "
            "\"\""},
        Bad{"[[forward]]\nzone = '.'\nservers = '192.0.2.1'",
            "p.toml:3:11: forward[].servers must be a list of addresses, such as \"192.0.2.53\" or "
            "\"[2001:db8::1]:5353\", not \"192.0.2.1\""},
        Bad{"[[forward]]\nzone = '.'\nservers = ['192.0.2.1:0']",
            "p.toml:3:12: forward[].servers must be a list of addresses, such as \"192.0.2.53\" or "
            "\"[2001:db8::1]:5353\"; \"192.0.2.1:0\" is not one"},
        Bad{"[[forward]]\nzone = '.'\nservers = ['0.0.0.0']",
            "p.toml:3:12: forward[].servers must be a list of addresses, such as \"192.0.2.53\" or "
            "\"[2001:db8::1]:5353\"; \"0.0.0.0\" is not one"}));

TEST(Config, ReportsWhereTheSyntaxBreaks) {
  EXPECT_THAT(file_errors("[server]\nworkers = \n"), ElementsAre(StartsWith("p.toml:2:11: ")));
  EXPECT_THAT(file_errors("[server]\nworkers = 1\nworkers = 2\n"), ElementsAre(StartsWith("p.toml:3:")));
  EXPECT_THAT(file_errors("a = \xff\n"), ElementsAre(StartsWith("p.toml:1:")));
}

TEST(Config, CountsErrorsWithoutEnd) {
  std::string file;
  for (int i = 0; i < 1234; ++i) file += "unknown" + std::to_string(i) + " = 1\n";
  const auto errors = file_errors(file);
  ASSERT_EQ(errors.size(), 1001u);
  EXPECT_EQ(errors.back(), "and 234 more errors");
}

TEST(Config, ReportsOverridesEvenIfTheFileIsNotToml) {
  ConfigSources sources;
  sources.file_name = "p.toml";
  sources.file_text = "= 1";
  sources.environment = {{"PEREGRINE_LOG__LEVEL", "loud"}};
  sources.set = {"nonsense=1"};
  EXPECT_THAT(
      texts(load_config(sources).errors),
      ElementsAre(StartsWith("p.toml:1:1: "), StartsWith("environment: PEREGRINE_LOG__LEVEL must be "),
                  "--set: unknown key nonsense"));
}

TEST(Config, StrongerSourcesWin) {
  ConfigSources sources;
  sources.file_text =
      "server.workers = 1\nserver.batch = 1\nserver.listen = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\n";
  sources.environment = {{"PEREGRINE_SERVER__WORKERS", "2"}, {"PEREGRINE_SERVER__BATCH", "2"}};
  sources.set = {"server.workers=3", "server.workers=4", "server.listen=127.0.0.1:3"};
  const Config config = good(load_config(sources));
  EXPECT_EQ(config.server.workers, 4u);
  EXPECT_EQ(config.server.batch, 2u);
  ASSERT_EQ(config.server.listen.size(), 1u);
  EXPECT_EQ(config.server.listen[0].at.port, 3);
}

TEST(Config, AWrongValueIsReportedEvenIfOverridden) {
  ConfigSources sources;
  sources.file_name = "p.toml";
  sources.file_text = "server.workers = 2000\n";
  sources.set = {"server.workers=2"};
  EXPECT_THAT(texts(load_config(sources).errors),
              ElementsAre("p.toml:1:18: server.workers must be a number from 0 to 1024, not 2000"));
}

TEST(Config, TheProfileGivesTheFlagsThatNothingElseSets) {
  ConfigSources sources;
  sources.file_text =
      "profile = \"full\"\n[flags]\ncpu_affinity = true\nreuse_port = true\nbatched_io = false\n";
  sources.environment = {{"PEREGRINE_FLAGS__REUSE_PORT", "false"}};
  sources.set = {"flags.simd=false", "profile=dev"};
  const Config config = good(load_config(sources));
  EXPECT_EQ(config.profile, Profile::dev);
  EXPECT_EQ(config.flags.origin(Flag::io_uring), Origin::profile);
  EXPECT_EQ(config.flags.wanted(Flag::io_uring), FlagSet(Profile::dev).wanted(Flag::io_uring));
  EXPECT_TRUE(config.flags.wanted(Flag::cpu_affinity));
  EXPECT_EQ(config.flags.origin(Flag::cpu_affinity), Origin::file);
  EXPECT_FALSE(config.flags.wanted(Flag::batched_io));
  EXPECT_FALSE(config.flags.wanted(Flag::reuse_port));
  EXPECT_EQ(config.flags.origin(Flag::reuse_port), Origin::environment);
  EXPECT_FALSE(config.flags.wanted(Flag::simd));
  EXPECT_EQ(config.flags.origin(Flag::simd), Origin::command_line);
}

TEST(Config, WantingAFlagThatIsNotInThisBinaryIsNoError) {
  for (const FlagRow& row : flag_rows()) {
    EXPECT_TRUE(good(load_set({"flags." + std::string(row.name) + "=true"})).flags.wanted(row.flag));
  }
}

TEST(ConfigOverride, TakesTomlOrABareString) {
  EXPECT_EQ(good(load_set({"log.level=debug"})).log.level, LogLevel::debug);
  EXPECT_EQ(good(load_set({"log.level=\"debug\""})).log.level, LogLevel::debug);
  EXPECT_EQ(good(load_set({" log.level = debug "})).log.level, LogLevel::debug);
}

TEST(ConfigOverride, TakesOneElementOfAListWithoutBrackets) {
  EXPECT_EQ(good(load_set({"server.listen=127.0.0.1:5353"})).server.listen[0].at.port, 5353);
  EXPECT_EQ(good(load_set({"server.listen=[::1]:5353"})).server.listen[0].at.to_string(), "[::1]:5353");
  EXPECT_EQ(good(load_set({"server.listen=::1"})).server.listen[0].at.to_string(), "[::1]:53");
  EXPECT_EQ(good(load_set({"access.allow=10.0.0.0/8"})).access.allow.size(), 1u);
  EXPECT_THAT(good(load_set({"server.cpus=3"})).server.cpus, ElementsAre(3u));
  EXPECT_THAT(good(load_set({"server.cpus=[3, 4]"})).server.cpus, ElementsAre(3u, 4u));
}

TEST(ConfigOverride, TakesTextThatLooksLikeSomethingElse) {
  EXPECT_EQ(good(load_set({"server.user=1000"})).server.user, "1000");
  EXPECT_EQ(good(load_set({"server.user=true"})).server.user, "true");
  EXPECT_EQ(good(load_set({"server.user="})).server.user, "");
  EXPECT_EQ(good(load_set({"server.state_dir=/run/a=b"})).server.state_dir, "/run/a=b");
}

TEST(ConfigOverride, TakesTablesThatRepeatAsToml) {
  const Config config = good(load_set({R"(forward=[{zone="a.", servers=["192.0.2.1"]}, )"
                                       R"({zone="b.", servers=["192.0.2.2"]}])"}));
  EXPECT_EQ(config.forward.size(), 2u);
  EXPECT_EQ(good(load_set({"server={workers=2, batch=3}"})).server.batch, 3u);
}

TEST(ConfigOverride, ReportsWhatIsWrong) {
  EXPECT_THAT(
      set_errors({"server.worker=2", "sevrer.workers=2", "server.workers=two", "server.workers", "=1", "",
                  "server=2", "server.workers.x=1", "server.a.b=1", "forward.zone=.", "forward[].zone=.",
                  "..=1"}),
      ElementsAre(
          "--set: unknown key server.worker; did you mean server.workers?",
          "--set: unknown key sevrer.workers; did you mean server.workers?",
          "--set: server.workers must be a number from 0 to 1024, not \"two\"",
          "--set: \"server.workers\" is not of the form key=value", "--set: unknown key \"\"",
          "--set: \"\" is not of the form key=value", "--set: server must be a table, not 2",
          "--set: unknown key server.\"workers.x\"", "--set: unknown key server.\"a.b\"",
          "--set: forward must be a list of tables, each written [[forward]], with zone and servers, not a "
          "table",
          "--set: unknown key \"forward[]\".zone", "--set: unknown key \"\".\"\".\"\""));
}

TEST(ConfigEnvironment, ReportsWhatIsWrongInItsOwnSpelling) {
  EXPECT_THAT(environment_errors({{"PEREGRINE_SERVER__WORKER", "2"},
                                  {"PEREGRINE_SERVER_WORKERS", "2"},
                                  {"PEREGRINE_SERVER__WORKERS", "2000"},
                                  {"PEREGRINE_", "1"},
                                  {"PEREGRINE_FORWARD", "[{zone='.', server=1}]"}}),
              ElementsAre("environment: unknown key PEREGRINE_SERVER__WORKER; did you mean "
                          "PEREGRINE_SERVER__WORKERS?",
                          "environment: unknown key PEREGRINE_SERVER_WORKERS; did you mean "
                          "PEREGRINE_SERVER__WORKERS?",
                          "environment: PEREGRINE_SERVER__WORKERS must be a number from 0 to 1024, not 2000",
                          "environment: unknown key PEREGRINE_\"\"", "environment: forward has no servers",
                          "environment: unknown key forward[].server; did you mean forward[].servers?"));
}

TEST(ConfigEnvironment, LeavesNamesThatAreNotSettings) {
  EXPECT_THAT(
      environment_errors(
          {{"PATH", "/bin"}, {"PEREGRINE", "x"}, {"PEREGRINE_KERNEL", "scalar"}, {"PEREGRINE_SOAK", "60"}}),
      IsEmpty());
}

TEST(ConfigEnvironment, LeavesWhatKubernetesSetsForAService) {
  EXPECT_THAT(environment_errors({{"PEREGRINE_SERVICE_HOST", "10.0.0.1"},
                                  {"PEREGRINE_SERVICE_PORT", "53"},
                                  {"PEREGRINE_SERVICE_PORT_DNS", "53"},
                                  {"PEREGRINE_PORT", "udp://10.0.0.1:53"},
                                  {"PEREGRINE_PORT_53_UDP", "udp://10.0.0.1:53"},
                                  {"PEREGRINE_PORT_53_UDP_PROTO", "udp"},
                                  {"PEREGRINE_METRICS_SERVICE_HOST", "10.0.0.2"},
                                  {"PEREGRINE_METRICS_PORT_9153_TCP_ADDR", "10.0.0.2"}}),
              IsEmpty());
  EXPECT_EQ(environment_errors({{"PEREGRINE_FLAGS__REUSE_PORT", "maybe"}}).size(), 1u) << "a key of ours";
}

TEST(ConfigError, SaysWhereWhatIs) {
  EXPECT_EQ((ConfigError{"peregrine.toml", 3, 1, "unknown key server.worker"}).to_string(),
            "peregrine.toml:3:1: unknown key server.worker");
  EXPECT_EQ((ConfigError{"--set", 0, 0, "unknown key x"}).to_string(), "--set: unknown key x");
}

}  // namespace
}  // namespace peregrine
