#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "config/config.h"
#include "config/key_table.h"
#include "config/toml_tree.h"

namespace peregrine {
namespace {

std::vector<std::pair<std::string, std::string>> variables() {
  std::vector<std::pair<std::string, std::string>> found;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals == text.npos || !text.starts_with(environment_prefix)) continue;
    found.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace

ConfigSources gather_config_sources(const std::string& file, const std::vector<std::string>& set) {
  ConfigSources sources;
  sources.file_name = file;
  sources.environment = variables();
  sources.set = set;
  if (file.empty()) return sources;
  // An octet more than a configuration may have is enough to refuse it.
  if (auto text = read_file(file, max_toml_size + 1)) {
    sources.file_text = *std::move(text);
  } else {
    sources.unreadable = ConfigError{"", 0, 0, "cannot read " + file + ": " + std::strerror(text.error())};
  }
  return sources;
}

}  // namespace peregrine
