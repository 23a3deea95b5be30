// The control socket as a file: <state_dir>/control.sock, usable by its owner and root only.
#pragma once

#include <sys/types.h>
#include <sys/un.h>

#include <expected>
#include <optional>
#include <string>

#include "io/fd.h"

namespace peregrine {

std::string control_socket_path(const std::string& state_dir);

// Nothing where the path is longer than an address may be (107 octets, unix(7)).
std::optional<sockaddr_un> unix_address(const std::string& path);

// A listening stream socket of mode 0600. The destructor removes the file, if it is still this socket's.
class ControlSocket {
 public:
  // Takes the place of a socket that no process listens on any more, of nothing else. The error is one line
  // for the operator.
  static std::expected<ControlSocket, std::string> open(const std::string& path);
  ControlSocket(ControlSocket&&) noexcept = default;
  ControlSocket& operator=(ControlSocket&&) = delete;
  ~ControlSocket();

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }

 private:
  ControlSocket(Fd fd, std::string path);

  Fd fd_;
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace peregrine
