#include "cli/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace peregrine {
namespace {

void put_escaped(std::string& out, unsigned char octet) {
  fmt::format_to(std::back_inserter(out), "\\x{:02x}", octet);
}

// Three digits that count, without a fraction of zeros.
std::string three_digits(double value) {
  const int decimals = value < 10 ? 2 : value < 100 ? 1 : 0;
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.contains('.')) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text;
}

}  // namespace

std::string safe_for_terminal(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0u;
    if (octet < 0x20 || octet == 0x7f) {
      put_escaped(out, octet);
    } else if (octet == 0xc2 && next >= 0x80 && next < 0xa0) {  // U+0080 to U+009F
      put_escaped(out, octet);
      put_escaped(out, static_cast<unsigned char>(next));
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string octets_text(uint64_t octets) {
  constexpr std::array units{"KiB", "MiB", "GiB", "TiB"};
  if (octets < 1024) return fmt::format("{} octets", octets);
  double value = static_cast<double>(octets) / 1024;
  size_t unit = 0;
  for (; value >= 1023.5 && unit + 1 < units.size(); ++unit) value /= 1024;
  return three_digits(value) + " " + units[unit];
}

std::string milliseconds_text(double millis) {
  if (millis >= 1000) return three_digits(millis / 1000) + " s";
  return three_digits(millis) + " ms";
}

std::string uptime_text(double seconds) {
  const auto total = static_cast<uint64_t>(std::clamp(seconds, 0.0, 1e15));
  const uint64_t days = total / 86'400, hours = total / 3600 % 24, minutes = total / 60 % 60;
  if (days != 0) return fmt::format("{} d {} h", days, hours);
  if (hours != 0) return fmt::format("{} h {} min", hours, minutes);
  if (minutes != 0) return fmt::format("{} min {} s", minutes, total % 60);
  return fmt::format("{} s", total);
}

std::string count_text(uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i)
      fmt::format_to(std::back_inserter(line), "{:<{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace peregrine
