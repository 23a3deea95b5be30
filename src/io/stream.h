// Ordered octets between two ends: TCP now, TLS the same way later. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/buffer_pool.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/ip.h"
#include "base/result.h"
#include "io/task.h"

namespace peregrine {

class Stream {
 public:
  virtual ~Stream() = default;
  virtual Endpoint peer() const = 0;
  // At least one octet into `into`, which is not empty; 0 when the other end has closed. timeout, cancelled,
  // unreachable. One read and one write may wait at a time. Apart from cancel(), a wait ends from the loop or
  // its timers, never inside a call of another stream.
  virtual Task<Result<size_t>> read(MutableBytes into, Instant deadline) = 0;
  // All of `octets`, which stay valid until then. timeout, cancelled, unreachable
  virtual Task<Result<>> write(Bytes octets, Instant deadline) = 0;
  // What waits, now or later, ends with Error::cancelled, before this returns. The stream must not be
  // destroyed while something waits on it, but what was resumed may destroy it.
  virtual void cancel() = 0;
};

// DNS messages on a stream: two octets of length before each (RFC 1035 section 4.2.2).
// The next message; empty when the other end closed between messages. Memory is taken as octets arrive, not
// as they are announced. truncated when it closed inside one; bad_message for one of no octets
Task<Result<Buffer>> read_message(Stream& stream, Instant deadline);
// In one write. no_space for more than 65,535 octets
Task<Result<>> write_message(Stream& stream, Bytes message, Instant deadline);

}  // namespace peregrine
