// DNS cookies, the server's side: RFC 7873 section 5.2, with the interoperable server cookies of RFC 9018.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/siphash.h"

namespace peregrine {

// What a COOKIE option holds: of a query, what the client sent; after CookieSecrets::answer(), what the reply
// says.
struct Cookie {
  static constexpr size_t client_size = 8, server_size = 16, whole_size = client_size + server_size;
  static constexpr size_t option_size = 4 + whole_size;  // with its code and length

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
  CookieSecrets(const HashKey& current, const HashKey& previous) : current_(current), previous_(previous) {}

  // Turns the query's cookie into the reply's. A good one is sent back while it is less than half an hour
  // old, else a new one is made (RFC 9018 section 4.3). `address`: the client's, 4 octets or 16.
  CookieVerdict answer(Cookie& cookie, Bytes address, WallTime now) const;

 private:
  HashKey current_, previous_;
};

}  // namespace peregrine
