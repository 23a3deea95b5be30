#include "server/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "io/listen.h"
#include "support/temp_dir.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    Server::block_signals();
    // Free a moment ago.
    port_ = std::to_string(open_listeners({IpAddress::v4({127, 0, 0, 1}), 0}, {}, {}).at.port);
  }

  LoadedConfig load(const std::string& listen, const std::string& forward) const {
    return load_config({.file_name = "p.toml",
                        .file_text = "[server]\nlisten = [\"" + listen + "\"]\nworkers = 1\nstate_dir = \"" +
                                     state_dir_.path() + "\"\n[[forward]]\nzone = \".\"\nservers = [\"" +
                                     forward + "\"]\n",
                        .unreadable = {},
                        .environment = {},
                        .set = {}});
  }

  // What becomes of a server that listens on `running` and is told to take `wanted` instead.
  ReloadReport reload(const std::string& running, LoadedConfig wanted) {
    EXPECT_TRUE(wanted.errors.empty());
    return reload(running, [&] { return wanted; });
  }
  ReloadReport reload(const std::string& running, Server::Loader loader) {
    LoadedConfig loaded = load(running, "192.0.2.53");
    EXPECT_TRUE(loaded.errors.empty());
    Server server(std::move(loaded.config), std::move(loader));
    std::optional<ReloadReport> report;
    server.reload([&](const ReloadReport& r) { report = r; });
    while (!report) server.loop().run_once(std::chrono::seconds(1));
    return *report;
  }

  const TempDir state_dir_;
  std::string port_;
};

TEST_F(ServerTest, AReloadIsJudgedByTheAddressesThatItRunsOn) {
  const std::string running = "127.0.0.1:" + port_;
  const ReloadReport refused = reload(running, load("192.0.2.1:5300", running));
  EXPECT_FALSE(refused.accepted);
  EXPECT_THAT(refused.errors, ElementsAre(HasSubstr("our own server.listen address " + running)));

  const ReloadReport taken = reload(running, load("192.0.2.1:5300", "192.0.2.54"));
  EXPECT_TRUE(taken.accepted);
  EXPECT_THAT(taken.need_restart, ElementsAre("server.listen"));
}

TEST_F(ServerTest, AConfigurationThatCannotBeLoadedIsNotTaken) {
  const ReloadReport refused =
      reload("127.0.0.1:" + port_, [] -> LoadedConfig { throw std::runtime_error("out of paper"); });
  EXPECT_FALSE(refused.accepted);
  EXPECT_THAT(refused.errors, ElementsAre(HasSubstr("out of paper")));
}

TEST_F(ServerTest, AWildcardIsJudgedAtReloadAndAtStart) {
  const std::string server = "127.0.0.1:" + port_;
  const ReloadReport refused = reload("0.0.0.0:" + port_, load("192.0.2.1:5300", server));
  EXPECT_THAT(refused.errors, ElementsAre(HasSubstr("our own server.listen address 0.0.0.0:" + port_)));
  EXPECT_TRUE(reload("0.0.0.0:" + port_, load("192.0.2.1:5300", "192.0.2.54:" + port_)).accepted);

  LoadedConfig looping = load("0.0.0.0:" + port_, "192.0.2.54");
  looping.config.forward[0].servers = {Endpoint::parse(server, 0).value()};
  EXPECT_THROW(Server(looping.config, nullptr), StartError);
}

}  // namespace
}  // namespace peregrine
