// Addresses, endpoints and prefixes, IPv4 and IPv6.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

struct sockaddr;
struct sockaddr_storage;

namespace peregrine {

enum class Family : uint8_t { v4 = 4, v6 = 6 };

// 16 octets; an IPv4 address uses the first four. An IPv4-mapped IPv6 address is made IPv4 on the way in.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(std::array<uint8_t, 4> octets);
  static IpAddress v6(std::array<uint8_t, 16> octets);
  static Result<IpAddress> parse(std::string_view text);  // bad_text

  Family family() const { return family_; }
  Bytes octets() const { return Bytes(octets_).first(family_ == Family::v4 ? 4 : 16); }
  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_link_local() const;  // fe80::/10 (RFC 4291 section 2.5.6): means nothing without an interface
  std::string to_string() const;
  auto operator<=>(const IpAddress&) const = default;

 private:
  std::array<uint8_t, 16> octets_{};
  Family family_ = Family::v4;
};

struct Endpoint {
  IpAddress address;
  uint16_t port = 0;
  uint32_t scope = 0;  // interface index of an IPv6 link-local address, else 0

  // "192.0.2.1", "192.0.2.1:53", "[2001:db8::1]:53", "2001:db8::1", "fe80::1%eth0"; bad_text
  static Result<Endpoint> parse(std::string_view text, uint16_t default_port);
  static Endpoint from_sockaddr(const sockaddr* address);  // AF_INET or AF_INET6
  uint32_t to_sockaddr(sockaddr_storage& out) const;       // returns its length
  std::string to_string() const;                           // with the port
  auto operator<=>(const Endpoint&) const = default;
};

// An address range: "192.0.2.0/24", "2001:db8::/32", or one address.
struct Prefix {
  IpAddress address;
  uint8_t length = 0;
  static Result<Prefix> parse(std::string_view text);  // bad_text; host bits must be zero
  bool contains(const IpAddress& a) const;
  std::string to_string() const;
  auto operator<=>(const Prefix&) const = default;
};

}  // namespace peregrine

template <>
struct std::hash<peregrine::Endpoint> {
  size_t operator()(const peregrine::Endpoint& e) const noexcept;  // not keyed: for servers that we chose
};
