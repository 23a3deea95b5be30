#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "config/config.h"
#include "config/key_table.h"
#include "config/toml_tree.h"

namespace peregrine {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// Reads one octet more than a configuration may have, which is enough to refuse it. 0 or errno.
int read_file(const std::string& name, std::string& text) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(name.c_str(), "re"));
  if (!file) return errno;
  text.resize(max_toml_size + 1);
  const size_t size = std::fread(text.data(), 1, text.size(), file.get());
  const int error = std::ferror(file.get()) != 0 ? errno : 0;
  text.resize(error == 0 ? size : 0);
  return error;
}

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
  if (const int error = read_file(file, sources.file_text); error != 0) {
    sources.unreadable = ConfigError{"", 0, 0, "cannot read " + file + ": " + std::strerror(error)};
  }
  return sources;
}

}  // namespace peregrine
