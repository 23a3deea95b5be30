// What the kernel lets this process do. Any thread.
#pragma once

#include <string_view>

namespace peregrine {

// Why an io_uring(7) as the UDP engine needs it cannot be had: a kernel older than 6.1, the sysctl
// kernel.io_uring_disabled, a seccomp filter. Empty where it can. Asks each time: the answer may be another
// one after a change of user.
std::string_view io_uring_refused();

}  // namespace peregrine
