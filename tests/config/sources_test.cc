#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config/config_support.h"
#include "support/temp_dir.h"

namespace peregrine {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

class ConfigSourcesTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_ / name; }
  std::string write(const std::string& text) const {
    std::ofstream(path("peregrine.toml")) << text;
    return path("peregrine.toml");
  }

 private:
  const TempDir directory_;
};

TEST_F(ConfigSourcesTest, TakesFileEnvironmentAndSet) {
  setenv("PEREGRINE_SERVER__BATCH", "8", 1);
  const auto sources = gather_config_sources(write("server.workers = 3\n"), {"log.level=debug"});
  unsetenv("PEREGRINE_SERVER__BATCH");
  EXPECT_EQ(sources.file_text, "server.workers = 3\n");
  EXPECT_FALSE(sources.unreadable);
  EXPECT_THAT(sources.environment, Contains(Pair("PEREGRINE_SERVER__BATCH", "8")));
  EXPECT_THAT(sources.environment, Not(Contains(Pair("PATH", testing::_))));
  EXPECT_THAT(sources.set, ElementsAre("log.level=debug"));
  const Config config = good(load_config(sources));
  EXPECT_EQ(config.server.workers, 3u);
  EXPECT_EQ(config.server.batch, 8u);
  EXPECT_EQ(config.log.level, LogLevel::debug);
}

TEST_F(ConfigSourcesTest, NoFileIsNoError) {
  EXPECT_THAT(texts(load_config(gather_config_sources("", {})).errors), IsEmpty());
}

TEST_F(ConfigSourcesTest, ReportsAFileThatIsNotThere) {
  const std::string missing = path("none.toml");
  EXPECT_THAT(texts(load_config(gather_config_sources(missing, {"server.workers=two"})).errors),
              ElementsAre("cannot read " + missing + ": No such file or directory",
                          "--set: server.workers must be a number from 0 to 1024, not \"two\""));
}

TEST_F(ConfigSourcesTest, ReportsADirectory) {
  const std::string directory = path("");
  EXPECT_THAT(texts(load_config(gather_config_sources(directory, {})).errors),
              ElementsAre("cannot read " + directory + ": Is a directory"));
}

TEST_F(ConfigSourcesTest, ReadsNoMoreThanAConfigurationMayHave) {
  const std::string file = write(std::string(3 << 20, '\n'));
  const auto sources = gather_config_sources(file, {});
  EXPECT_EQ(sources.file_text.size(), (1u << 20) + 1);
  EXPECT_THAT(texts(load_config(sources).errors), ElementsAre(file + ": over 1048576 octets"));
}

}  // namespace
}  // namespace peregrine
