// The table of keys as the loader sees it: documentation, reader and comparison of each key in one row.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/toml_tree.h"

namespace peregrine {

struct FlagChoice {
  Flag flag;
  bool value;
  Origin origin;
};

// Where one source's values go, and what is wrong with them.
struct Loading {
  Config& config;
  std::vector<FlagChoice>& flags;  // applied in the end, over the profile's
  Origin origin;
  std::function<void(Place, std::string)> complain;
  std::string_view source{};  // its name

  // The key as this source spells it: PEREGRINE_SERVER__WORKERS in the environment.
  std::string name(std::string_view key) const;
};

struct Row {
  KeyRow doc;
  // Takes the value, or complains and returns false. Null for keys inside a table that repeats, which their
  // list takes.
  bool (*take)(const Row& row, const TomlValue& value, Loading& loading) = nullptr;
  bool (*same)(const Row& row, const Config& a, const Config& b) = nullptr;
  std::optional<Flag> flag{};
};

std::span<const Row> key_table();
const Row* find_row(std::string_view key);  // null if there is none
bool is_table_name(std::string_view key);   // "server"
bool take_forward(const Row& row, const TomlValue& value, Loading& loading);
bool take_stub(const Row& row, const TomlValue& value, Loading& loading);
bool take_local(const Row& row, const TomlValue& value, Loading& loading);

std::string environment_name(std::string_view key);          // "PEREGRINE_SERVER__WORKERS"
std::string key_of_environment_name(std::string_view name);  // and back; `name` has the prefix
inline constexpr std::string_view environment_prefix = "PEREGRINE_";

// One part of a dotted key for messages: as it is, or in quotes if it could not stand bare; cut if long.
std::string key_part(std::string_view name);

// "server.workers must be a number from 0 to 1024, not \"two\""
std::string must_be(const Loading& loading, const KeyRow& key, const TomlValue& value);
// "server.cpus must be a list of numbers; \"x\" is not one"
std::string bad_element(const Loading& loading, const KeyRow& key, const TomlValue& element);
// "unknown key server.worker; did you mean server.workers?"
std::string unknown_key(const Loading& loading, std::string_view key);

}  // namespace peregrine
