// TCP as a Stream, on a Loop. One thread.
#pragma once

#include <memory>

#include "io/fd.h"
#include "io/loop.h"
#include "io/stream.h"

namespace peregrine {

// `socket` is non-blocking and connected.
std::unique_ptr<Stream> make_tcp_stream(Loop& loop, Fd socket, const Endpoint& peer);

// timeout, unreachable, limit (no descriptors left), network
Task<Result<std::unique_ptr<Stream>>> connect_tcp(Loop& loop, Endpoint to, Instant deadline);

}  // namespace peregrine
