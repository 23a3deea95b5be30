#include "wire/edns.h"

#include <algorithm>

namespace peregrine {
namespace {

bool are_whole(Bytes options) {
  EdnsOptions it(options);
  while (it.next()) {
  }
  return it.ok();
}

}  // namespace

Result<Edns> Edns::parse(Class udp_size, uint32_t ttl, Bytes rdata) {
  const auto version = static_cast<uint8_t>(ttl >> 16);
  // What another version has there nobody knows; it must not hide the version from who answers BADVERS.
  const Bytes options = version == 0 ? rdata : Bytes();
  if (!are_whole(options)) return std::unexpected(Error::bad_rdata);
  return Edns{.version = version,
              .extended_rcode = static_cast<uint8_t>(ttl >> 24),
              .dnssec_ok = (ttl & opt_dnssec_ok_bit) != 0,
              .udp_size = std::max(static_cast<uint16_t>(udp_size), classic_udp_size),
              .options = options};
}

std::optional<Bytes> Edns::find(EdnsOption code) const {
  for (EdnsOptions it(options); it.next();)
    if (it.code() == code) return it.value();
  return std::nullopt;
}

}  // namespace peregrine
