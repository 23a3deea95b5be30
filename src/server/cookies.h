// DNS cookies, the server's side: RFC 7873 section 5.2, with the interoperable server cookies of RFC 9018.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/siphash.h"

namespace peregrine {

// What a COOKIE option holds: of a query, what the client sent; after CookieSecrets::answer(), what the reply
// says.
struct Cookie {
  static constexpr size_t client_size = 8, server_size = 16, whole_size = client_size + server_size;
  static constexpr size_t option_size = 4 + whole_size;  // with its code and length
  static constexpr size_t version_at = client_size, time_at = version_at + 4, hash_at = time_at + 4;

  explicit operator bool() const { return size != 0; }
  // An option's value: false where its length is none that RFC 7873 section 4 allows, which is FORMERR. A
  // server cookie of another length than ours is not kept: we did not make it.
  bool read(Bytes value);
  bool operator==(const Cookie& other) const;

  uint8_t size = 0;  // 0: no option. 8: the client's cookie alone. 24: and a server cookie
  std::array<uint8_t, whole_size> octets;
};

enum class CookieVerdict : uint8_t {
  absent,       // no option
  client_only,  // no server cookie, or one that is not of ours
  bad,          // not made by us for this client, or too old, or from the future
  good,         // the client can receive at its address
};

// The secrets of server cookies; all servers behind one address share them. Immutable.
class CookieSecrets {
 public:
  // `previous` is still accepted, so that a rotation surprises nobody (RFC 9018 section 5).
  CookieSecrets(const HashKey& current, const HashKey& previous);
  uint64_t id() const { return id_; }  // its own in this process; never zero

  // Turns the query's cookie into the reply's. A good one is sent back while it is less than half an hour
  // old, else a new one is made (RFC 9018 section 4.3). `address`: the client's, 4 octets or 16.
  CookieVerdict answer(Cookie& cookie, Bytes address, WallTime now) const;

 private:
  HashKey current_, previous_;
  uint64_t id_;
};

// One worker's memory of cookies that were good: a client sends the same one for half an hour, and hashing it
// each time would cost a third of answering from the cache. Direct-mapped; only cookies that proved good get
// in, so strangers can push entries out and nothing else. One thread.
class KnownCookies {
 public:
  KnownCookies() : known_(size) {}
  // As CookieSecrets::answer().
  CookieVerdict answer(const CookieSecrets& secrets, Cookie& cookie, Bytes address, WallTime now) {
    const bool whole = cookie.size == Cookie::whole_size;
    if (whole && is_fresh(cookie, now) && knows(secrets, cookie, address)) return CookieVerdict::good;
    return check(secrets, cookie, address, now);
  }

 private:
  static constexpr size_t size = 256;
  // Who made it, the cookie, the client's address and its size: IPv4 in the lower half of a word.
  struct Known {
    std::array<uint64_t, 8> words{};
    bool operator==(const Known& other) const {
      uint64_t differences = 0;
      for (size_t i = 0; i < words.size(); ++i) differences |= words[i] ^ other.words[i];
      return differences == 0;
    }
  };

  static Known made_of(const CookieSecrets& secrets, const Cookie& cookie, Bytes address) {
    Known known;
    known.words[0] = secrets.id();
    std::memcpy(&known.words[1], cookie.octets.data(), Cookie::whole_size);
    if (address.size() == 4) {
      known.words[4] = load_u32(address.data());
    } else if (address.size() == 16) {
      std::memcpy(&known.words[4], address.data(), 16);  // IPv6
    }
    known.words[6] = address.size();
    return known;
  }
  Known& place(const Known& known) { return known_[(known.words[1] ^ known.words[3]) % size]; }
  bool knows(const CookieSecrets& secrets, const Cookie& cookie, Bytes address) {
    const Known asked = made_of(secrets, cookie, address);
    return place(asked) == asked;
  }
  static bool is_fresh(const Cookie& cookie, WallTime now);
  CookieVerdict check(const CookieSecrets& secrets, Cookie& cookie, Bytes address, WallTime now);

  std::vector<Known> known_;
};

// A cookie's time, of which all comparisons are of serial numbers (RFC 1982): seconds since then.
inline int32_t cookie_age(const Cookie& cookie, WallTime now) {
  return static_cast<int32_t>(static_cast<uint32_t>(now.time_since_epoch().count()) -
                              load_u32(&cookie.octets[Cookie::time_at]));
}

// RFC 9018 section 4.3, in seconds.
inline constexpr int32_t cookie_life = 3600, cookie_renewed_after = 1800, cookie_ahead = 300;

inline bool KnownCookies::is_fresh(const Cookie& cookie, WallTime now) {
  const auto since = static_cast<uint32_t>(cookie_age(cookie, now)) + uint32_t{cookie_ahead};
  return since < uint32_t{cookie_renewed_after + cookie_ahead};
}

}  // namespace peregrine
