#include "base/kernel.h"

#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace peregrine {

std::string_view io_uring_refused() {
  io_uring_params params{};
  params.flags =
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;  // the latter is the youngest we use
  const long fd = syscall(SYS_io_uring_setup, 4, &params);
  if (fd >= 0) {
    close(static_cast<int>(fd));
    return "";
  }
  switch (errno) {
    case ENOSYS:
      return "the kernel has no io_uring";
    case EINVAL:
      return "the kernel is older than Linux 6.1";
    case EPERM:
    case EACCES:
      return "the kernel forbids it (the sysctl kernel.io_uring_disabled, or a seccomp filter)";
    case ENOMEM:
      return "the kernel gives no memory for it (LimitMEMLOCK)";
    default:
      return "the kernel gives no io_uring";
  }
}

}  // namespace peregrine
