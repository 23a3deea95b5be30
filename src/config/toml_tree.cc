#include "config/toml_tree.h"

#include <toml++/toml.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace peregrine {
namespace {

Place place_of(const toml::source_region& region) { return {region.begin.line, region.begin.column}; }

TomlValue convert(const toml::node& node);

TomlTable convert_table(const toml::table& table) {
  TomlTable members;
  members.reserve(table.size());
  for (const auto& [key, value] : table) {
    members.push_back({std::string(key.str()), place_of(key.source()), convert(value)});
  }
  return members;
}

TomlList convert_list(const toml::array& array) {
  TomlList values;
  values.reserve(array.size());
  for (const toml::node& value : array) values.push_back(convert(value));
  return values;
}

TomlValue convert(const toml::node& node) {
  const Place place = place_of(node.source());
  if (const auto* text = node.as_string()) return {place, text->get()};
  if (const auto* integer = node.as_integer()) return {place, integer->get()};
  if (const auto* boolean = node.as_boolean()) return {place, boolean->get()};
  if (const auto* array = node.as_array()) return {place, convert_list(*array)};
  if (const auto* table = node.as_table()) return {place, convert_table(*table)};
  return {place, TomlOther{node.is_floating_point() ? "a float" : "a date or time"}};
}

// Steps over strings and comments, counting the dots between them. It agrees with the parser on every text
// that the parser accepts so far, which is all that the limit needs.
class DotCounter {
 public:
  explicit DotCounter(std::string_view text) : text_(text) {}

  // Where the dot is that is one too many.
  std::optional<Place> over(size_t limit) {
    size_t dots = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '.' && ++dots > limit) return place();
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '"' || c == '\'') {
        skip_string(c);
      } else {
        ++at_;
      }
    }
    return std::nullopt;
  }

 private:
  void skip_string(char quote) {
    const std::string fence(3, quote);
    const bool multi_line = text_.substr(at_).starts_with(fence);
    at_ += multi_line ? 3 : 1;
    while (at_ < text_.size() && !(multi_line ? text_.substr(at_).starts_with(fence) : text_[at_] == quote)) {
      if (!multi_line && text_[at_] == '\n') return;
      at_ += quote == '"' && text_[at_] == '\\' ? 2 : 1;
    }
    at_ += multi_line ? 3 : 1;
    // Up to two quotes right before the closing three belong to the string.
    for (int extra = 0; multi_line && extra < 2 && at_ < text_.size() && text_[at_] == quote; ++extra) ++at_;
  }

  Place place() const {
    const std::string_view before = text_.substr(0, at_);
    const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    return {static_cast<unsigned>(std::ranges::count(before, '\n') + 1),
            static_cast<unsigned>(at_ - line_start + 1)};
  }

  std::string_view text_;
  size_t at_ = 0;
};

bool is_scalar(const TomlValue& value) { return !value.get<TomlList>() && !value.get<TomlTable>(); }

std::string cut(std::string_view text) {
  constexpr size_t most = 64;
  if (text.size() <= most) return printable(text);
  return printable(text.substr(0, most)) + "...";
}

}  // namespace

std::expected<TomlTable, TomlError> parse_toml(std::string_view text) {
  if (text.size() > max_toml_size) {
    return std::unexpected(TomlError{{}, "over " + std::to_string(max_toml_size) + " octets"});
  }
  // The library bounds nested values, but a dotted key makes a table for each dot, and these are destroyed
  // recursively.
  if (auto place = DotCounter(text).over(max_toml_dots)) {
    return std::unexpected(
        TomlError{*place, "over " + std::to_string(max_toml_dots) + " dots in keys and numbers"});
  }
  try {
    return convert_table(toml::parse(text));
  } catch (const toml::parse_error& e) {
    return std::unexpected(TomlError{place_of(e.source()), printable(e.description())});
  }
}

TomlValue parse_toml_value(std::string_view text) {
  const std::string bare(trimmed(text));
  auto table = parse_toml("value = " + bare);
  if (!table || table->size() != 1) return {{}, bare, bare};
  TomlValue value = std::move(table->front().value);
  if (is_scalar(value)) value.written = bare;
  return value;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const size_t first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string shown(const TomlValue& value) {
  if (const auto* text = value.get<std::string>()) return "\"" + cut(*text) + "\"";
  if (const auto* integer = value.get<int64_t>()) return std::to_string(*integer);
  if (const auto* boolean = value.get<bool>()) return *boolean ? "true" : "false";
  if (const auto* other = value.get<TomlOther>()) return std::string(other->kind);
  return value.get<TomlList>() ? "a list" : "a table";
}

std::string printable(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x20 && octet < 0x7f) {
      out += c;
    } else {
      (out += "\\x") += {hex[octet >> 4], hex[octet & 15]};
    }
  }
  return out;
}

}  // namespace peregrine
