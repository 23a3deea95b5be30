// Both sides of a session for tests: a handler that notes messages and a client that collects replies.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/sessions.h"
#include "io/stream.h"

namespace peregrine {

inline Bytes octets_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Notes every message; answers at once if told so.
struct RecordingHandler final : SessionHandler {
  struct Got {
    SessionId session;
    Endpoint peer;
    std::string text;
  };
  void on_message(SessionId session, const Endpoint& peer, MutableBytes buffer, size_t size) override {
    EXPECT_EQ(buffer.size(), 65535u);
    got.push_back(
        {session, peer, std::string(buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(size))});
    std::ranges::fill(buffer, uint8_t{0xee});
    if (on_each) on_each(got.back());
  }
  bool is_client(const Endpoint& peer) const override { return !is_stranger || !is_stranger(peer); }
  std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (const Got& g : got) out.push_back(g.text);
    return out;
  }
  std::vector<Got> got;
  std::function<void(const Got&)> on_each;
  std::function<bool(const Endpoint&)> is_stranger;  // nobody if empty
};

// The client's end of a session.
struct Client {
  std::unique_ptr<Stream> stream;
  std::vector<std::string> replies;
  bool closed = false;
};

inline Task<void> collect(Stream& stream, Client* client) {
  for (;;) {
    const auto message = co_await read_message(stream, Instant::max());
    if (!message || message->empty()) break;
    client->replies.emplace_back(message->begin(), message->end());
  }
  client->closed = true;
}

}  // namespace peregrine
