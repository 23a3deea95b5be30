// Whole answers as blobs, ready to send: what AnswerCache keeps and how a hit becomes a message.
//
// A blob is position-independent: the header's fields, a list of where TTLs stand in the tail, and the tail:
// the octets of the message after the question (without the OPT). Compression pointers in it are message
// offsets; they stay true since every message that it is rendered into has the same question at offset 12 (in
// the client's own letter case).
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "cache/store.h"
#include "simd/kernels.h"
#include "wire/message_view.h"

namespace peregrine {

// What an answer depends on, as key octets: realm, flags, view, qtype, qclass (key_prefix_size), folded
// qname.
class AnswerKey {
 public:
  struct Fields {
    uint16_t realm = 0;  // which view of the world: per-client policy
    Dname qname;
    Type qtype = Type::a;
    Class qclass = Class::in;
    bool dnssec_ok = false;
    bool checking_disabled = false;
  };
  AnswerKey() = default;  // of no use until assigned to
  AnswerKey(const Fields& fields, const HashSecret& secret) { assign(fields, secret); }
  void assign(const Fields& fields, const HashSecret& secret);
  AnswerKey(const AnswerKey& other) { *this = other; }
  AnswerKey& operator=(const AnswerKey& other);
  // A view of this key, which must outlive it.
  StoreKey store_key() const { return {Bytes(octets_).first(size_), hash_}; }
  uint64_t hash() const { return hash_; }
  friend bool operator==(const AnswerKey& a, const AnswerKey& b);

 private:
  alignas(64) std::array<uint8_t, key_buffer_size> octets_;  // not initialized: a key is made for each query
  uint16_t size_ = 0;
  uint64_t hash_ = 0;
};

inline void AnswerKey::assign(const Fields& fields, const HashSecret& secret) {
  const unsigned flags = unsigned{fields.dnssec_ok} | unsigned{fields.checking_disabled} << 1;
  store_u64(octets_.data(), uint64_t{fields.realm} << 48 | uint64_t{flags} << 40 |
                                uint64_t{static_cast<uint8_t>(KeyView::answer)} << 32 |
                                uint64_t{static_cast<uint16_t>(fields.qtype)} << 16 |
                                static_cast<uint16_t>(fields.qclass));
  const Bytes qname = fields.qname.wire();
  size_ = static_cast<uint16_t>(key_prefix_size + qname.size());
  hash_ = kernels().make_key(octets_.data(), qname.data(), qname.size(), secret);
}

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

// The front of a blob as it stands there: little-endian. The offsets (u16 each, from the tail's start, one
// for every RR) and the tail follow.
struct AnswerBlobHeader {
  static constexpr uint8_t layout_version = 1;
  static constexpr uint8_t authentic_flag = 1;

  uint8_t version;
  uint8_t flags;
  uint16_t rcode;                  // 12 bits
  std::array<uint16_t, 3> counts;  // answer, authority, additional
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
  static std::optional<AnswerBlob> open(
      Bytes blob);  // nothing for another layout version or an impossible one
  Rcode rcode() const { return Rcode(header_.rcode); }
  // AD of the answer that was stored.
  bool authentic() const { return header_.flags & AnswerBlobHeader::authentic_flag; }
  WallTime stored_at() const { return WallTime{std::chrono::seconds{header_.stored_at}}; }
  uint32_t policy_generation() const { return header_.policy_generation; }
  // Of answer, authority or additional.
  uint16_t count(Section section) const { return header_.counts[static_cast<size_t>(section) - 1]; }
  size_t tail_size() const { return header_.tail_size; }  // octets that render() writes

  // Writes the octets that follow the question to `out`, each TTL lessened by the blob's age, never below
  // zero. False where tail_size() exceeds `out`: nothing is written then. False as well for a blob found
  // damaged: `out` holds octets of no use then.
  bool render(MutableBytes out, WallTime now) const;
  // The same with every TTL set to `ttl` (stale answers, RFC 8767 section 4).
  bool render_with_ttl(MutableBytes out, uint32_t ttl) const;

 private:
  AnswerBlob(Bytes blob, const AnswerBlobHeader& header) : blob_(blob), header_(header) {}
  template <class NewTtl>
  bool write_tail(MutableBytes out, NewTtl new_ttl) const;

  Bytes blob_;
  AnswerBlobHeader header_;
};

}  // namespace peregrine
