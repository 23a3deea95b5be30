#include "config/value_readers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace peregrine {
namespace {

constexpr uint16_t dns_port = 53;
constexpr size_t longest_path = 4095;  // PATH_MAX without its terminator

struct Unit {
  std::string_view name;
  int64_t worth;
};

constexpr std::array<Unit, 10> size_units{{{"b", 1},
                                           {"kib", 1ll << 10},
                                           {"mib", 1ll << 20},
                                           {"gib", 1ll << 30},
                                           {"tib", 1ll << 40},
                                           {"kb", 1'000},
                                           {"mb", 1'000'000},
                                           {"gb", 1'000'000'000},
                                           {"tb", 1'000'000'000'000},
                                           {"", 1}}};
constexpr std::array<Unit, 6> duration_units{
    {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}, {"", 1'000}}};

std::optional<int64_t> product(int64_t a, int64_t b) {
  int64_t result;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

// "256 MiB" and the like: digits, blanks, a unit's name. A bare number counts in the unit without a name.
std::optional<int64_t> quantity(const TomlValue& value, std::span<const Unit> units) {
  std::string text;
  if (const auto* number = value.get<int64_t>()) {
    text = std::to_string(*number);
  } else if (const auto* string = value.get<std::string>()) {
    text = *string;
  }
  int64_t count = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc{} || count < 0) return std::nullopt;
  const auto* start = std::find_if(stop, end, [](char c) { return c != ' '; });
  const auto unit = std::ranges::find(units, lower({start, end}), &Unit::name);
  if (unit == units.end()) return std::nullopt;
  return product(count, unit->worth);
}

bool all_printable(std::string_view text, char first) {
  return std::ranges::all_of(text, [first](char c) { return c >= first && c <= '~'; });
}

}  // namespace

std::optional<std::string> read_text(const TomlValue& value) {
  if (const auto* text = value.get<std::string>()) return *text;
  if (!value.written.empty()) return value.written;
  return std::nullopt;
}

std::optional<bool> ReadBoolean::operator()(const TomlValue& value) const {
  const bool* boolean = value.get<bool>();
  if (boolean == nullptr) return std::nullopt;
  return *boolean;
}

std::optional<int64_t> ReadNumber::operator()(const TomlValue& value) const {
  const auto* number = value.get<int64_t>();
  if (number == nullptr || *number < least || *number > most) return std::nullopt;
  return *number;
}

std::optional<uint64_t> ReadSize::operator()(const TomlValue& value) const {
  const auto octets = quantity(value, size_units);
  if (!octets || std::cmp_less(*octets, least) || std::cmp_greater(*octets, most)) return std::nullopt;
  return static_cast<uint64_t>(*octets);
}

std::optional<std::chrono::milliseconds> read_duration(const TomlValue& value) {
  const auto duration = quantity(value, duration_units);
  if (!duration) return std::nullopt;
  return std::chrono::milliseconds(*duration);
}

std::optional<Profile> ReadProfile::operator()(const TomlValue& value) const {
  const auto* text = value.get<std::string>();
  if (text == nullptr) return std::nullopt;
  return find_profile(*text);
}

// One of the words, which are in the order of the enumeration.
template <class Enum>
std::optional<Enum> read_word(const TomlValue& value, std::initializer_list<std::string_view> words) {
  const auto* text = value.get<std::string>();
  if (text == nullptr) return std::nullopt;
  const auto found = std::ranges::find(words, *text);
  if (found == words.end()) return std::nullopt;
  return static_cast<Enum>(found - words.begin());
}

std::optional<QnameMinimisation> ReadMinimisation::operator()(const TomlValue& value) const {
  return read_word<QnameMinimisation>(value, {"off", "relaxed", "strict"});
}

std::optional<SteeringKey> ReadSteering::operator()(const TomlValue& value) const {
  return read_word<SteeringKey>(value, {"flow", "cpu"});
}

std::optional<LogLevel> ReadLogLevel::operator()(const TomlValue& value) const {
  return read_word<LogLevel>(value, {"debug", "info", "warning", "error"});
}

std::optional<std::string> ReadUser::operator()(const TomlValue& value) const {
  constexpr size_t longest = 255;
  auto text = read_text(value);
  if (!text || text->size() > longest || !all_printable(*text, '!')) return std::nullopt;
  return text;
}

std::optional<std::string> ReadPath::operator()(const TomlValue& value) const {
  auto text = read_text(value);
  if (!text || text->size() > longest_path || text->contains('\0')) return std::nullopt;
  if (!text->empty() && !text->starts_with('/')) return std::nullopt;
  return text;
}

std::optional<ListenAddress> ReadListen::operator()(const TomlValue& value) const {
  constexpr std::array<std::pair<std::string_view, ListenScheme>, 2> schemes{
      {{"udp://", ListenScheme::udp}, {"tcp://", ListenScheme::tcp}}};
  const auto text = read_text(value);
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  ListenAddress address;
  for (const auto& [prefix, scheme] : schemes) {
    if (!text->starts_with(prefix)) continue;
    rest.remove_prefix(prefix.size());
    address.scheme = scheme;
  }
  const auto endpoint = Endpoint::parse(rest, dns_port);
  if (!endpoint) return std::nullopt;
  address.at = *endpoint;
  return address;
}

std::optional<Prefix> ReadPrefix::operator()(const TomlValue& value) const {
  const auto text = read_text(value);
  if (!text) return std::nullopt;
  const auto prefix = Prefix::parse(*text);
  if (!prefix) return std::nullopt;
  return *prefix;
}

std::optional<DnameBuf> ReadZone::operator()(const TomlValue& value) const {
  const auto text = read_text(value);
  if (!text) return std::nullopt;
  const auto zone = DnameBuf::from_text(*text);
  if (!zone) return std::nullopt;
  return *zone;
}

std::optional<Endpoint> ReadServer::operator()(const TomlValue& value) const {
  const auto text = read_text(value);
  if (!text) return std::nullopt;
  const auto endpoint = Endpoint::parse(*text, dns_port);
  if (!endpoint || endpoint->port == 0 || endpoint->address.is_unspecified()) return std::nullopt;
  return *endpoint;
}

}  // namespace peregrine
