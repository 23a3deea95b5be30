#include "resolve/exchange.h"

#include <algorithm>
#include <cassert>

#include "resolve/match.h"
#include "resolve/source_ports.h"

namespace peregrine {
namespace {

// On a stream, before the true one: so many messages, and so long after the first of them.
constexpr int most_other_messages = 4;
constexpr Duration patience_with_others = std::chrono::milliseconds(250);

// An exchange under way. Lives in its coroutine's frame, linked to the others so that all can be cancelled in
// the order in which they came.
class Call {
 public:
  Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  virtual void cancel() = 0;

 protected:
  ~Call() = default;

 private:
  friend class Calls;
  Call* previous_ = nullptr;
  Call* next_ = nullptr;
};

class Calls {
 public:
  void add(Call& call) {
    call.previous_ = last_;
    (last_ != nullptr ? last_->next_ : first_) = &call;
    last_ = &call;
  }
  void remove(Call& call) {
    if (call.previous_ == nullptr && first_ != &call) return;
    (call.previous_ != nullptr ? call.previous_->next_ : first_) = call.next_;
    (call.next_ != nullptr ? call.next_->previous_ : last_) = call.previous_;
    call.previous_ = call.next_ = nullptr;
  }
  Call* first() const { return first_; }

 private:
  Call* first_ = nullptr;
  Call* last_ = nullptr;
};

using Received = Result<Buffer>;

// Waits on its port until the true reply, a useless one, the deadline or a cancellation.
class UdpCall final : public Call, public ReplyWaiter {
 public:
  struct Place {
    std::shared_ptr<SourcePort> port;
    Endpoint server;
    uint16_t id;
  };
  UdpCall(Place place, const OutgoingQuery& query, Counters& counters)
      : ReplyWaiter(place.server, place.id),
        port_(std::move(place.port)),
        query_(query),
        counters_(counters) {
    port_->add(*this);
  }
  ~UdpCall() override { port_->remove(*this); }

  void on_reply(Bytes octets) override {
    Match found = match(octets, query_.message, query_.randomise_case);
    if (found == Match::none) return counters_.add(Counter::upstream_mismatched);
    if (found != Match::reply) return received.deliver(std::unexpected(Error::bad_message));
    received.deliver(Buffer(octets.begin(), octets.end()));
  }
  void cancel() override { received.deliver(std::unexpected(Error::cancelled)); }

  Promise<Received> received;
  Timer deadline{[this] { received.deliver(std::unexpected(Error::timeout)); }};

 private:
  std::shared_ptr<SourcePort> port_;
  const OutgoingQuery& query_;
  Counters& counters_;
};

using Connected = Promise<Result<std::unique_ptr<Stream>>>;

// A connection attempt has nothing to cancel it by, so that it runs on its own and may outlive the exchange.
Task<void> connect(Network* network, Endpoint server, Instant deadline,
                   std::shared_ptr<Connected> connected) {
  auto stream = co_await network->connect(server, deadline);
  connected->deliver(std::move(stream));
}

class TcpCall final : public Call {
 public:
  void cancel() override {
    if (stream) return stream->cancel();
    connected->deliver(std::unexpected(Error::cancelled));
  }
  std::shared_ptr<Connected> connected = std::make_shared<Connected>();
  std::unique_ptr<Stream> stream;
};

// The qname's letters in the case that `bits` say; without any, all small.
void set_case(MutableBytes message, Bytes bits) {
  MutableBytes octets = message.subspan(header_size);
  auto parsed = Dname::parse(octets);
  if (!parsed) return;
  DnameBuf qname(*parsed);
  qname.flip_case(bits);
  std::memcpy(octets.data(), qname.view().wire().data(), qname.view().size());
}

// 0x20 (draft-vixie-dnsext-dns0x20): each letter of the qname adds a bit that a forged reply must guess.
void randomise_case(MutableBytes message, Random& random) {
  std::array<uint8_t, max_dname_size / 8 + 1> bits;
  random.fill(bits);
  set_case(message, bits);
}

// The true reply from a stream. Others than the one end of the connection cannot write to it, so that
// messages which do not match are few; they are passed over as they are over UDP, but not waited behind for
// long: another server may do better.
Task<Received> read_reply(Stream* stream, const OutgoingQuery* query, const Clock* clock, Instant deadline) {
  for (int others = 0; others < most_other_messages; ++others) {
    auto octets = co_await read_message(*stream, deadline);
    if (!octets && octets.error() == Error::cancelled) co_return std::unexpected(Error::cancelled);
    bool ended = !octets || octets->empty();
    if (ended && others > 0) co_return std::unexpected(Error::bad_message);
    if (!octets && octets.error() != Error::truncated) co_return std::unexpected(octets.error());
    if (ended) co_return std::unexpected(Error::unreachable);
    deadline = std::min(deadline, clock->now() + patience_with_others);
    if (octets->size() < 2 || load_u16(octets->data()) != load_u16(query->message.data())) continue;
    Match found = match(*octets, query->message, query->randomise_case);
    if (found == Match::reply || found == Match::no_question) co_return std::move(*octets);
    if (found == Match::malformed) break;
  }
  co_return std::unexpected(Error::bad_message);
}

}  // namespace

struct Exchange::State {
  Network& network;
  Clock& clock;
  Timers& timers;
  Random& random;
  Counters& counters;
  ExchangeOptions options;
  SourcePorts v4, v6;
  Calls calls;
  size_t in_flight = 0;
  bool cancelled = false;

