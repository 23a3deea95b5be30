// A TOML document as a tree of plain values, each with its place. Only toml_tree.cc sees the TOML library.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace peregrine {

// Counted from 1, columns in characters.
struct Place {
  unsigned line = 0, column = 0;
  auto operator<=>(const Place&) const = default;
};

struct TomlMember;
struct TomlValue;
using TomlList = std::vector<TomlValue>;
using TomlTable = std::vector<TomlMember>;
// A kind that no key of ours takes: "a float", "a date or time".
struct TomlOther {
  std::string_view kind;
};

struct TomlValue {
  Place place;
  std::variant<std::string, int64_t, bool, TomlOther, TomlList, TomlTable> content;
  // For an override's scalar: the text as written, so that a key that takes text can have "2" or "true".
  // Empty for everything else.
  std::string written{};

  template <class T>
  const T* get() const {
    return std::get_if<T>(&content);
  }
};

struct TomlMember {
  std::string key;
  Place place;  // of the key
  TomlValue value;
};

struct TomlError {
  Place place;
  std::string message;
};

inline constexpr size_t max_toml_size = 1 << 20;  // octets
inline constexpr size_t max_toml_dots = 1000;     // outside strings and comments

// A whole document. The tree is at most about max_toml_dots + 256 levels deep, whatever the text is.
std::expected<TomlTable, TomlError> parse_toml(std::string_view text);

// The value of an override: TOML if it can be read as one TOML value, else a string as it stands.
TomlValue parse_toml_value(std::string_view text);

// Without the blanks and newlines around it.
std::string_view trimmed(std::string_view text);

// For messages: "\"text\"", "12", "true", "a list", "a table", "a float". Short, and printable whatever was
// in it.
std::string shown(const TomlValue& value);
std::string printable(std::string_view text);

}  // namespace peregrine
