#include "base/ip.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <optional>

namespace peregrine {
namespace {

constexpr std::array<uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

// fe80::/10 and ff02::/16: the addresses that mean nothing without an interface (RFC 4007 section 4).
bool needs_scope(const IpAddress& a) {
  const Bytes o = a.octets();
  const bool link_multicast = a.family() == Family::v6 && o[0] == 0xff && (o[1] & 0x0f) == 0x02;
  return a.is_link_local() || link_multicast;
}

std::optional<uint32_t> parse_scope(std::string_view text) {
  char name[IF_NAMESIZE]{};
  if (text.empty() || text.size() >= sizeof name) return std::nullopt;
  std::ranges::copy(text, name);
  if (unsigned index = if_nametoindex(name); index != 0) return index;
  return parse_number<uint32_t>(text);
}

Result<Endpoint> parse_scoped(std::string_view text, uint16_t port) {
  const size_t percent = text.find('%');
  auto address = IpAddress::parse(text.substr(0, percent));
  if (!address) return std::unexpected(address.error());
  if (percent == text.npos) return Endpoint{*address, port};
  auto scope = parse_scope(text.substr(percent + 1));
  if (!scope || !needs_scope(*address)) return std::unexpected(Error::bad_text);
  return Endpoint{*address, port, *scope};
}

Result<Endpoint> parse_bracketed(std::string_view text, uint16_t default_port) {
  const size_t close = text.find(']');
  if (close == text.npos) return std::unexpected(Error::bad_text);
  const std::string_view inner = text.substr(1, close - 1);
  if (!inner.contains(':')) return std::unexpected(Error::bad_text);
  const std::string_view rest = text.substr(close + 1);
  if (rest.empty()) return parse_scoped(inner, default_port);
  auto port = parse_number<uint16_t>(rest.substr(1));
  if (rest[0] != ':' || !port) return std::unexpected(Error::bad_text);
  return parse_scoped(inner, *port);
}

std::string scope_name(uint32_t scope) {
  char name[IF_NAMESIZE];
  if (if_indextoname(scope, name) == nullptr) return std::to_string(scope);
  return name;
}

bool host_bits_are_zero(const Prefix& p) {
  const Bytes o = p.address.octets();
  for (size_t bit = p.length; bit < o.size() * 8; ++bit) {
    if (o[bit / 8] & 0x80 >> bit % 8) return false;
  }
  return true;
}

}  // namespace

IpAddress IpAddress::v4(std::array<uint8_t, 4> octets) {
  IpAddress a;
  std::ranges::copy(octets, a.octets_.begin());
  return a;
}

IpAddress IpAddress::v6(std::array<uint8_t, 16> octets) {
  if (std::equal(mapped_prefix.begin(), mapped_prefix.end(), octets.begin())) {
    return v4({octets[12], octets[13], octets[14], octets[15]});
  }
  IpAddress a;
  a.octets_ = octets;
  a.family_ = Family::v6;
  return a;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN]{};
  if (text.size() >= sizeof buffer || text.contains('\0')) return std::unexpected(Error::bad_text);
  std::ranges::copy(text, buffer);
  if (std::array<uint8_t, 4> four; inet_pton(AF_INET, buffer, four.data()) == 1) return v4(four);
  if (std::array<uint8_t, 16> six; inet_pton(AF_INET6, buffer, six.data()) == 1) return v6(six);
  return std::unexpected(Error::bad_text);
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(octets(), [](uint8_t o) { return o == 0; });
}

bool IpAddress::is_loopback() const {
  if (family_ == Family::v4) return octets_[0] == 127;
  return octets_[15] == 1 &&
         std::all_of(octets_.begin(), octets_.end() - 1, [](uint8_t o) { return o == 0; });
}

bool IpAddress::is_link_local() const {
  return family_ == Family::v6 && octets_[0] == 0xfe && (octets_[1] & 0xc0) == 0x80;
}

std::string IpAddress::to_string() const {
  char buffer[INET6_ADDRSTRLEN];
  inet_ntop(family_ == Family::v4 ? AF_INET : AF_INET6, octets_.data(), buffer, sizeof buffer);
  return buffer;
}

