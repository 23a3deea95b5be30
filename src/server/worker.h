// Worker: one core's share of the server: engines, sessions and the service between them. One thread.
// It is given its sockets and its world; it opens nothing and knows no loop.
#pragma once

#include <memory>
#include <vector>

#include "io/sessions.h"
#include "io/udp.h"
#include "server/service.h"

namespace peregrine {

template <UdpEngine E, Store S>
class Worker {
 public:
  Worker(World world, S& store, Snapshot snapshot, ExchangeOptions exchange)
      : service_(world, store, std::move(snapshot), exchange), streams_(service_, world) {}

  // What still waits for a resolution is answered with SERVFAIL.
  ~Worker() {
    service_.cancel();
    flush();
  }

  // A listening socket's engine. The returned index names it for serve().
  size_t add(E engine) {
    engines_.push_back(std::make_unique<Datagrams>(std::move(engine)));
    return engines_.size() - 1;
  }
  E& engine(size_t index) { return engines_[index]->engine; }

  // Answers one batch of engine `index`; the datagrams that were in it. A full batch means that more may
  // wait.
  size_t serve(size_t index) {
    Datagrams& side = *engines_[index];
    const std::span<Datagram> batch = side.engine.receive();
    if (service_.has_hit_path()) {
      for (size_t at = 0; at < batch.size(); at += hit_window) {
        serve_window(side, batch.subspan(at, std::min(hit_window, batch.size() - at)));
      }
      service_.hits().settle();
    } else {
      for (Datagram& datagram : batch) answer(side, datagram);
    }
    side.engine.flush();
    service_.quiet();
    return batch.size();
  }

  // Sends what was answered late, since the last call: once a round of the loop.
  void flush() {
    for (auto& side : engines_) {
      if (std::exchange(side->late, false)) side->engine.flush();
    }
    service_.quiet();
    service_.tell_time();
  }

  Service<S>& service() { return service_; }
  Sessions& sessions() { return streams_.sessions; }

  void adopt(Snapshot snapshot) {
    service_.adopt(std::move(snapshot));
    streams_.sessions.limits(service_.snapshot().settings->sessions);
  }

 private:
  struct Datagrams final : ReplySink {
    explicit Datagrams(E e) : engine(std::move(e)) {}
    void send(const ReplyAddress& to, Bytes message, bool) override {
      Datagram& datagram = engine.compose(to.peer, to.local);
      if (message.size() > datagram.capacity)
        return;  // limit <= slot size: render() never makes one so large
      std::memcpy(datagram.data, message.data(), message.size());
      datagram.size = static_cast<uint32_t>(message.size());
      late = true;
    }
    void abandon(const ReplyAddress&) override {}
    E engine;
    bool late = false;
  };

  // Clients on streams.
  struct Streams final : ReplySink, SessionHandler {
    Streams(Service<S>& s, World& world)
        : service(s),
          slot(65'535),
          sessions(world.clock, world.timers, s.snapshot().settings->sessions, *this, world.counters) {}

    void on_message(SessionId session, const Endpoint& peer, MutableBytes buffer, size_t size) override {
      std::memcpy(slot.data(), buffer.data(), size);  // the reply may be longer than the session's buffer
      const Client client{peer.address.octets(), Transport::tcp, *this, nullptr, session};
      const size_t reply = service.handle(slot, size, client);
      if (reply != 0) sessions.send(session, Bytes(slot).first(reply));
      service.quiet();
    }
    bool is_client(const Endpoint& peer) const override {
      return service.snapshot().settings->access.allows(peer.address.octets());
    }
    void send(const ReplyAddress& to, Bytes message, bool more) override {
      sessions.send(to.session, message, !more);
    }
    void abandon(const ReplyAddress& to) override { sessions.drop_one(to.session); }

    Service<S>& service;
    std::vector<uint8_t> slot;
    Sessions sessions;
  };

  void serve_window(Datagrams& side, std::span<Datagram> window) {
    HitPath<S>& hits = service_.hits();
    hits.stage(window);
    for (size_t i = 0; i < window.size(); ++i) {
      const size_t reply = hits.answer(i, window[i].slot());
      if (reply != 0) {
        side.engine.reply(window[i], reply);
      } else {
        answer(side, window[i]);
      }
    }
  }

  void answer(Datagrams& side, Datagram& datagram) {
    const Client client{datagram.peer.address_octets(), Transport::udp, side, &datagram};
    const size_t reply = service_.handle(datagram.slot(), datagram.size, client);
    if (reply != 0) side.engine.reply(datagram, reply);
  }

  static constexpr size_t hit_window = HitPath<S>::window;

  Service<S> service_;
  Streams streams_;
  std::vector<std::unique_ptr<Datagrams>> engines_;
};

}  // namespace peregrine
