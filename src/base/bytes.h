// Octets: spans, big-endian loads and stores, and cursors whose error sticks so that it is checked once.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace peregrine {

using Bytes = std::span<const uint8_t>;
using MutableBytes = std::span<uint8_t>;

// Network byte order. The caller has checked that the octets are there.
template <class Integer>
Integer load_network(const uint8_t* p) {
  Integer value;
  std::memcpy(&value, p, sizeof value);
  return std::byteswap(value);
}
inline uint16_t load_u16(const uint8_t* p) { return load_network<uint16_t>(p); }
inline uint32_t load_u32(const uint8_t* p) { return load_network<uint32_t>(p); }
inline uint64_t load_u64(const uint8_t* p) { return load_network<uint64_t>(p); }

template <class Integer>
void store_network(uint8_t* p, Integer value) {
  value = std::byteswap(value);
  std::memcpy(p, &value, sizeof value);
}
inline void store_u16(uint8_t* p, uint16_t v) { store_network(p, v); }
inline void store_u32(uint8_t* p, uint32_t v) { store_network(p, v); }
inline void store_u64(uint8_t* p, uint64_t v) { store_network(p, v); }
static_assert(std::endian::native == std::endian::little);

// memcpy for the few octets that names and records have: no call where two overlapping moves do.
inline void copy_few(uint8_t* to, const uint8_t* from, size_t n) {
  if (n > 32) return static_cast<void>(std::memcpy(to, from, n));
  const auto ends = [&]<size_t width>(std::integral_constant<size_t, width>) {
    using Lane = uint8_t __attribute__((vector_size(width)));
    Lane first, last;
    std::memcpy(&first, from, width);
    std::memcpy(&last, from + n - width, width);
    std::memcpy(to, &first, width);
    std::memcpy(to + n - width, &last, width);
  };
  if (n >= 16) return ends(std::integral_constant<size_t, 16>());
  if (n >= 8) return ends(std::integral_constant<size_t, 8>());
  if (n >= 4) return ends(std::integral_constant<size_t, 4>());
  for (size_t i = 0; i < n; ++i) to[i] = from[i];
}

// Reads forward over octets. Past the end every read gives zero and ok() stays false.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes, size_t offset = 0)
      : bytes_(bytes), at_(offset), ok_(offset <= bytes.size()) {}

  bool ok() const { return ok_; }
  size_t offset() const { return at_; }
  size_t remaining() const { return ok_ ? bytes_.size() - at_ : 0; }
  bool at_end() const { return remaining() == 0; }

  uint8_t u8() { return need(1) ? bytes_[advance(1)] : uint8_t{0}; }
  uint16_t u16() { return need(2) ? load_u16(&bytes_[advance(2)]) : uint16_t{0}; }
  uint32_t u32() { return need(4) ? load_u32(&bytes_[advance(4)]) : 0; }
  Bytes take(size_t n) { return need(n) ? bytes_.subspan(advance(n), n) : Bytes{}; }
  void fail() { ok_ = false; }

 private:
  bool need(size_t n) { return ok_ = ok_ && bytes_.size() - at_ >= n; }
  size_t advance(size_t n) {
    size_t before = at_;
    at_ += n;
    return before;
  }

  Bytes bytes_;
  size_t at_;
  bool ok_;
};

// Writes forward into a caller's buffer. Past the end nothing is written and ok() stays false.
class ByteWriter {
 public:
  explicit ByteWriter(MutableBytes buffer) : buffer_(buffer) {}

  bool ok() const { return ok_; }
  size_t size() const { return at_; }
  size_t room() const { return buffer_.size() - at_; }
  Bytes written() const { return buffer_.first(at_); }
  uint8_t* data() const { return buffer_.data(); }

  void u8(uint8_t v) {
    if (need(1)) buffer_[at_++] = v;
  }
  void u16(uint16_t v) {
    if (need(2)) store_u16(&buffer_[at_], v), at_ += 2;
  }
  void u32(uint32_t v) {
    if (need(4)) store_u32(&buffer_[at_], v), at_ += 4;
  }
  void put(Bytes b) {
    if (!need(b.size()) || b.empty()) return;
    std::memcpy(&buffer_[at_], b.data(), b.size());
    at_ += b.size();
  }
  // Goes back to an earlier size() and forgets an overflow that came after it.
  void roll_back(size_t to) {
    at_ = to;
    ok_ = true;
  }

 private:
  bool need(size_t n) { return ok_ = ok_ && room() >= n; }

  MutableBytes buffer_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace peregrine
