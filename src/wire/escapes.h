// The escapes of presentation form: \X and \DDD (RFC 1035 section 5.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace peregrine {

// The octet at text[at], whether escaped or plain; moves `at` past it. Nothing for an escape that is cut or
// over 255.
inline std::optional<uint8_t> take_octet(std::string_view text, size_t& at) {
  auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text[at] != '\\') return static_cast<uint8_t>(text[at++]);
  if (++at == text.size()) return std::nullopt;
  if (!is_digit(text[at])) return static_cast<uint8_t>(text[at++]);
  if (text.size() - at < 3 || !is_digit(text[at + 1]) || !is_digit(text[at + 2])) return std::nullopt;
  int value = (text[at] - '0') * 100 + (text[at + 1] - '0') * 10 + (text[at + 2] - '0');
  at += 3;
  return value <= 255 ? std::optional(static_cast<uint8_t>(value)) : std::nullopt;
}

// The octet as it is, or escaped if it cannot be printed or is one of `special`.
inline void put_octet(std::string& out, uint8_t octet, std::string_view special) {
  char c = static_cast<char>(octet);
  if (octet < 0x20 || octet > 0x7e || (c == ' ' && special.contains(' '))) {
    out += '\\';
    out += static_cast<char>('0' + octet / 100);
    out += static_cast<char>('0' + octet / 10 % 10);
    out += static_cast<char>('0' + octet % 10);
    return;
  }
  if (special.contains(c)) out += '\\';
  out += c;
}

}  // namespace peregrine
