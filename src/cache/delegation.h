// Delegations as blobs: the servers of a zone as its parent names them, with their glue. The zone cut is the
// key's.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/function_ref.h"
#include "base/ip.h"
#include "base/result.h"
#include "wire/message_view.h"

namespace peregrine {

// What is kept of a referral. A parent that names more is believed as far as this, so that a referral made to
// cost us is bounded (Afek and others, "NXNSAttack", USENIX Security 2020).
inline constexpr size_t max_delegation_servers = 32;
inline constexpr size_t max_glue_per_server = 8;
inline constexpr size_t max_glue_seen = 256;  // A and AAAA records that are looked at
inline constexpr size_t max_delegation_blob =
    12 + max_delegation_servers * (max_dname_size + 5 + max_glue_per_server * 17);

struct DelegationSource {
  const MessageView& referral;
  Dname cut;        // NS records of this owner
  Dname bailiwick;  // the zone of the servers that were asked: addresses of other names are not believed
  Class rclass = Class::in;
  Section section =
      Section::authority;  // where the NS records are: priming has them in the answer (RFC 9609)
};

// Writes a blob into `out`; max_delegation_blob octets are always enough. Its TTL is the least of the NS
// records', but at most `ttl_cap`. not_found: no NS record; no_space
Result<Bytes> encode_delegation(const DelegationSource& source, WallTime now, uint32_t ttl_cap,
                                MutableBytes out);

// The front of a blob as it stands there: little-endian. The servers follow: name, the least TTL of its
// addresses (u32), how many those are (u8), and each as its family (4 or 6) and its octets.
struct DelegationBlobHeader {
  static constexpr uint8_t layout_version = 1;
  uint8_t version;
  uint8_t servers;
  uint16_t zero;
  uint32_t ttl;
  uint32_t stored_at;  // seconds since 1970
};
static_assert(sizeof(DelegationBlobHeader) == 12 &&
              std::has_unique_object_representations_v<DelegationBlobHeader>);

struct DelegationServer {
  Dname name;
  uint32_t glue_ttl;  // of its addresses, when they were stored; they are gone when it has passed
  Bytes glue;
  void for_each_address(FunctionRef<void(const IpAddress&)> visit) const;
};

// A blob read in place, which must outlive it. Sound on any octets: open() checks all of it.
class DelegationBlob {
 public:
  static std::optional<DelegationBlob> open(Bytes blob);  // nothing where it cannot have been encoded
  Bytes octets() const { return octets_; }
  size_t server_count() const { return header_.servers; }
  WallTime stored_at() const { return WallTime{std::chrono::seconds{header_.stored_at}}; }
  uint32_t ttl() const { return header_.ttl; }
  WallTime expires_at() const { return stored_at() + std::chrono::seconds{header_.ttl}; }
  // In the order of the referral.
  void for_each_server(FunctionRef<void(const DelegationServer&)> visit) const;

 private:
  DelegationBlob() = default;
  Bytes octets_;
  DelegationBlobHeader header_{};
};

}  // namespace peregrine
