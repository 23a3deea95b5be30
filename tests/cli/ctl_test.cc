// `peregrine ctl` against a server in this process.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "admin/control_support.h"
#include "cli/cli_support.h"

namespace peregrine {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

class Ctl : public testing::Test {
 protected:
  Done ctl(const std::string& action, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"ctl", "--state-dir", dir_.path(), "--timeout", "60", action});
    return run(more);
  }
  const TempDir dir_;
};

TEST_F(Ctl, Status) {
  const RunningServer running(small_config(dir_.path()));
  const Done done = ctl("status");
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.err, "");
  EXPECT_THAT(done.out, StartsWith("Peregrine "));
  EXPECT_THAT(done.out, HasSubstr("forwarding   . to 127.0.0.1:9\n"));
  EXPECT_THAT(done.out, HasSubstr("listening    udp://127.0.0.1:"));
}

TEST_F(Ctl, JsonIsTheReplyOnOneLine) {
  const RunningServer running(small_config(dir_.path()));
  const Done done = ctl("status", {"--json"});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out.find('\n'), done.out.size() - 1);
  EXPECT_EQ(json::parse(done.out).at("pid"), getpid());
}

TEST_F(Ctl, FlagsAndUpstreams) {
  const RunningServer running(small_config(dir_.path()));
  EXPECT_THAT(ctl("flags").out, HasSubstr("\nbatched_io "));
  EXPECT_EQ(ctl("upstreams").out, "no server has been asked yet\n");
}

TEST_F(Ctl, Explain) {
  const RunningServer running(small_config(dir_.path()));
  const Done done = ctl("explain", {"localhost", "AAAA"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, StartsWith(";; localhost. AAAA: answered here"));
  EXPECT_THAT(done.out, HasSubstr("\n;; answer\nlocalhost.\t10800\tIN\tAAAA\t::1\n"));
  const json report = json::parse(ctl("explain", {"localhost", "--dnssec", "--fresh", "--json"}).out);
  EXPECT_EQ(report.at("question"), json::parse(R"({"name":"localhost.","type":"A","dnssec":true})"));
  EXPECT_EQ(report.at("fresh"), true);
  const Done refused = ctl("explain", {"localhost", "--worker", "7"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("no such worker"));
  EXPECT_EQ(ctl("explain", {"localhost", "NOTYPE"}).code, 1);
  EXPECT_EQ(ctl("explain").code, 2);
  EXPECT_EQ(ctl("explain", {"a..b"}).code, 2);
}

TEST_F(Ctl, TheSocketIsFoundInSeveralWays) {
  const RunningServer running(small_config(dir_.path()));
  std::ofstream(dir_ / "peregrine.toml") << "[server]\nstate_dir = \"" << dir_.path() << "\"\n";
  EXPECT_EQ(run({"ctl", "--socket", running.socket(), "status"}).code, 0);
  EXPECT_EQ(run({"ctl", "status", "--config", dir_ / "peregrine.toml"}).code, 0);
  const WithVariable variable("PEREGRINE_SERVER__STATE_DIR", dir_.path());
  EXPECT_EQ(run({"ctl", "status"}).code, 0);
}

TEST_F(Ctl, AWrongConfigurationIsSaid) {
  std::ofstream(dir_ / "peregrine.toml") << "[server]\nstate_dri = \"/x\"\n";
  const Done done = run({"ctl", "status", "--config", dir_ / "peregrine.toml"});
  EXPECT_EQ(done.code, 2);
  EXPECT_THAT(done.err, HasSubstr("peregrine.toml:2:"));
}

TEST_F(Ctl, Reload) {
  const ConfigSources more_workers = small_config(dir_.path(), {"server.workers=2"});
  const RunningServer running(small_config(dir_.path()),
                              [more_workers] { return load_config(more_workers); });
  LogRecorder log;
  const Done done = ctl("reload");
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out, "reloaded\nserver.workers waits for a restart\n");
}

TEST_F(Ctl, AReloadThatIsNotTakenIsOne) {
  LogRecorder log;
  const ConfigSources wrong = small_config(dir_.path(), {"server.workers=many"});
  const RunningServer running(small_config(dir_.path()), [wrong] { return load_config(wrong); });
  const Done done = ctl("reload");
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(done.out, "");
  EXPECT_THAT(done.err, StartsWith("peregrine: the new configuration was not taken"));
  EXPECT_THAT(done.err, HasSubstr("\n--set: server.workers must be"));
  const Done as_json = ctl("reload", {"--json"});
  EXPECT_EQ(as_json.code, 1);
  EXPECT_EQ(json::parse(as_json.out).at("ok"), false);
}

TEST_F(Ctl, StopWaitsForTheEnd) {
  RunningServer running(small_config(dir_.path()));
  std::thread ends([&] { running.join(); });
  const Done done = ctl("stop");
  ends.join();
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out, "stopping\nstopped\n");
  EXPECT_EQ(ctl("status").code, 2);
}

TEST_F(Ctl, NoServerIsTwo) {
  const Done done = ctl("status");
  EXPECT_EQ(done.code, 2);
  EXPECT_EQ(done.out, "");
  EXPECT_EQ(done.err, "peregrine: no server is listening on " + dir_ / "control.sock" +
                          "; is it running, and with which server.state_dir?\n");
}

TEST_F(Ctl, WrongUsageIsTwo) {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"stauts"},
                                                       {"status", "more"},
                                                       {"--socket", "/a", "--state-dir", "/b", "status"},
                                                       {"status", "--timeout", "0"}};
  for (std::vector<std::string> arguments : wrong) {
    arguments.insert(arguments.begin(), "ctl");
    const Done done = run(arguments);
    EXPECT_EQ(done.code, 2) << testing::PrintToString(arguments);
    EXPECT_THAT(done.err, StartsWith("peregrine: "));
  }
  EXPECT_THAT(run({"ctl", "stauts"}).err, HasSubstr("did you mean status?"));
}

}  // namespace
}  // namespace peregrine
