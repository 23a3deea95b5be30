#include "server/cookies.h"

#include <algorithm>
#include <atomic>

namespace peregrine {
namespace {

constexpr size_t max_option = 40;
constexpr uint32_t version_and_reserved = 0x01000000;
constexpr size_t version_at = Cookie::version_at, time_at = Cookie::time_at, hash_at = Cookie::hash_at;
constexpr size_t v4_size = 4, v6_size = 16;

// RFC 9018 section 4.4: SipHash-2-4 of client cookie, version, reserved, timestamp and address, which are two
// words and half a word more, or two.
uint64_t hash_of(const HashKey& secret, const Cookie& cookie, Bytes address) {
  std::array<uint64_t, 4> words;
  std::memcpy(words.data(), cookie.octets.data(), hash_at);
  SipState<2, 4> state(secret);
  state.absorb(words[0]);
  state.absorb(words[1]);
  if (address.size() == v4_size) {
    uint32_t last;
    std::memcpy(&last, address.data(), v4_size);
    state.absorb(uint64_t{hash_at + v4_size} << 56 | last);
    return state.finish();
  }
  std::memcpy(&words[2], address.data(), v6_size);
  state.absorb(words[2]);
  state.absorb(words[3]);
  state.absorb(uint64_t{hash_at + v6_size} << 56);
  return state.finish();
}

bool is_made_with(const HashKey& secret, const Cookie& cookie, Bytes address) {
  const uint64_t hash = hash_of(secret, cookie, address);
  return std::memcmp(&hash, &cookie.octets[hash_at], sizeof hash) == 0;
}

void make(const HashKey& secret, Cookie& cookie, Bytes address, uint32_t now) {
  store_u32(&cookie.octets[version_at], version_and_reserved);
  store_u32(&cookie.octets[time_at], now);
  const uint64_t hash = hash_of(secret, cookie, address);
  std::memcpy(&cookie.octets[hash_at], &hash, sizeof hash);
  cookie.size = Cookie::whole_size;
}

}  // namespace

bool Cookie::read(Bytes value) {
  const bool allowed =
      value.size() == client_size || (value.size() >= 2 * client_size && value.size() <= max_option);
  if (!allowed) return false;
  size = value.size() == whole_size ? whole_size : client_size;
  copy_few(octets.data(), value.data(), size);
  return true;
}

bool Cookie::operator==(const Cookie& other) const {
  return size == other.size && std::equal(octets.begin(), octets.begin() + size, other.octets.begin());
}

CookieVerdict CookieSecrets::answer(Cookie& cookie, Bytes address, WallTime now) const {
  if (!cookie || (address.size() != v4_size && address.size() != v6_size)) return CookieVerdict::absent;
  const auto seconds = static_cast<uint32_t>(now.time_since_epoch().count());
  if (cookie.size != Cookie::whole_size || cookie.octets[version_at] != version_and_reserved >> 24) {
    make(current_, cookie, address, seconds);
    return CookieVerdict::client_only;
  }
  const int32_t age = cookie_age(cookie, now);
  const bool timely = age >= -cookie_ahead && age <= cookie_life;
  const bool is_current = timely && is_made_with(current_, cookie, address);
  if (is_current && age < cookie_renewed_after) return CookieVerdict::good;
  const bool good = is_current || (timely && is_made_with(previous_, cookie, address));
  make(current_, cookie, address, seconds);
  return good ? CookieVerdict::good : CookieVerdict::bad;
}

CookieSecrets::CookieSecrets(const HashKey& current, const HashKey& previous)
    : current_(current), previous_(previous) {
  static std::atomic<uint64_t> made = 0;
  id_ = ++made;
}

CookieVerdict KnownCookies::check(const CookieSecrets& secrets, Cookie& cookie, Bytes address, WallTime now) {
  const CookieVerdict verdict = secrets.answer(cookie, address, now);
  if (verdict == CookieVerdict::good) {
    // The reply's, which may be a new one: the client comes back with that.
    const Known known = made_of(secrets, cookie, address);
    place(known) = known;
  }
  return verdict;
}

}  // namespace peregrine
