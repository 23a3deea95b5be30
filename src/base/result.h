// Errors are values: every function that can fail on the data path returns a Result.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace peregrine {

// What went wrong, without detail: made from network data, so it must cost nothing to make.
enum class Error : uint8_t {
  truncated,      // the input ends before the thing that it promises
  trailing,       // octets are left where nothing may follow
  bad_label,      // label type 01 or 10 (RFC 1035 section 4.1.4), or an impossible length
  name_too_long,  // over 255 octets (RFC 1035 section 2.3.4)
  bad_pointer,    // a compression pointer that does not point strictly backward
  bad_rdata,      // RDATA that its type does not allow
  bad_text,       // presentation form that cannot be read
  bad_message,    // a header or section that breaks the message format
  no_space,       // the caller's buffer is too small
  not_found,      // nothing there
  timeout,        // no answer in time
  cancelled,      // the work was given up (shutdown, client gone)
  unreachable,    // no route, connection refused, reset
  limit,          // a cap was reached
  network,        // the kernel refused an operation on a socket
};

std::string_view to_string(Error error);

template <class T = void>
using Result = std::expected<T, Error>;

}  // namespace peregrine
