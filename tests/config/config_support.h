// What the tests of the configuration share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"

namespace peregrine {

using Variables = std::vector<std::pair<std::string, std::string>>;

LoadedConfig load_file(const std::string& text);  // named "p.toml"
LoadedConfig load_environment(const Variables& environment);
LoadedConfig load_set(const std::vector<std::string>& set);

std::vector<std::string> texts(const std::vector<ConfigError>& errors);
std::vector<std::string> file_errors(const std::string& text);
std::vector<std::string> set_errors(const std::vector<std::string>& set);
std::vector<std::string> environment_errors(const Variables& environment);

// Fails the test, naming the errors, if there are any.
Config good(const LoadedConfig& loaded);

}  // namespace peregrine
