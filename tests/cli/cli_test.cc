#include "cli/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "admin/control_support.h"
#include "cli/cli_support.h"
#include "server/version.h"

namespace peregrine {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST(CommandLine, WithoutArgumentsItPrintsHelp) {
  const Done done = run({});
  EXPECT_EQ(done.code, 2);
  EXPECT_THAT(done.out, AllOf(HasSubstr("serve"), HasSubstr("check"), HasSubstr("ctl"), HasSubstr("query")));
}

TEST(CommandLine, EveryCommandHasHelp) {
  EXPECT_EQ(run({"--help"}).code, 0);
  EXPECT_EQ(run({"--help"}).out, run({}).out);
  for (const char* command : {"serve", "check", "ctl", "query", "bench", "version"}) {
    const Done done = run({command, "--help"});
    EXPECT_EQ(done.code, 0);
    EXPECT_EQ(done.err, "");
    EXPECT_THAT(done.out, HasSubstr(std::string("Usage: peregrine ") + command));
  }
}

TEST(CommandLine, HelpNamesEveryOption) {
  EXPECT_THAT(run({"serve", "--help"}).out, AllOf(HasSubstr("--config FILE"), HasSubstr("--set KEY=VALUE")));
  EXPECT_THAT(run({"check", "--help"}).out, AllOf(HasSubstr("[FILE]"), HasSubstr("--set KEY=VALUE")));
  EXPECT_THAT(run({"ctl", "--help"}).out,
              AllOf(HasSubstr("--socket PATH"), HasSubstr("--state-dir DIR"), HasSubstr("--config FILE"),
                    HasSubstr("--json"), HasSubstr("--timeout")));
  EXPECT_THAT(run({"query", "--help"}).out,
              AllOf(HasSubstr("NAME [TYPE] [@SERVER]"), HasSubstr("--tcp"), HasSubstr("--dnssec"),
                    HasSubstr("--timeout SECONDS"), HasSubstr("Exit code")));
}

TEST(CommandLine, AMistypedWordIsNamedWithWhatIsNear) {
  const Done command = run({"srve"});
  EXPECT_EQ(command.code, 2);
  EXPECT_EQ(command.out, "");
  EXPECT_EQ(command.err, "peregrine: unknown command 'srve'; did you mean serve?\nSee 'peregrine --help'.\n");
  EXPECT_EQ(run({"xyzzy"}).err, "peregrine: unknown command 'xyzzy'\nSee 'peregrine --help'.\n");
  EXPECT_EQ(run({"serve", "--confg", "x"}).err,
            "peregrine: unknown argument '--confg'; did you mean --config?\nSee 'peregrine serve --help'.\n");
}

TEST(CommandLine, Version) {
  const Done done = run({"version"});
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.out, StartsWith("peregrine " + std::string(version) + "\nbuilt by "));
  EXPECT_EQ(std::ranges::count(done.out, '\n'), 2);
}

class Check : public testing::Test {
 protected:
  std::string file(const std::string& text) {
    std::ofstream(dir_ / "peregrine.toml") << text;
    return dir_ / "peregrine.toml";
  }
  const TempDir dir_;
};

TEST_F(Check, ARightFileIsOk) {
  const std::string name = file("[server]\nworkers = 2\n");
  for (const auto& arguments : {std::vector<std::string>{"check", name}, {"check", "--config", name}}) {
    const Done done = run(arguments);
    EXPECT_EQ(done.code, 0);
    EXPECT_EQ(done.out, name + ": ok\n");
    EXPECT_EQ(done.err, "");
  }
}

TEST_F(Check, EveryMistakeIsNamedWithItsPlace) {
  const std::string name =
      file("[server]\nworker = 2\nlisten = [\"nowhere\"]\n\n[access]\nallow = [\"10.0.0.0/33\"]\n");
  const Done done = run({"check", name});
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(done.out, "");
  EXPECT_EQ(std::ranges::count(done.err, '\n'), 3);
  EXPECT_THAT(done.err, StartsWith(name + ":2:"));
  EXPECT_THAT(done.err, AllOf(HasSubstr("\n" + name + ":3:"), HasSubstr("\n" + name + ":6:")));
}

TEST_F(Check, SetOverridesAndIsCheckedToo) {
  const std::string name = file("[server]\nworkers = 2\n");
  EXPECT_EQ(run({"check", name, "--set", "server.workers=3", "--set", "cache.size=2 MiB"}).code, 0);
  const Done done = run({"check", "--set", "server.worker=3", "--set", "nonsense", name});
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, AllOf(HasSubstr("--set: unknown key server.worker"), HasSubstr("nonsense")));
}

TEST_F(Check, AFileThatCannotBeReadIsOneLine) {
  for (const std::string& name : {dir_ / "absent.toml", dir_.path()}) {
    const Done done = run({"check", name});
    EXPECT_EQ(done.code, 1);
    EXPECT_THAT(done.err, StartsWith("peregrine: cannot read " + name + ": "));
    EXPECT_EQ(std::ranges::count(done.err, '\n'), 1);
  }
}

TEST_F(Check, WithoutAFileTheEnvironmentCounts) {
  EXPECT_EQ(run({"check"}).code, 0);
  const WithVariable variable("PEREGRINE_SERVER__WORKERS", "many");
  const Done done = run({"check"});
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, HasSubstr("PEREGRINE_SERVER__WORKERS"));
}

TEST_F(Check, AFlagThatStaysOffIsANote) {
  for (const FlagRow& row : flag_rows()) {
    const std::string set = "flags." + std::string(row.name) + "=true";
    const Done done = run({"check", "--set", set});
    EXPECT_EQ(done.code, 0);
    if (unavailable(row.flag).empty()) {
      EXPECT_EQ(done.out, "the built-in configuration: ok\n");
    } else {
      EXPECT_EQ(done.out, "the built-in configuration: ok\nnote: flags." + std::string(row.name) +
                              " stays off: " + std::string(unavailable(row.flag)) + "\n");
    }
  }
}

}  // namespace
}  // namespace peregrine
