#include "load/framed_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>

namespace peregrine {
namespace {

std::string frame(const std::string& message) {
  return std::string{static_cast<char>(message.size() >> 8), static_cast<char>(message.size())} + message;
}

std::string text(Bytes message) { return {message.begin(), message.end()}; }

// The messages that end within `octets`.
std::vector<std::string> feed(FrameReader& reader, std::string_view octets) {
  std::vector<std::string> found;
  while (!octets.empty()) {
    const MutableBytes room = reader.room();
    const size_t taken = std::min(room.size(), octets.size());
    if (taken == 0) throw std::logic_error("no room");
    std::memcpy(room.data(), octets.data(), taken);
    reader.filled(taken);
    octets.remove_prefix(taken);
    while (const auto message = reader.next()) found.push_back(text(*message));
  }
  return found;
}

TEST(FrameReader, FindsMessagesWhereverTheStreamIsCut) {
  const std::vector<std::string> wanted{"first", "", "the third"};
  const std::string stream = frame(wanted[0]) + frame(wanted[1]) + frame(wanted[2]);
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    FrameReader reader;
    std::vector<std::string> found = feed(reader, stream.substr(0, cut));
    std::ranges::copy(feed(reader, stream.substr(cut)), std::back_inserter(found));
    EXPECT_EQ(found, wanted) << "cut at " << cut;
  }
}

TEST(FrameReader, FindsMessagesThatComeOctetByOctet) {
  FrameReader reader;
  std::vector<std::string> found;
  for (char octet : frame("one") + frame("two")) {
    std::ranges::copy(feed(reader, std::string(1, octet)), std::back_inserter(found));
  }
  EXPECT_EQ(found, (std::vector<std::string>{"one", "two"}));
}

TEST(FrameReader, TakesTheLargestMessage) {
  FrameReader reader;
  const std::string largest(65'535, 'x');
  EXPECT_EQ(feed(reader, frame("small") + frame(largest)), (std::vector<std::string>{"small", largest}));
  EXPECT_EQ(feed(reader, frame(largest)), std::vector<std::string>{largest});
}

std::pair<FramedSocket, Fd> pair() {
  std::array<int, 2> ends;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) != 0)
    throw std::runtime_error("socketpair");
  return {FramedSocket(Fd(ends[0])), Fd(ends[1])};
}

TEST(FramedSocket, SendsWhatItWasGiven) {
  auto [socket, other] = pair();
  for (std::string_view message : {"one", "three"})
    std::ranges::copy(message, socket.put(message.size()).begin());
  EXPECT_TRUE(socket.has_output());
  EXPECT_EQ(socket.flush(), FramedSocket::Io::done);
  EXPECT_FALSE(socket.has_output());
  std::array<char, 64> read;
  const ssize_t got = recv(other.get(), read.data(), read.size(), 0);
  EXPECT_EQ(std::string(read.data(), static_cast<size_t>(got)), frame("one") + frame("three"));
}

TEST(FramedSocket, GoesOnWhereItWasBlocked) {
  auto [socket, other] = pair();
  constexpr size_t count = 100, size = 60'000;  // more than any socket buffer takes at once
  for (size_t i = 0; i < count; ++i) std::ranges::fill(socket.put(size), static_cast<uint8_t>(i));
  EXPECT_EQ(socket.flush(), FramedSocket::Io::blocked);
  FramedSocket reader(std::move(other));
  size_t found = 0;
  while (found < count) {
    if (socket.has_output()) ASSERT_NE(socket.flush(), FramedSocket::Io::closed);
    ASSERT_NE(reader.receive(), FramedSocket::Io::closed);
    while (const auto message = reader.next()) {
      ASSERT_EQ(message->size(), size);
      ASSERT_EQ(message->front(), static_cast<uint8_t>(found));
      ASSERT_EQ(message->back(), static_cast<uint8_t>(found));
      ++found;
    }
  }
  EXPECT_FALSE(socket.has_output());
}

TEST(FramedSocket, SeesTheOtherSideClose) {
  auto [socket, other] = pair();
  EXPECT_EQ(socket.receive(), FramedSocket::Io::blocked);
  other.close();
  EXPECT_EQ(socket.receive(), FramedSocket::Io::closed);
  socket.put(10);
  EXPECT_EQ(socket.flush(), FramedSocket::Io::closed);
}

}  // namespace
}  // namespace peregrine
