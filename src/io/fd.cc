#include "io/fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace peregrine {

void Fd::close() {
  // Not retried: on Linux the descriptor is gone whatever close() returns, and its number may be another's by
  // then.
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Fd Fd::duplicate() const {
  const int copy = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) throw std::system_error(errno, std::generic_category(), "cannot duplicate a descriptor");
  return Fd(copy);
}

}  // namespace peregrine
