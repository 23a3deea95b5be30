// A client of a server under test, and the upstream that the server asks: blocking UDP sockets.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <string_view>

#include "io/udp.h"
#include "wire/message_writer.h"

namespace peregrine {

// On a free port of 127.0.0.1.
inline Fd udp_socket() {
  Fd fd(socket(AF_INET, SOCK_DGRAM, 0));
  const PeerAddress any_port(Endpoint{IpAddress::v4({127, 0, 0, 1}), 0});
  EXPECT_EQ(bind(fd.get(), &any_port.generic, any_port.size()), 0);
  return fd;
}

// Sends a question for the address of `qname` to a server, whose URL is what `status` says.
inline void ask_server(const Fd& client, const std::string& url, std::string_view qname) {
  const PeerAddress server(Endpoint::parse(url.substr(url.find("//") + 2), 0).value());
  std::array<uint8_t, 512> buffer;
  MessageWriter query(buffer);
  query.rd(true);
  query.question(*DnameBuf::from_text(qname), Type::a, Class::in);
  sendto(client.get(), query.message().data(), query.size(), 0, &server.generic, server.size());
}

}  // namespace peregrine