Result<Endpoint> Endpoint::parse(std::string_view text, uint16_t default_port) {
  if (text.starts_with('[')) return parse_bracketed(text, default_port);
  // One colon can only come before an IPv4 address's port; an IPv6 address has two at least.
  const size_t colon = text.find(':');
  if (colon == text.npos || text.find(':', colon + 1) != text.npos) return parse_scoped(text, default_port);
  auto port = parse_number<uint16_t>(text.substr(colon + 1));
  if (!port) return std::unexpected(Error::bad_text);
  return parse_scoped(text.substr(0, colon), *port);
}

Endpoint Endpoint::from_sockaddr(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, address, sizeof in);
    std::array<uint8_t, 4> octets;
    std::memcpy(octets.data(), &in.sin_addr, octets.size());
    return {IpAddress::v4(octets), ntohs(in.sin_port)};
  }
  if (address->sa_family != AF_INET6) return {};
  sockaddr_in6 in6;
  std::memcpy(&in6, address, sizeof in6);
  std::array<uint8_t, 16> octets;
  std::memcpy(octets.data(), &in6.sin6_addr, octets.size());
  const IpAddress ip = IpAddress::v6(octets);
  return {ip, ntohs(in6.sin6_port), needs_scope(ip) ? in6.sin6_scope_id : 0};
}

uint32_t Endpoint::to_sockaddr(sockaddr_storage& out) const {
  const Bytes octets = address.octets();
  if (address.family() == Family::v4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, octets.data(), octets.size());
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  in6.sin6_scope_id = scope;
  std::memcpy(&in6.sin6_addr, octets.data(), octets.size());
  std::memcpy(&out, &in6, sizeof in6);
  return sizeof in6;
}

std::string Endpoint::to_string() const {
  if (address.family() == Family::v4) return address.to_string() + ":" + std::to_string(port);
  const std::string zone = scope == 0 ? "" : "%" + scope_name(scope);
  return "[" + address.to_string() + zone + "]:" + std::to_string(port);
}

Result<Prefix> Prefix::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  auto address = IpAddress::parse(host);
  if (!address) return std::unexpected(address.error());
  const int bits = address->family() == Family::v4 ? 32 : 128;
  if (slash == text.npos) return Prefix{*address, static_cast<uint8_t>(bits)};
  auto written = parse_number<uint8_t>(text.substr(slash + 1));
  if (!written) return std::unexpected(Error::bad_text);
  // "::ffff:192.0.2.0/120" counts 96 bits that the address no longer has.
  const int length = host.contains(':') ? *written - (128 - bits) : *written;
  if (length < 0 || length > bits) return std::unexpected(Error::bad_text);
  const Prefix prefix{*address, static_cast<uint8_t>(length)};
  if (!host_bits_are_zero(prefix)) return std::unexpected(Error::bad_text);
  return prefix;
}

bool Prefix::contains(const IpAddress& a) const {
  if (a.family() != address.family()) return false;
  const Bytes mine = address.octets();
  const Bytes theirs = a.octets();
  const size_t whole = std::min<size_t>(length / 8, mine.size());
  if (!std::equal(mine.begin(), mine.begin() + static_cast<ptrdiff_t>(whole), theirs.begin())) return false;
  if (whole == mine.size()) return true;
  const int mask = 0xff00 >> length % 8;
  return ((mine[whole] ^ theirs[whole]) & mask & 0xff) == 0;
}

std::string Prefix::to_string() const { return address.to_string() + "/" + std::to_string(length); }

}  // namespace peregrine

size_t std::hash<peregrine::Endpoint>::operator()(const peregrine::Endpoint& e) const noexcept {
  // The multiply and fold of wyhash: every bit of the input reaches the low bits that a table uses.
  auto mix = [](uint64_t a, uint64_t b) {
    unsigned __int128 product =
        static_cast<unsigned __int128>(a ^ 0xa0761d6478bd642f) * (b ^ 0xe7037ed1a0b428db);
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  std::array<uint64_t, 2> halves{};
  const peregrine::Bytes octets = e.address.octets();
  std::memcpy(halves.data(), octets.data(), octets.size());
  const uint64_t rest =
      uint64_t{e.scope} << 32 | uint64_t{e.port} << 8 | static_cast<uint64_t>(e.address.family());
  return mix(mix(halves[0], halves[1]), rest);
}
