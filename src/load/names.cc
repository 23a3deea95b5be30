#include "load/names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace peregrine {
namespace {

using namespace std::string_view_literals;

constexpr std::array hosts{"www"sv,    "api"sv,  "cdn"sv, "mail"sv,  "img"sv,
                           "static"sv, "edge"sv, "app"sv, "login"sv, "m"sv};
constexpr std::array places{"shop"sv, "news"sv, "video"sv, "cloud-service"sv, "media"sv};
constexpr auto origin = "\5bench\7example\0"sv;
constexpr auto denied_origin = "\4none\5bench\7example\0"sv;

uint8_t* put(uint8_t* to, std::string_view text) { return std::ranges::copy(text, to).out; }

uint8_t* put_label(uint8_t* length, std::string_view text, uint32_t number) {
  char* const digits = reinterpret_cast<char*>(put(length + 1, text));
  constexpr size_t most_digits = 10;
  char* const end = std::to_chars(digits, digits + most_digits, number).ptr;
  auto* const after = reinterpret_cast<uint8_t*>(end);
  *length = static_cast<uint8_t>(after - length - 1);
  return after;
}

}  // namespace

size_t write_made_up_name(uint32_t number, bool denied, std::span<uint8_t, max_made_up_size> out) {
  uint8_t* at = put_label(out.data(), hosts[number % hosts.size()], number);
  at = put_label(at, places[number / 7 % places.size()], number % 977);
  at = put(at, denied ? denied_origin : origin);
  return static_cast<size_t>(at - out.data());
}

DnameBuf made_up_name(uint32_t number, bool denied) {
  std::array<uint8_t, max_made_up_size> octets;
  return DnameBuf(Dname::from_checked(Bytes(octets).first(write_made_up_name(number, denied, octets))));
}

bool is_denied(Dname qname) {
  static const Dname none = Dname::from_checked(
      Bytes(reinterpret_cast<const uint8_t*>(denied_origin.data()), denied_origin.size()));
  return qname.size() > none.size() && qname.is_at_or_below(none);
}

// Eight octets a step; that two programs agree is all that is asked of it. Bit 5 tells 'a' from 'A'.
uint32_t address_of_name(Dname qname) {
  uint64_t hash = qname.size();
  for (Bytes rest = qname.wire(); !rest.empty();) {
    uint64_t word = 0;
    const size_t taken = std::min(rest.size(), sizeof word);
    std::memcpy(&word, rest.data(), taken);
    hash = (hash ^ (word | 0x2020'2020'2020'2020)) * 0x9e37'79b9'7f4a'7c15;
    hash ^= hash >> 32;
    rest = rest.subspan(taken);
  }
  return uint32_t{10} << 24 | (hash & 0xff'ffff);
}

}  // namespace peregrine
