#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "config/config_support.h"

namespace peregrine {
namespace {

std::string read(const std::string& name) {
  std::ifstream in(std::string(PEREGRINE_DOCS "/") + name);
  EXPECT_TRUE(in.is_open()) << name;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The table as docs/configuration.md has it. When this fails, put the printed table there.
std::string keys_as_markdown() {
  std::string table = "| Key | Value | Default | Meaning | Reload |\n|---|---|---|---|---|\n";
  for (const KeyRow& row : config_keys()) {
    const std::string built_in = row.built_in.empty() ? "" : "`" + std::string(row.built_in) + "`";
    table += "| `" + std::string(row.key) + "` | " + std::string(row.form) + " | " + built_in + " | " +
             std::string(row.help) + " | " + (row.live ? "yes" : "restart") + " |\n";
  }
  return table;
}

TEST(ConfigDocs, HaveTheTableOfKeys) {
  EXPECT_THAT(read("configuration.md"), testing::HasSubstr(keys_as_markdown()));
}

TEST(ConfigDocs, ExampleIsAConfiguration) {
  const Config config = good(load_file(read("examples/peregrine.toml")));
  EXPECT_FALSE(config.server.listen_is_default);
  EXPECT_FALSE(config.forward.empty());
}

}  // namespace
}  // namespace peregrine
