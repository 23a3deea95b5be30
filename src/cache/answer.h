// Whole answers as blobs, ready to send: what AnswerCache keeps and how a hit becomes a message.
//
// A blob is position-independent: the header's fields, a list of where TTLs stand in the tail, and the tail:
// the octets of the message after the question (without the OPT). Compression pointers in it are message
// offsets; they stay true since every message that it is rendered into has the same question at offset 12 (in
// the client's own letter case).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "cache/key.h"
#include "cache/store.h"
#include "wire/message_view.h"

namespace peregrine {

// What an answer depends on: realm, DO, CD, qtype, qclass, qname.
class AnswerKey : public ViewKey {
 public:
  struct Fields {
    uint16_t realm = 0;  // which view of the world: per-client policy
    Dname qname;
    Type qtype = Type::a;
    Class qclass = Class::in;
    bool dnssec_ok = false;
    bool checking_disabled = false;
  };
  static constexpr uint8_t dnssec_ok_flag = 1, checking_disabled_flag = 2;

  AnswerKey() = default;  // of no use until assigned to
  AnswerKey(const Fields& fields, const HashSecret& secret) { assign(fields, secret); }
  void assign(const Fields& fields, const HashSecret& secret) { assign(fields, fields.qname.wire(), secret); }
  // With a name that nobody has checked, as for ViewKey.
  void assign(const Fields& fields, Bytes name, const HashSecret& secret) {
    const auto flags = static_cast<uint8_t>(unsigned{fields.dnssec_ok} * dnssec_ok_flag |
                                            unsigned{fields.checking_disabled} * checking_disabled_flag);
    ViewKey::assign(key_prefix(KeyView::answer, fields.qtype, fields.qclass, fields.realm, flags), name,
                    secret);
  }
};

// Where the floor is above a cap, the cap wins.
struct TtlLimits {
  std::chrono::seconds floor{0};            // lifts shorter TTLs, those of zero and negative answers too
  std::chrono::seconds cap{86400};          // RFC 8767 section 4 recommends a cap of days at most
  std::chrono::seconds negative_cap{3600};  // RFC 2308 section 5: one to three hours
};

// How long the answer may be kept, or nothing where it may not: the least TTL of its answer section; for
// NXDOMAIN and NODATA also min(SOA's TTL, SOA's MINIMUM) (RFC 2308 section 5), and nothing without an SOA. A
// TTL with its top bit set is zero (RFC 2181 section 8). Other rcodes, truncated messages and meta QTYPEs but
// ANY are not kept. Zero means: answer once, do not keep.
std::optional<std::chrono::seconds> time_to_keep(const MessageView& answer, const TtlLimits& limits);

struct BlobFields {
  WallTime stored_at{};  // kept as 32 bits: until the year 2106
  uint32_t policy_generation = 0;
  std::chrono::seconds keep{0};
  std::chrono::seconds floor{0};  // TtlLimits::floor that `keep` was found with
  uint8_t extended_rcode = 0;     // the rcode's upper eight bits, which only an OPT could carry
};

// Writes the blob of `answer` into `out`, which must not overlap it. Each TTL becomes min(max(own, floor),
// keep): TTLs age with the blob, and none in the answer section reaches zero before the blob is stale.
// `answer` has one question; its compression pointers must lead to names, as MessageWriter's do: one into a
// TTL field would change with the TTL. Octets after the last RR are left out. no_space: `out` is too small;
// bad_message: no question, an OPT or another meta RR, over 65,535 octets
Result<Bytes> encode_answer(const MessageView& answer, const BlobFields& fields, MutableBytes out);

// The front of a blob as it stands there: little-endian but for `reply`. The offsets (u16 each, from the
// tail's start, one for every RR) and the tail follow.
struct AnswerBlobHeader {
  static constexpr uint8_t layout_version = 1;

