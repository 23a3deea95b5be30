// Messages, keys and blobs to test the cache with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cache/answer.h"
#include "cache/store.h"
#include "wire/message_view.h"

namespace peregrine {

using Octets = std::vector<uint8_t>;
using std::chrono::seconds;

struct Record {
  Section section;
  std::string_view owner;
  uint32_t ttl;
  Type type;
  std::string_view rdata;
  Class rclass = Class::in;
};

struct MessageSpec {
  std::string_view qname = "www.example.com.";
  Type qtype = Type::a;
  std::vector<Record> records{};
  Rcode rcode = Rcode::noerror;
  Class qclass = Class::in;
  bool ad = false;
  bool tc = false;
  Opcode opcode = Opcode::query;
  bool question = true;
  bool edns = false;
};

DnameBuf name(std::string_view text);  // throws where it is no name
Octets message(const MessageSpec& spec);
MessageView parsed(Bytes message);  // throws where it is none

// An A record, a CNAME chain over pointers and an SOA: a bit of everything that a blob can hold.
MessageSpec chain_answer();

Octets encoded(Bytes message, const BlobFields& fields);  // throws where it is refused

// The message that a client who asks `qname` gets from the blob; empty where render() refuses. With `ttl`, by
// render_with_ttl().
Octets reply_from(const AnswerBlob& blob, std::string_view qname, Type qtype, WallTime now);
Octets reply_from(const AnswerBlob& blob, std::string_view qname, Type qtype, uint32_t ttl);

std::vector<std::string> records(const MessageView& view, Section section);  // presentation form
std::vector<uint32_t> ttls(const MessageView& view);                         // of all sections, in order

// A key of its own for each number, its hash keyed.
class TestKey {
 public:
  explicit TestKey(uint64_t number, size_t size = 20);
  operator StoreKey() const { return {octets_, hash_}; }  // NOLINT(google-explicit-constructor)

 private:
  Octets octets_;
  uint64_t hash_;
};

// A blob whose every octet follows from its first eight and its size.
Octets self_checking_blob(uint64_t seed, size_t size);  // size >= 8
bool is_whole(Bytes blob);
uint64_t seed_of(Bytes blob);

constexpr WallTime at(int64_t s) { return WallTime{seconds{s}}; }
constexpr Lifetime until(int64_t s) { return {.refresh_at = at(s), .expires_at = at(s)}; }

}  // namespace peregrine
