#include "io/stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "io/memory_stream.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{1s};
constexpr Instant never = Instant::max();

std::vector<uint8_t> octets_of(std::string_view text) { return {text.begin(), text.end()}; }

Task<void> read_once(Stream& stream, MutableBytes into, Instant deadline,
                     std::optional<Result<size_t>>* out) {
  *out = co_await stream.read(into, deadline);
}
Task<void> write_all(Stream& stream, std::vector<uint8_t> octets, Instant deadline,
                     std::optional<Result<>>* out) {
  *out = co_await stream.write(octets, deadline);
}
Task<void> read_one_message(Stream& stream, Instant deadline, std::optional<Result<std::string>>* out) {
  const auto got = co_await read_message(stream, deadline);
  if (!got) {
    *out = std::unexpected(got.error());
    co_return;
  }
  *out = std::string(got->begin(), got->end());
}
Task<void> write_one_message(Stream& stream, std::vector<uint8_t> message, std::optional<Result<>>* out) {
  *out = co_await write_message(stream, message, never);
}

class StreamTest : public testing::Test {
 protected:
  void settle() {
    for (int i = 0; i < 200'000 && timers_.until_next(now_) == 0ns; ++i) timers_.advance(now_);
  }
  void advance(Duration by) {
    now_ += by;
    timers_.advance(now_);
    settle();
  }
  void write(Stream& stream, std::string_view text) {
    std::optional<Result<>> out;
    spawn(write_all(stream, octets_of(text), never, &out));
    ASSERT_TRUE(out && *out);
  }
  Instant now_ = start;
  Timers timers_{start};
  std::array<uint8_t, 64> buffer_{};
  std::optional<Result<size_t>> read_;
  std::optional<Result<std::string>> message_;
};

TEST_F(StreamTest, OctetsArriveAfterTheNextAdvance) {
  auto pipe = make_stream_pair(timers_);
  EXPECT_EQ(pipe.server->peer().to_string(), "192.0.2.1:40000");
  spawn(read_once(*pipe.server, buffer_, never, &read_));
  write(*pipe.client, "hello");
  EXPECT_FALSE(read_.has_value());
  settle();
  ASSERT_TRUE(read_.has_value());
  EXPECT_EQ(**read_, 5u);
}

TEST_F(StreamTest, AReadTimesOut) {
  auto pipe = make_stream_pair(timers_);
  spawn(read_once(*pipe.server, buffer_, start + 10ms, &read_));
  advance(9ms);
  EXPECT_FALSE(read_.has_value());
  advance(1ms);
  EXPECT_EQ(read_->error(), Error::timeout);
}

TEST_F(StreamTest, CancelEndsWhatWaitsNowAndLater) {
  auto pipe = make_stream_pair(timers_, {.capacity = 4});
  std::optional<Result<>> written, later;
  spawn(read_once(*pipe.client, buffer_, never, &read_));
  spawn(write_all(*pipe.client, octets_of("too much"), never, &written));
  EXPECT_FALSE(read_ || written);
  pipe.client->cancel();
  EXPECT_EQ(read_->error(), Error::cancelled);
  EXPECT_EQ(written->error(), Error::cancelled);
  spawn(write_all(*pipe.client, octets_of("x"), never, &later));
  EXPECT_EQ(later->error(), Error::cancelled);
}

TEST_F(StreamTest, AWriterWaitsForItsReader) {
  auto pipe = make_stream_pair(timers_, {.capacity = 4});
  std::optional<Result<>> written;
  spawn(write_all(*pipe.client, octets_of("0123456"), never, &written));
  settle();
  EXPECT_FALSE(written.has_value());
  spawn(read_once(*pipe.server, buffer_, never, &read_));
  EXPECT_EQ(**read_, 4u);
  EXPECT_FALSE(written.has_value());
  settle();
  EXPECT_TRUE(written.has_value() && written->has_value());
  spawn(read_once(*pipe.server, buffer_, never, &read_));
  EXPECT_EQ(**read_, 3u);
}

TEST_F(StreamTest, AClosedEndIsReadToItsLastOctet) {
  auto pipe = make_stream_pair(timers_);
  write(*pipe.client, "bye");
  pipe.client.reset();
  spawn(read_once(*pipe.server, buffer_, never, &read_));
  EXPECT_EQ(**read_, 3u);
  spawn(read_once(*pipe.server, buffer_, never, &read_));
  EXPECT_EQ(**read_, 0u);
  std::optional<Result<>> written;
  spawn(write_all(*pipe.server, octets_of("x"), never, &written));
  EXPECT_EQ(written->error(), Error::unreachable);
}

TEST_F(StreamTest, MessagesSurviveOneOctetReads) {
  auto pipe = make_stream_pair(timers_, {.capacity = 3, .largest_read = 1});
  std::optional<Result<>> written;
  spawn(write_one_message(*pipe.client, octets_of("message"), &written));
  spawn(read_one_message(*pipe.server, never, &message_));
  settle();
  ASSERT_TRUE(message_ && written);
  EXPECT_TRUE(written->has_value());
  EXPECT_EQ(**message_, "message");
}

TEST_F(StreamTest, AMessageOfTheLargestSizePasses) {
  auto pipe = make_stream_pair(timers_);
  std::optional<Result<>> written, too_long;
  spawn(write_one_message(*pipe.client, std::vector<uint8_t>(65535, 'x'), &written));
  spawn(read_one_message(*pipe.server, never, &message_));
  settle();
  ASSERT_TRUE(message_.has_value());
  EXPECT_EQ((*message_)->size(), 65535u);
  spawn(write_one_message(*pipe.client, std::vector<uint8_t>(65536), &too_long));
  EXPECT_EQ(too_long->error(), Error::no_space);
}

struct Broken {
  std::string_view octets;
  std::optional<Error> error;  // none: an empty result
};

TEST_F(StreamTest, SaysWhatIsWrongWithAMessage) {
  using namespace std::string_view_literals;
  for (const Broken& broken :
       {Broken{""sv, {}}, Broken{"\0"sv, Error::truncated}, Broken{"\0\5abcd"sv, Error::truncated},
        Broken{"\0\5"sv, Error::truncated}, Broken{"\0\0"sv, Error::bad_message}}) {
    auto pipe = make_stream_pair(timers_);
    write(*pipe.client, broken.octets);
    pipe.client.reset();
    message_.reset();
    spawn(read_one_message(*pipe.server, never, &message_));
    settle();
    ASSERT_TRUE(message_.has_value());
    EXPECT_EQ(message_->has_value(), !broken.error.has_value());
    if (broken.error) EXPECT_EQ(message_->error(), *broken.error);
    if (!broken.error) EXPECT_EQ(**message_, "");
  }
}

// Gives octets from a list, and notes for how many there was room.
class MeteredStream final : public Stream {
 public:
  explicit MeteredStream(std::vector<uint8_t> octets) : octets_(std::move(octets)) {}
  Endpoint peer() const override { return {}; }
  Task<Result<size_t>> read(MutableBytes into, Instant) override {
    rooms.push_back(into.size());
    const size_t size = std::min(into.size(), octets_.size() - at_);
    std::ranges::copy(Bytes(octets_).subspan(at_, size), into.begin());
    at_ += size;
    co_return size;
  }
  Task<Result<>> write(Bytes, Instant) override { co_return Result<>{}; }
  void cancel() override {}
  std::vector<size_t> rooms;

