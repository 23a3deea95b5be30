// Two connected Streams without a kernel, for tests and simulation: deterministic, driven by Timers alone.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "io/stream.h"
#include "io/timers.h"

namespace peregrine {

struct MemoryPipeOptions {
  Endpoint client{IpAddress::v4({192, 0, 2, 1}), 40000};
  Endpoint server{IpAddress::v4({192, 0, 2, 53}), 53};
  size_t capacity = 65536;      // octets that one direction holds before its writer waits; at least 1
  size_t largest_read = 65536;  // 1: whoever reads gets one octet at a time
};

namespace detail {

// One direction of a pipe. A wake function is empty once its end is gone.
struct PipeLane {
  std::deque<uint8_t> octets;
  bool writer_gone = false;
  bool reader_gone = false;
  std::function<void()> wake_reader, wake_writer;
};

class MemoryStream final : public Stream {
 public:
  MemoryStream(Timers& timers, const MemoryPipeOptions& options, const Endpoint& peer,
               std::shared_ptr<PipeLane> in, std::shared_ptr<PipeLane> out)
      : options_(options),
        peer_(peer),
        in_(std::move(in)),
        out_(std::move(out)),
        reader_(timers),
        writer_(timers) {
    in_->wake_reader = [this] { reader_.wake(); };
    out_->wake_writer = [this] { writer_.wake(); };
  }
  ~MemoryStream() override {
    in_->wake_reader = nullptr;
    out_->wake_writer = nullptr;
    in_->reader_gone = true;
    out_->writer_gone = true;
    if (in_->wake_writer) in_->wake_writer();
    if (out_->wake_reader) out_->wake_reader();
  }

  Endpoint peer() const override { return peer_; }

  Task<Result<size_t>> read(MutableBytes into, Instant deadline) override {
    for (;;) {
      if (cancelled_) co_return std::unexpected(Error::cancelled);
      if (!in_->octets.empty()) co_return take(into);
      if (in_->writer_gone) co_return size_t{0};
      const auto waited = co_await reader_.begin(deadline);
      if (!waited) co_return std::unexpected(waited.error());
    }
  }

  Task<Result<>> write(Bytes octets, Instant deadline) override {
    while (!octets.empty()) {
      if (cancelled_) co_return std::unexpected(Error::cancelled);
      if (out_->reader_gone) co_return std::unexpected(Error::unreachable);
      if (out_->octets.size() < options_.capacity) {
        octets = octets.subspan(put(octets));
        continue;
      }
      const auto waited = co_await writer_.begin(deadline);
      if (!waited) co_return std::unexpected(waited.error());
    }
    co_return Result<>{};
  }

  void cancel() override {
    cancelled_ = true;
    const bool writes = writer_.waiting();
    // A stream on which something still waits is not destroyed by what the other wait resumes, unless that
    // cancels again.
    const std::weak_ptr<int> alive = alive_;
    reader_.end(std::unexpected(Error::cancelled));
    if (!alive.expired() && writes) writer_.end(std::unexpected(Error::cancelled));
  }

 private:
  // Woken by a timer and not within the other end's call, as a real stream is woken by its loop.
  class Wait {
   public:
    explicit Wait(Timers& timers) : timers_(timers), timer_([this] { end(outcome_); }) {}
    bool waiting() const { return waiting_; }
    Promise<Result<>>& begin(Instant deadline) {
      done_.reset();
      waiting_ = true;
      outcome_ = std::unexpected(Error::timeout);
      if (deadline != Instant::max()) timers_.arm(timer_, deadline);
      return done_;
    }
    void wake() {
      if (!waiting_) return;
      outcome_ = {};
      timers_.arm(timer_, Instant::min());
    }
    void end(Result<> outcome) {
      if (!std::exchange(waiting_, false)) return;
      timers_.disarm(timer_);
      done_.deliver(outcome);
    }

   private:
    Timers& timers_;
    Timer timer_;
    Promise<Result<>> done_;
    Result<> outcome_;
    bool waiting_ = false;
  };

  size_t take(MutableBytes into) {
    const size_t n = std::min({into.size(), in_->octets.size(), options_.largest_read});
    const auto end = in_->octets.begin() + static_cast<ptrdiff_t>(n);
    std::copy(in_->octets.begin(), end, into.begin());
    in_->octets.erase(in_->octets.begin(), end);
    if (in_->wake_writer) in_->wake_writer();
    return n;
  }

  size_t put(Bytes octets) {
    const size_t n = std::min(octets.size(), options_.capacity - out_->octets.size());
    out_->octets.insert(out_->octets.end(), octets.begin(), octets.begin() + static_cast<ptrdiff_t>(n));
    if (out_->wake_reader) out_->wake_reader();
    return n;
  }

  MemoryPipeOptions options_;
  Endpoint peer_;
  std::shared_ptr<PipeLane> in_, out_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  Wait reader_, writer_;
  bool cancelled_ = false;
};

}  // namespace detail

struct MemoryPipe {
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> server;
};

// What one end writes the other reads after the next Timers::advance. Destroying an end closes it: the other
// reads what is left and then 0. `timers` outlives both.
inline MemoryPipe make_stream_pair(Timers& timers, const MemoryPipeOptions& options = {}) {
  auto up = std::make_shared<detail::PipeLane>();
  auto down = std::make_shared<detail::PipeLane>();
  return {std::make_unique<detail::MemoryStream>(timers, options, options.server, down, up),
          std::make_unique<detail::MemoryStream>(timers, options, options.client, up, down)};
}

}  // namespace peregrine
