// What the values of several keys, or of one list, must fulfil together.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "config/config.h"
#include "config/toml_tree.h"

namespace peregrine {

// Who has the last word on a key.
struct Given {
  size_t source;           // in the order of precedence
  const TomlValue* value;  // outlives the checks
  bool good;
};
using GivenKeys = std::map<std::string_view, Given>;

using ComplainAbout = std::function<void(const Given&, Place, std::string)>;

// Values that could not be read are not looked at.
void check_together(const Config& config, const GivenKeys& given, const ComplainAbout& complain);

}  // namespace peregrine
