#include "io/stream.h"

#include <algorithm>
#include <vector>

namespace peregrine {
namespace {

constexpr size_t largest_message = 65535;

// Fills `into`, or as much of it as comes before the other end closes.
Task<Result<size_t>> read_all(Stream& stream, MutableBytes into, Instant deadline) {
  size_t got = 0;
  while (got < into.size()) {
    auto read = co_await stream.read(into.subspan(got), deadline);
    if (!read) co_return std::unexpected(read.error());
    if (*read == 0) break;
    got += *read;
  }
  co_return got;
}

}  // namespace

Task<Result<Bytes>> read_message(Stream& stream, MutableBytes buffer, Instant deadline) {
  std::array<uint8_t, 2> prefix;
  const auto header = co_await read_all(stream, prefix, deadline);
  if (!header) co_return std::unexpected(header.error());
  if (*header == 0) co_return Bytes{};
  if (*header < prefix.size()) co_return std::unexpected(Error::truncated);
  const size_t size = load_u16(prefix.data());
  if (size == 0) co_return std::unexpected(Error::bad_message);
  if (size > buffer.size()) co_return std::unexpected(Error::no_space);
  const auto body = co_await read_all(stream, buffer.first(size), deadline);
  if (!body) co_return std::unexpected(body.error());
  if (*body < size) co_return std::unexpected(Error::truncated);
  co_return buffer.first(size);
}

Task<Result<>> write_message(Stream& stream, Bytes message, Instant deadline) {
  if (message.size() > largest_message) co_return std::unexpected(Error::no_space);
  std::vector<uint8_t> framed(2 + message.size());
  store_u16(framed.data(), static_cast<uint16_t>(message.size()));
  std::ranges::copy(message, framed.begin() + 2);
  const auto written = co_await stream.write(framed, deadline);
  co_return written;
}

}  // namespace peregrine
