#include "admin/control_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace peregrine {
namespace {

std::unexpected<std::string> failed(const std::string& path, const std::string& why) {
  return std::unexpected("cannot open the control socket " + path + ": " + why);
}

bool is_socket(const std::string& path) {
  struct stat status{};
  return lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

bool somebody_listens(const sockaddr_un& address) {
  const Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
  return errno != ECONNREFUSED && errno != ENOENT;  // EAGAIN: its queue is full, so it is there
}

// 0 or errno.
int bind_to(const Fd& fd, const sockaddr_un& address) {
  return bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

}  // namespace

std::string control_socket_path(const std::string& state_dir) { return state_dir + "/control.sock"; }

std::optional<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  path.copy(address.sun_path, path.size());
  return address;
}

std::expected<ControlSocket, std::string> ControlSocket::open(const std::string& path) {
  const auto address = unix_address(path);
  if (!address) return failed(path, "the path is over 107 octets; set a shorter server.state_dir");

  // Of two servers that start at once, one must not take the other's new socket for a dead one's.
  const std::string directory = path.substr(0, path.rfind('/') + 1);
  const Fd lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock || flock(lock.get(), LOCK_EX) != 0) return failed(path, std::strerror(errno));

  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // The file takes its mode from the socket (unix(7) leaves it to the umask), so it is never open to others.
  if (!fd || fchmod(fd.get(), 0600) != 0) return failed(path, std::strerror(errno));
  int error = bind_to(fd, *address);
  if (error == EADDRINUSE && is_socket(path)) {
    if (somebody_listens(*address)) {
      return failed(path, "another running server has it; give each its own server.state_dir");
    }
    unlink(path.c_str());
    error = bind_to(fd, *address);
  }
  if (error == EADDRINUSE) return failed(path, "there is a file that is no socket; move it away");
  if (error != 0 || listen(fd.get(), SOMAXCONN) != 0) {
    return failed(path, std::strerror(error != 0 ? error : errno));
  }
  return ControlSocket(std::move(fd), path);
}

ControlSocket::ControlSocket(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {
  struct stat status{};
  if (lstat(path_.c_str(), &status) != 0) return;
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

ControlSocket::~ControlSocket() {
  struct stat status{};
  if (!fd_ || lstat(path_.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == inode_) unlink(path_.c_str());
}

}  // namespace peregrine
