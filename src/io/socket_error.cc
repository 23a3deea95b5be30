#include "io/socket_error.h"

#include <cerrno>

namespace peregrine {

Error classify_socket_error(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return Error::limit;
    case EAFNOSUPPORT:
    case EADDRNOTAVAIL:
    case EACCES:
    case EPERM:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ECONNREFUSED:
      return Error::unreachable;
    default:
      return Error::network;
  }
}

}  // namespace peregrine
