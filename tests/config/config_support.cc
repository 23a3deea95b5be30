#include "config/config_support.h"

#include <gmock/gmock.h>

namespace peregrine {

LoadedConfig load_file(const std::string& text) {
  ConfigSources sources;
  sources.file_name = "p.toml";
  sources.file_text = text;
  return load_config(sources);
}

LoadedConfig load_environment(const Variables& environment) {
  ConfigSources sources;
  sources.environment = environment;
  return load_config(sources);
}

LoadedConfig load_set(const std::vector<std::string>& set) {
  ConfigSources sources;
  sources.set = set;
  return load_config(sources);
}

std::vector<std::string> texts(const std::vector<ConfigError>& errors) {
  std::vector<std::string> all;
  for (const ConfigError& error : errors) all.push_back(error.to_string());
  return all;
}

std::vector<std::string> file_errors(const std::string& text) { return texts(load_file(text).errors); }
std::vector<std::string> set_errors(const std::vector<std::string>& set) {
  return texts(load_set(set).errors);
}
std::vector<std::string> environment_errors(const Variables& environment) {
  return texts(load_environment(environment).errors);
}

Config good(const LoadedConfig& loaded) {
  EXPECT_THAT(texts(loaded.errors), testing::IsEmpty());
  return loaded.config;
}

}  // namespace peregrine
