// Servers on threads and free ports, for the tests of the generator.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "io/listen.h"
#include "load/generator.h"
#include "load/responders.h"

namespace peregrine {

constexpr auto patient = std::chrono::seconds(30);  // a busy machine loses nothing by its slowness

inline Endpoint free_loopback_port() { return Endpoint::parse("127.0.0.1:0", 0).value(); }
inline Fd udp_socket() { return open_udp_listener(free_loopback_port(), {.reuse_port = false}); }
inline Fd tcp_socket() { return open_tcp_listener(free_loopback_port(), {.reuse_port = false}); }

// A responder, while it lives.
class Running {
 public:
  template <class Run>
  explicit Running(Run run, Fd socket = udp_socket()) {
    at = local_endpoint(socket.get());
    thread_ = std::thread(
        [this, run, s = std::move(socket)]() mutable { run(std::move(s), ResponderOptions{}, stop_); });
  }
  ~Running() {
    stop_ = true;
    thread_.join();
  }
  Endpoint at;

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

inline LoadOptions once(const Endpoint& server) {
  return {.server = server,
          .duration = patient,
          .window = 64,
          .sockets = 4,
          .timeout = patient,
          .draw = {.order = Order::once}};
}

inline std::unique_ptr<LoadResult> load(const LoadOptions& options, const Queries& queries,
                                        const Expectation& expectation) {
  auto result = std::make_unique<LoadResult>();
  run_load(options, queries, expectation, *result);
  return result;
}

}  // namespace peregrine
