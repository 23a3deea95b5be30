// RRsets as blobs: what RrsetCache keeps. The owner, type and class are the key's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "cache/store.h"
#include "wire/message_view.h"

namespace peregrine {

// Where data came from, the least credible first: the list of RFC 2181 section 5.4.1, from its end.
enum class Credibility : uint8_t {
  additional,            // an additional section, or the authority section of a non-authoritative reply
  answer,                // the answer section, but not authoritative there
  zone_glue,             // glue of a zone that we serve
  authority,             // the authority section of an authoritative reply
  authoritative_answer,  // the authoritative part of the answer section
  transfer,              // a zone transfer, other than glue
  zone_file,             // a primary zone's file, other than glue
};

// RFC 4035 section 4.3, and `unchecked`: nobody has tried yet.
enum class Security : uint8_t { unchecked, indeterminate, insecure, secure, bogus };

std::string_view to_string(Credibility credibility);
std::string_view to_string(Security security);

struct RrsetFields {
  Credibility credibility = Credibility::additional;
  Security security = Security::unchecked;
  WallTime stored_at{};  // kept as 32 bits: until the year 2106
  uint32_t ttl = 0;      // seconds from then on
};

// Writes a blob of uncompressed RDATAs into `out`, which must not overlap them. no_space: `out` is too small;
// limit: over 65,535 records or signatures, or an RDATA over 65,535 octets
Result<Bytes> encode_rrset(const RrsetFields& fields, std::span<const Bytes> records,
                           std::span<const Bytes> signatures, MutableBytes out);

// The RRset of one section of a message: the RRs of owner, type and class, and the RRSIGs that cover them.
struct RrsetSource {
  const MessageView& message;
  Section section;
  Dname owner;
  Type type;
  Class rclass = Class::in;
};
// The same from there, names in RDATA expanded. The TTL is the least that the RRs have (RFC 2181 section
// 5.2), but at most fields.ttl. Repeated records stay. not_found: no such RR; no_space; bad_rdata
Result<Bytes> encode_rrset(const RrsetSource& source, const RrsetFields& fields, MutableBytes out);

// The front of a blob as it stands there: little-endian. The records follow, then the signatures: each the
// RDATA's size (u16) and the RDATA.
struct RrsetBlobHeader {
  static constexpr uint8_t layout_version = 1;
  uint8_t version;
  uint8_t credibility;
  uint8_t security;
  uint8_t zero;
  uint16_t records;
  uint16_t signatures;
  uint32_t ttl;
  uint32_t stored_at;  // seconds since 1970
};
static_assert(sizeof(RrsetBlobHeader) == 16 && std::has_unique_object_representations_v<RrsetBlobHeader>);

// RDATAs one behind the other, checked before: for (Bytes rdata : blob.records()).
class RdataList {
 public:
  class Iterator {
   public:
    Iterator(const uint8_t* at, size_t left) : at_(at), left_(left) {}
    Bytes operator*() const { return {at_ + sizeof(uint16_t), size()}; }
    Iterator& operator++() {
      at_ += sizeof(uint16_t) + size();
      --left_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return left_ == other.left_; }

   private:
    size_t size() const {
      uint16_t size;
      std::memcpy(&size, at_, sizeof size);
      return size;
    }
    const uint8_t* at_;
    size_t left_;
  };

  RdataList(const uint8_t* first, size_t count) : first_(first), count_(count) {}
  size_t size() const { return count_; }
  Iterator begin() const { return {first_, count_}; }
  Iterator end() const { return {nullptr, 0}; }

 private:
  const uint8_t* first_;
  size_t count_;
};

// A blob read in place, which must outlive it. Sound on any octets: open() checks all of it, in time linear
// in the number of RDATAs; what these say is not checked.
class RrsetBlob {
 public:
  static std::optional<RrsetBlob> open(Bytes blob);  // nothing where it cannot have been encoded
  Bytes octets() const { return octets_; }
  Credibility credibility() const { return Credibility{header_.credibility}; }
  Security security() const { return Security{header_.security}; }
  WallTime stored_at() const { return WallTime{std::chrono::seconds{header_.stored_at}}; }
  uint32_t ttl() const { return header_.ttl; }  // when it was stored
  uint32_t ttl_at(WallTime now) const;          // what is left of it
  WallTime expires_at() const { return stored_at() + std::chrono::seconds{header_.ttl}; }
  RdataList records() const { return {octets_.data() + sizeof header_, header_.records}; }
  RdataList signatures() const { return {octets_.data() + signatures_at_, header_.signatures}; }

 private:
  RrsetBlob() = default;
  Bytes octets_;
  RrsetBlobHeader header_{};
  size_t signatures_at_ = 0;
};

// Whether `candidate` may take the place of `old`, which is in the cache until `old_expires_at`.
//
// What is stale neither replaces anything nor stays. Otherwise what validation found comes first: bogus data
// never replaces other data and always gives way to it; secure data replaces what is not, and gives way to
// what is not secure only where that is more credible. Then the more credible replaces the less (RFC 2181
// section 5.4.1), and equals replace each other, but for one case: NS records that would only live longer, so
// that a zone whose delegation was taken away cannot keep itself in the cache (Jiang and others, "Ghost
// Domain Names", NDSS 2012).
bool may_replace(const RrsetBlob& old, WallTime old_expires_at, const RrsetBlob& candidate, Type type,
                 WallTime now);

}  // namespace peregrine