  SourcePorts& ports(const Endpoint& server) { return server.address.family() == Family::v4 ? v4 : v6; }

  Result<> admit(const OutgoingQuery& query) const {
    if (cancelled) return std::unexpected(Error::cancelled);
    if (in_flight >= options.max_in_flight) return std::unexpected(Error::limit);
    if (auto question = question_octets(query.message); !question) return std::unexpected(question.error());
    return {};
  }

  Result<Reply> finish(Received received, Instant sent_at) {
    if (!received) return fail(received.error());
    counters.add(Counter::upstream_replies);
    return Reply{std::move(*received), clock.precise() - sent_at};
  }

  std::unexpected<Error> fail(Error error) {
    if (error == Error::timeout)
      counters.add(Counter::upstream_timeouts);
    else if (error != Error::cancelled)
      counters.add(Counter::upstream_errors);
    return std::unexpected(error);
  }
};

namespace {

// Counts an exchange and keeps it among those that can be cancelled, while it lasts.
class Enrolment {
 public:
  Enrolment(Calls& calls, size_t& in_flight, Call& call) : calls_(calls), in_flight_(in_flight), call_(call) {
    calls_.add(call_);
    ++in_flight_;
  }
  ~Enrolment() {
    calls_.remove(call_);
    --in_flight_;
  }
  Enrolment(const Enrolment&) = delete;
  Enrolment& operator=(const Enrolment&) = delete;

 private:
  Calls& calls_;
  size_t& in_flight_;
  Call& call_;
};

}  // namespace

Exchange::Exchange(Network& network, Clock& clock, Timers& timers, Random& random, Counters& counters,
                   ExchangeOptions options)
    : state_(std::make_unique<State>(
          network, clock, timers, random, counters, options,
          SourcePorts(network, clock, random, counters,
                      {.family = Family::v4, .ports = options.sockets, .uses = options.uses_per_socket}),
          SourcePorts(network, clock, random, counters,
                      {.family = Family::v6, .ports = options.sockets, .uses = options.uses_per_socket}))) {}

Exchange::~Exchange() { assert(state_->in_flight == 0); }

Task<Result<Reply>> Exchange::udp(Endpoint server, OutgoingQuery query, Instant deadline) {
  State& state = *state_;
  auto admitted = state.admit(query);
  if (!admitted) co_return state.fail(admitted.error());
  auto port = state.ports(server).draw();
  if (!port) co_return state.fail(port.error());
  auto id = (*port)->draw_id(server, state.random);
  if (!id) co_return state.fail(id.error());
  store_u16(query.message.data(), *id);
  if (query.randomise_case) randomise_case(query.message, state.random);

  UdpCall call({*port, server, *id}, query, state.counters);
  Enrolment enrolment(state.calls, state.in_flight, call);
  Instant sent_at = state.clock.precise();
  auto sent = (*port)->send(server, query.message);
  if (!sent) co_return state.fail(sent.error());
  state.counters.add(Counter::upstream_queries);
  state.timers.arm(call.deadline, deadline);
  auto received = co_await call.received;
  co_return state.finish(std::move(received), sent_at);
}

Task<Result<Reply>> Exchange::tcp(Endpoint server, OutgoingQuery query, Instant deadline) {
  State& state = *state_;
  auto admitted = state.admit(query);
  if (!admitted) co_return state.fail(admitted.error());
  store_u16(query.message.data(), state.random.u16());
  // Servers that do not keep the case mostly write small letters.
  if (query.randomise_case) set_case(query.message, {});

  TcpCall call;
  Enrolment enrolment(state.calls, state.in_flight, call);
  state.counters.add(Counter::upstream_tcp);
  spawn(connect(&state.network, server, deadline, call.connected));
  auto connected = co_await *call.connected;
  if (!connected) co_return state.fail(connected.error());
  call.stream = std::move(*connected);

  Instant sent_at = state.clock.precise();
  state.counters.add(Counter::upstream_queries);
  auto written = co_await write_message(*call.stream, query.message, deadline);
  if (!written) co_return state.fail(written.error());
  auto received = co_await read_reply(call.stream.get(), &query, &state.clock, deadline);
  co_return state.finish(std::move(received), sent_at);
}

void Exchange::cancel_all() {
  state_->cancelled = true;
  while (Call* call = state_->calls.first()) {
    state_->calls.remove(*call);
    call->cancel();
  }
}

Timers& Exchange::timers() { return state_->timers; }

size_t Exchange::in_flight() const { return state_->in_flight; }

}  // namespace peregrine
