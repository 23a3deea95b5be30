#include "load/framed_socket.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace peregrine {
namespace {

constexpr size_t size_octets = 2;
constexpr size_t usual_buffer = 4096;
constexpr size_t largest_frame = size_octets + 0xffff;

bool is_for_later(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

MutableBytes FrameReader::room() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (end_ == buffer_.size()) buffer_.resize(buffer_.empty() ? usual_buffer : largest_frame);
  return MutableBytes(buffer_).subspan(end_);
}

std::optional<Bytes> FrameReader::next() {
  const Bytes unread = Bytes(buffer_).subspan(begin_, end_ - begin_);
  if (unread.size() < size_octets) return std::nullopt;
  const size_t size = load_u16(unread.data());
  if (unread.size() - size_octets < size) return std::nullopt;
  begin_ += size_octets + size;
  return unread.subspan(size_octets, size);
}

MutableBytes FramedSocket::put(size_t size) {
  const size_t at = out_.size();
  out_.resize(at + size_octets + size);
  store_u16(&out_[at], static_cast<uint16_t>(size));
  return MutableBytes(out_).subspan(at + size_octets);
}

FramedSocket::Io FramedSocket::flush() {
  while (flushed_ < out_.size()) {
    const Bytes rest = Bytes(out_).subspan(flushed_);
    const ssize_t sent = send(fd_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return is_for_later(errno) ? Io::blocked : Io::closed;
    flushed_ += static_cast<size_t>(sent);
  }
  out_.clear();
  flushed_ = 0;
  return Io::done;
}

FramedSocket::Io FramedSocket::receive() {
  const MutableBytes room = in_.room();
  const ssize_t got = recv(fd_.get(), room.data(), room.size(), MSG_DONTWAIT);
  if (got < 0) return is_for_later(errno) ? Io::blocked : Io::closed;
  in_.filled(static_cast<size_t>(got));
  return got == 0 ? Io::closed : Io::done;
}

}  // namespace peregrine
