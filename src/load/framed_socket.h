// DNS messages over a non-blocking TCP socket: each behind two octets with its size (RFC 7766 section 8),
// however the stream is cut. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "io/fd.h"

namespace peregrine {

// Finds the messages in the octets that were read.
class FrameReader {
 public:
  MutableBytes room();                            // where to read to; not empty when next() has none left
  void filled(size_t octets) { end_ += octets; }  // so many of room() were
  std::optional<Bytes> next();                    // a whole message, valid until room()

 private:
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0, end_ = 0;
};

class FramedSocket {
 public:
  enum class Io : uint8_t {
    done,
    blocked,  // until the socket is ready for it
    closed,   // by the other side, in order or not
  };

  explicit FramedSocket(Fd fd) : fd_(std::move(fd)) {}
  int fd() const { return fd_.get(); }
  bool has_output() const { return !out_.empty(); }  // what flush() has not sent yet

  // Room for a message of at most 65,535 octets, all zero, to be filled at once; flush() sends it.
  MutableBytes put(size_t size);
  Io flush();
  Io receive();  // reads once; then next()
  std::optional<Bytes> next() { return in_.next(); }

 private:
  Fd fd_;
  FrameReader in_;
  std::vector<uint8_t> out_;
  size_t flushed_ = 0;  // of out_
};

}  // namespace peregrine
