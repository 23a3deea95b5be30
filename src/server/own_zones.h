// The zones and hints that the configuration brings along: made of its records and of files. Read at start
// and at each reload; may wait for the disk.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "resolve/facts.h"
#include "zone/local_zones.h"

namespace peregrine {

struct OwnZones {
  std::vector<std::shared_ptr<const Zone>> local;
  std::optional<Delegation> root_hints;    // none: those built in
  std::shared_ptr<const Zone> local_root;  // null: none, or it has expired
  WallTime local_root_expires{};

  std::vector<ConfigError> errors;    // all of them; nothing else is meaningful then
  std::vector<std::string> warnings;  // for the operator
};

// Deterministic but for the files.
OwnZones load_own_zones(const Config& config, WallTime now);

}  // namespace peregrine
