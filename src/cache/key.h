// The keys of a store's views: realm (16 bits), flags (8), view (8), type (16), class (16), all in network
// order, then the folded owner name.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/bytes.h"
#include "cache/store.h"
#include "simd/kernels.h"
#include "wire/dname.h"
#include "wire/types.h"

namespace peregrine {

constexpr uint64_t key_prefix(KeyView view, Type type, Class rclass, uint16_t realm = 0, uint8_t flags = 0) {
  return uint64_t{realm} << 48 | uint64_t{flags} << 40 | uint64_t{static_cast<uint8_t>(view)} << 32 |
         uint64_t{static_cast<uint16_t>(type)} << 16 | static_cast<uint16_t>(rclass);
}

// A key's octets and their hash.
class ViewKey {
 public:
  ViewKey() = default;  // of no use until assigned to
  ViewKey(const ViewKey& other) { *this = other; }
  ViewKey& operator=(const ViewKey& other) {
    std::memmove(octets_.data(), other.octets_.data(), other.size_);
    size_ = other.size_;
    hash_ = other.hash_;
    return *this;
  }
  // With 1 to 255 octets for the name that nobody has checked: where they are no name, no key of a name
  // equals this one, because label lengths survive folding and nothing else becomes one.
  void assign(uint64_t prefix, Bytes name, const HashSecret& secret) {
    store_u64(octets_.data(), prefix);
    size_ = static_cast<uint16_t>(key_prefix_size + name.size());
    hash_ = kernels().make_key(octets_.data(), name.data(), name.size(), secret);
  }
  // A view of this key, which must outlive it.
  StoreKey store_key() const { return {Bytes(octets_).first(size_), hash_}; }
  uint64_t hash() const { return hash_; }
  friend bool operator==(const ViewKey& a, const ViewKey& b) {
    return a.size_ == b.size_ && std::memcmp(a.octets_.data(), b.octets_.data(), a.size_) == 0;
  }

 private:
  alignas(64) std::array<uint8_t, key_buffer_size> octets_;  // not initialized: a key is made for each query
  uint16_t size_ = 0;
  uint64_t hash_ = 0;
};

// What a key says, read from octets that may be any.
struct KeyParts {
  uint16_t realm;
  uint8_t flags;
  KeyView view;
  Type type;
  Class rclass;
  Dname owner;  // in the key

  static std::optional<KeyParts> read(Bytes key) {
    if (key.size() <= key_prefix_size) return std::nullopt;
    const Bytes name = key.subspan(key_prefix_size);
    const auto owner = Dname::parse(name);
    if (!owner || owner->size() != name.size()) return std::nullopt;
    return KeyParts{.realm = load_u16(key.data()),
                    .flags = key[2],
                    .view = KeyView{key[3]},
                    .type = Type{load_u16(key.data() + 4)},
                    .rclass = Class{load_u16(key.data() + 6)},
                    .owner = *owner};
  }
};

}  // namespace peregrine
