#include "resolve/fake_network.h"

#include <algorithm>

#include "io/memory_stream.h"

namespace peregrine {
namespace {

constexpr uint16_t tcp_client_port = 40000;

// Writes whole and in the order of the calls, as long as a message fits into the pipe.
Task<void> write_and_forget(std::shared_ptr<Stream> stream, std::vector<uint8_t> message) {
  auto written = co_await write_message(*stream, message, Instant::max());
  static_cast<void>(written);
}

}  // namespace

class FakeNetwork::Port final : public UdpPort {
 public:
  Port(FakeNetwork& network, PortKey key, DatagramHandler& handler)
      : network_(network), key_(key), handler_(handler) {
    network_.ports_[key_] = this;
  }
  ~Port() override { network_.ports_.erase(key_); }
  uint16_t number() const override { return key_.second; }
  Result<> send(const Endpoint& to, Bytes octets) override {
    return network_.send(key_.first, key_.second, to, octets);
  }
  void receive(const Endpoint& from, Bytes octets) { handler_.on_datagram(*this, from, octets); }

 private:
  FakeNetwork& network_;
  PortKey key_;
  DatagramHandler& handler_;
};

// The server's end of a connection.
struct FakeNetwork::Session {
  Endpoint server;
  std::shared_ptr<Stream> stream;
};

FakeNetwork::FakeNetwork(VirtualClock& clock, Timers& timers, uint64_t seed)
    : clock_(clock), timers_(timers), random_(Random::from_seed(seed)) {}

FakeNetwork::~FakeNetwork() {
  while (!connecting_.empty()) (*connecting_.begin())->deliver(std::unexpected(Error::cancelled));
  for (const auto& weak : sessions_)
    if (auto session = weak.lock(); session && session->stream) session->stream->cancel();
}

Result<std::unique_ptr<UdpPort>> FakeNetwork::open_udp(Family family, uint16_t number,
                                                       DatagramHandler& handler) {
  if (family == Family::v6 && !has_v6) return std::unexpected(Error::unreachable);
  if (ports_.size() >= most_ports) return std::unexpected(Error::limit);
  PortKey key{family, number};
  if (taken.contains(number) || ports_.contains(key)) return std::unexpected(Error::network);
  ++ports_opened_;
  return std::make_unique<Port>(*this, key, handler);
}

Endpoint FakeNetwork::client(Family family, uint16_t port) {
  return {family == Family::v4 ? IpAddress::v4({10, 0, 0, 1}) : IpAddress::v6({0xfd, 0, 0, 1}), port};
}

Result<> FakeNetwork::send(Family family, uint16_t from_port, const Endpoint& to, Bytes octets) {
  auto host = hosts_.find(to);
  if (host != hosts_.end() && !host->second.reachable) return std::unexpected(Error::unreachable);
  FakeQuery query{
      .server = to, .client = client(family, from_port), .message = {octets.begin(), octets.end()}};
  for (unsigned copy = copies(); copy > 0; --copy)
    at(clock_.now() + on_the_way({}), [this, query] { arrive(query); });
  return {};
}

void FakeNetwork::arrive(FakeQuery query) {
  auto host = hosts_.find(query.server);
  if (host == hosts_.end()) return;
  query.at = clock_.now();
  queries_.push_back(query);
  if (!host->second.server) return;
  for (FakeReply& reply : host->second.server(query))
    inject(query.client.address.family(), reply.to_port.value_or(query.client.port), reply,
           reply.from.value_or(query.server));
}

void FakeNetwork::inject(Family family, uint16_t to_port, const FakeReply& datagram, const Endpoint& from) {
  for (unsigned copy = copies(); copy > 0; --copy)
    at(clock_.now() + on_the_way(datagram.delay),
       [this, key = PortKey{family, to_port}, from, octets = datagram.message] {
         deliver(key, from, octets);
       });
}

void FakeNetwork::deliver(PortKey to, const Endpoint& from, const std::vector<uint8_t>& octets) {
  auto port = ports_.find(to);
  if (port != ports_.end()) port->second->receive(from, octets);
}

Duration FakeNetwork::on_the_way(Duration delay) {
  if (faults.jitter == Duration{0}) return delay;
  return delay +
         Duration(static_cast<Duration::rep>(random_.unit() * static_cast<double>(faults.jitter.count())));
}

unsigned FakeNetwork::copies() {
  if (faults.lost_in_100 > 0 && random_.below(100) < faults.lost_in_100) return 0;
  return faults.doubled_in_100 > 0 && random_.below(100) < faults.doubled_in_100 ? 2 : 1;
}

Task<Result<std::unique_ptr<Stream>>> FakeNetwork::connect(const Endpoint& to, Instant deadline) {
  auto found = hosts_.find(to);
  FakeHost host = found != hosts_.end() ? found->second : FakeHost{.server = {}, .tcp = FakeTcp::silent};
  if (!host.reachable) co_return std::unexpected(Error::unreachable);

  Promise<Result<>> over;
  connecting_.insert(&over);
  Timer too_late([&over] { over.deliver(std::unexpected(Error::timeout)); });
  timers_.arm(too_late, deadline);
  Result<> outcome;
  if (host.tcp == FakeTcp::refuses) outcome = std::unexpected(Error::unreachable);
  Timer done([&over, outcome] { over.deliver(outcome); });
  if (host.tcp != FakeTcp::silent) timers_.arm(done, clock_.now() + host.connect_time);
  auto connected = co_await over;
  connecting_.erase(&over);
  if (!connected) co_return std::unexpected(connected.error());

  MemoryPipe pipe = make_stream_pair(
      timers_, {.client = client(to.address.family(), tcp_client_port), .server = to, .capacity = 1 << 18});
  auto session = std::make_shared<Session>(to, std::move(pipe.server));
  std::erase_if(sessions_, [](const auto& weak) { return weak.expired(); });
  sessions_.push_back(session);
  spawn(serve_stream(session));
  co_return std::move(pipe.client);
}

Task<void> FakeNetwork::serve_stream(std::shared_ptr<Session> session) {
  std::shared_ptr<Stream> stream = session->stream;
  for (;;) {
    auto message = co_await read_message(*stream, Instant::max());
    if (!message || message->empty()) break;
    FakeQuery query{.server = session->server,
                    .client = stream->peer(),
                    .transport = Transport::tcp,
                    .message = {message->begin(), message->end()},
                    .at = clock_.now()};
    queries_.push_back(query);
    auto host = hosts_.find(query.server);
    if (host != hosts_.end() && host->second.server) reply_on_stream(session, host->second.server(query));
  }
  session->stream.reset();
}

void FakeNetwork::reply_on_stream(const std::shared_ptr<Session>& session, std::vector<FakeReply> replies) {
  for (FakeReply& reply : replies) {
    at(clock_.now() + reply.delay, [weak = std::weak_ptr(session), reply] {
      auto open = weak.lock();
      if (!open || !open->stream) return;
      if (!reply.close) return spawn(write_and_forget(open->stream, reply.message));
      std::shared_ptr<Stream> closing = std::exchange(open->stream, nullptr);
      closing->cancel();
    });
  }
}

void FakeNetwork::at(Instant when, std::function<void()> event) {
  events_.emplace(std::pair(when, ++events_made_), std::move(event));
}

bool FakeNetwork::step() {
  auto timer_due = timers_.until_next(clock_.now());
  if (events_.empty() && !timer_due) return false;
  bool event_first =
      !timer_due || (!events_.empty() && events_.begin()->first.first <= clock_.now() + *timer_due);
  if (!event_first) {
    clock_.advance_to(clock_.now() + *timer_due);
    timers_.advance(clock_.now());
    return true;
  }
  auto event = events_.extract(events_.begin());
  clock_.advance_to(event.key().first);
  timers_.advance(clock_.now());
  event.mapped()();
  return true;
}

void FakeNetwork::run_until(Instant end) {
  bool reached = false;
  at(end, [&reached] { reached = true; });
  while (!reached) step();
}

}  // namespace peregrine