 private:
  std::vector<uint8_t> octets_;
  size_t at_ = 0;
};

TEST_F(StreamTest, RoomForAMessageGrowsAsItsOctetsArrive) {
  std::vector<uint8_t> octets(2 + 65535, 'x');
  octets[0] = octets[1] = 0xff;
  MeteredStream all(octets);
  spawn(read_one_message(all, never, &message_));
  ASSERT_TRUE(message_ && *message_);
  EXPECT_EQ(**message_, std::string(65535, 'x'));
  for (size_t i = 1, arrived = 0; i < all.rooms.size(); arrived += all.rooms[i++])
    EXPECT_LE(all.rooms[i], std::max<size_t>(arrived, 2048));

  octets.resize(2 + 100);
  MeteredStream few(octets);
  message_.reset();
  spawn(read_one_message(few, never, &message_));
  ASSERT_TRUE(message_.has_value());
  EXPECT_EQ(message_->error(), Error::truncated);
  EXPECT_LE(std::ranges::max(few.rooms), 2048u);
}

TEST_F(StreamTest, TheDeadlineCountsForTheWholeMessage) {
  auto pipe = make_stream_pair(timers_);
  spawn(read_one_message(*pipe.server, start + 10ms, &message_));
  for (const char* octet : {"\x01", "x", "x"}) {
    write(*pipe.client, octet);
    advance(4ms);
  }
  ASSERT_TRUE(message_.has_value());
  EXPECT_EQ(message_->error(), Error::timeout);
}

}  // namespace
}  // namespace peregrine