  uint8_t version;
  uint8_t extended_rcode;        // the rcode's upper eight bits
  std::array<uint8_t, 8> reply;  // as in a reply's header: QR, RA, AD and RCODE; ANCOUNT, NSCOUNT, ARCOUNT
  uint16_t tail_size;
  uint32_t policy_generation;
  uint32_t stored_at;  // seconds since 1970
};
static_assert(sizeof(AnswerBlobHeader) == 20 && std::has_unique_object_representations_v<AnswerBlobHeader>);
static_assert(std::endian::native == std::endian::little);

// A blob read in place, which must outlive it. Sound on any octets: a damaged blob can give wrong answers,
// but nothing outside of it is read and nothing outside of a caller's buffer is written.
class AnswerBlob {
 public:
  // Of a store: open() has accepted the blob before it was put there, or when it was read from a file.
  static AnswerBlob stored(Bytes blob) {
    assert(open(blob) && "a blob was stored unchecked");
    return AnswerBlob(blob);
  }
  static std::optional<AnswerBlob> open(
      Bytes blob);  // nothing for another layout version or an impossible one
  Rcode rcode() const { return Rcode(extended_rcode() << 4 | (reply_flags() & HeaderBits::rcode)); }
  unsigned extended_rcode() const { return blob_[offsetof(AnswerBlobHeader, extended_rcode)]; }
  // QR, RA, AD of the answer that was stored, and the rcode's lower four bits, where a reply's header has
  // them.
  uint16_t reply_flags() const { return load_u16(reply()); }
  // ANCOUNT, NSCOUNT and ARCOUNT: see one_in().
  uint64_t counts() const { return load_u64(reply()) & record_counts; }
  bool authentic() const { return reply_flags() & HeaderBits::ad; }
  WallTime stored_at() const {
    return WallTime{std::chrono::seconds{field<uint32_t>(offsetof(AnswerBlobHeader, stored_at))}};
  }
  uint32_t policy_generation() const {
    return field<uint32_t>(offsetof(AnswerBlobHeader, policy_generation));
  }
  // Of answer, authority or additional.
  uint16_t count(Section section) const { return load_u16(reply() + 2 * static_cast<size_t>(section)); }
  // The octets that follow the question, with the TTLs that the answer was stored with.
  Bytes tail() const { return blob_.last(tail_size()); }
  // Octets that render() writes.
  size_t tail_size() const { return field<uint16_t>(offsetof(AnswerBlobHeader, tail_size)); }

  // Writes the octets that follow the question to `out`, each TTL lessened by the blob's age, never below
  // zero. False where tail_size() exceeds `out`: nothing is written then. False as well for a blob found
  // damaged: `out` holds octets of no use then.
  bool render(MutableBytes out, WallTime now) const;
  // The same with every TTL set to `ttl` (stale answers, RFC 8767 section 4).
  bool render_with_ttl(MutableBytes out, uint32_t ttl) const;

 private:
  static constexpr size_t offset_size = 2;
  static constexpr size_t least_rr_size = 11;  // the root's owner, type, class, TTL, RDLENGTH

  explicit AnswerBlob(Bytes blob) : blob_(blob) {}
  const uint8_t* reply() const { return blob_.data() + offsetof(AnswerBlobHeader, reply); }
  template <class Integer>
  Integer field(size_t offset) const {
    Integer value;
    std::memcpy(&value, blob_.data() + offset, sizeof value);
    return value;
  }
  size_t rr_count() const {
    return size_t{count(Section::answer)} + count(Section::authority) + count(Section::additional);
  }
  template <class NewTtl>
  bool write_tail(MutableBytes out, NewTtl new_ttl) const;

  Bytes blob_;  // a header, offsets and a tail: open() has checked their sizes
};

inline std::optional<AnswerBlob> AnswerBlob::open(Bytes octets) {
  if (octets.size() < sizeof(AnswerBlobHeader)) return std::nullopt;
  const AnswerBlob blob(octets);
  if (octets[offsetof(AnswerBlobHeader, version)] != AnswerBlobHeader::layout_version) return std::nullopt;
  const size_t rrs = blob.rr_count(), tail = blob.tail_size();
  if (octets.size() != sizeof(AnswerBlobHeader) + offset_size * rrs + tail) return std::nullopt;
  if (tail < least_rr_size * rrs) return std::nullopt;
  return blob;
}

// The offsets are checked here, where they are read anyway, and not by a pass of its own in open().
template <class NewTtl>
bool AnswerBlob::write_tail(MutableBytes out, NewTtl new_ttl) const {
  const size_t size = tail_size();
  if (size > out.size()) return false;
  const uint8_t* offset = blob_.data() + sizeof(AnswerBlobHeader);
  const uint8_t* const tail = blob_.data() + (blob_.size() - size);
  copy_few(out.data(), tail, size);
  for (; offset != tail; offset += offset_size) {
    uint16_t at;
    std::memcpy(&at, offset, offset_size);
    if (at + sizeof(uint32_t) > size) return false;
    uint8_t* ttl = out.data() + at;
    store_u32(ttl, new_ttl(load_u32(ttl)));
  }
  return true;
}

inline bool AnswerBlob::render(MutableBytes out, WallTime now) const {
  const WallTime stored = stored_at();
  const auto age =
      now > stored ? static_cast<uint32_t>((now - stored).count()) : 0u;  // below 2^32: see stored_at
  return write_tail(out, [age](uint32_t ttl) { return ttl > age ? ttl - age : 0; });
}

inline bool AnswerBlob::render_with_ttl(MutableBytes out, uint32_t ttl) const {
  return write_tail(out, [ttl](uint32_t) { return ttl; });
}

}  // namespace peregrine
