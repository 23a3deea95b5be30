#include "io/stream.h"

#include <algorithm>
#include <utility>

#include "base/buffer_pool.h"

namespace peregrine {
namespace {

constexpr size_t largest_message = 65535;
constexpr size_t first_room = 2048;  // for a message of which nothing but its length has arrived

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

Task<Result<Buffer>> read_message(Stream& stream, Instant deadline) {
  std::array<uint8_t, 2> prefix;
  const auto header = co_await read_all(stream, prefix, deadline);
  if (!header) co_return std::unexpected(header.error());
  if (*header == 0) co_return Buffer{};
  if (*header < prefix.size()) co_return std::unexpected(Error::truncated);
  const size_t size = load_u16(prefix.data());
  if (size == 0) co_return std::unexpected(Error::bad_message);
  Buffer message;
  while (message.size() < size) {
    const size_t have = message.size();
    message.resize(std::min(size, std::max(first_room, 2 * have)));
    const MutableBytes room = MutableBytes(message).subspan(have);
    const auto body = co_await read_all(stream, room, deadline);
    if (!body) co_return std::unexpected(body.error());
    if (*body < room.size()) co_return std::unexpected(Error::truncated);
  }
  co_return std::move(message);
}

Task<Result<>> write_message(Stream& stream, Bytes message, Instant deadline) {
  if (message.size() > largest_message) co_return std::unexpected(Error::no_space);
  Buffer framed(2 + message.size());
  store_u16(framed.data(), static_cast<uint16_t>(message.size()));
  std::ranges::copy(message, framed.begin() + 2);
  const auto written = co_await stream.write(framed, deadline);
  co_return written;
}

}  // namespace peregrine
