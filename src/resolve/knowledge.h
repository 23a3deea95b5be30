// What a resolver has learned and still holds true: the cache as the resolver sees it. One thread.
#pragma once

#include <optional>

#include "cache/delegation.h"
#include "resolve/facts.h"

namespace peregrine {

class Knowledge {
 public:
  virtual ~Knowledge() = default;

  // TTLs are what is left of them; what has expired is not known.
  virtual std::optional<Rrset> rrset(Dname owner, Type type) = 0;
  // That there is no such type at the name, or no such name: neither it nor one above it (RFC 8020), up to
  // `highest`, which it is at or below.
  virtual std::optional<Denial> denial(Dname name, Type type, Dname highest) = 0;
  // The nearest at or above the name; without addresses that have expired.
  virtual std::optional<Delegation> delegation(Dname name) = 0;

  // Each keeps what it is given for as long as it may be kept, unless the cache has been flushed since
  // `began`, the flush_generation() of when the resolution began.
  virtual uint64_t flush_generation() const = 0;
  virtual void learn(const Rrset& rrset, uint64_t began) = 0;
  virtual void learn(Dname name, Type type, const Denial& denial, uint64_t began) = 0;
  // And gives it, as far as it is believed; nothing where the referral has no server.
  virtual std::optional<Delegation> learn(const DelegationSource& referral, uint64_t began) = 0;

 protected:
  Knowledge() = default;
  Knowledge(const Knowledge&) = default;
  Knowledge& operator=(const Knowledge&) = default;
};

// An Rrset of a message's section, with the signatures that follow its type; for what is read back from the
// cache.
Denial read_denial(const MessageView& message, uint32_t age);
// The message that says so, to be kept; its octets in `out`. no_space
Result<Bytes> write_denial(Dname name, Type type, const Denial& denial, MutableBytes out);
// RFC 2308 section 5: the least of the SOA's TTL and its MINIMUM, 0 without an SOA.
uint32_t ttl_of(const Denial& denial);

}  // namespace peregrine
