#include "lab/responder.h"

#include <sys/epoll.h>

#include <cerrno>
#include <system_error>

#include "io/listen.h"
#include "wire/message_writer.h"

namespace peregrine {
namespace {

// Of one server: every resolver of the lab may be one client.
const SessionLimits limits{.total = 4096, .per_client = 4096, .pipelined = 1000};

constexpr unsigned datagrams_at_once = 16;

constexpr ListenOptions listen_options{.reuse_port = false, .free_bind = true, .buffer_octets = 1 << 20};

LabSocket open_socket(size_t server, const Endpoint& at, bool silent) {
  LabSocket socket{.server = server, .udp = open_udp_listener(at, listen_options), .tcp = {}};
  if (!silent) socket.tcp = open_tcp_listener(local_endpoint(socket.udp.get()), listen_options);
  return socket;
}

// The first UDP socket settles the port.
LabSockets try_open(const InternetPlan& plan, uint16_t port) {
  LabSockets sockets{.each = {}, .port = port, .has_v6 = true};
  for (size_t number = 0; number < plan.servers.size(); ++number) {
    const PlannedServer& server = plan.servers[number];
    for (const IpAddress& address : server.addresses) {
      const bool v6 = address.family() == Family::v6;
      if (v6 && !sockets.has_v6) continue;
      try {
        sockets.each.push_back(
            open_socket(number, {.address = address, .port = sockets.port}, server.conduct.silent));
      } catch (const ListenError&) {
        if (!v6) throw;
        sockets.has_v6 = false;
        continue;
      }
      if (sockets.port == 0) sockets.port = local_endpoint(sockets.each.front().udp.get()).port;
    }
  }
  return sockets;
}

}  // namespace

LabSockets open_lab_sockets(const InternetPlan& plan, uint16_t port) {
  raise_descriptor_limit();
  // The port that the kernel chooses for the first socket may be taken for another.
  constexpr int ports_tried = 32;
  for (int tried = 1;; ++tried) {
    try {
      return try_open(plan, port);
    } catch (const ListenError& error) {
      if (port != 0 || error.error_number != EADDRINUSE || tried == ports_tried) throw;
    }
  }
}

// One UDP socket.
class LabResponder::Datagrams final : public Watcher {
 public:
  Datagrams(LabResponder& owner, size_t server, Fd socket)
      : owner_(owner),
        server_(server),
        engine_(std::move(socket), {.batch = datagrams_at_once}, owner.counters_) {
    if (!owner_.loop_.watch(engine_.fd(), EPOLLIN, *this))
      throw std::system_error(errno, std::generic_category(), "cannot watch a socket of the lab");
  }
  ~Datagrams() override { owner_.loop_.unwatch(engine_.fd()); }

  void ready(uint32_t) override {
    for (;;) {
      const auto batch = engine_.receive();
      if (batch.empty()) return;
      for (Datagram& datagram : batch) take(datagram);
      engine_.flush();
    }
  }

 private:
  void take(Datagram& datagram) {
    ++owner_.queries_;
    const Conduct& conduct = owner_.authority_.plan().servers[server_].conduct;
    if (conduct.loss > 0 && owner_.random_.unit() < conduct.loss) return;
    const size_t size = owner_.reply(server_, datagram.received(), Transport::udp);
    if (size == 0 || size > datagram.capacity) return;
    if (conduct.delay == Duration{}) {
      std::memcpy(datagram.data, owner_.reply_.data(), size);
      return engine_.reply(datagram, size);
    }
    std::vector<uint8_t> octets(owner_.reply_.begin(), owner_.reply_.begin() + static_cast<ptrdiff_t>(size));
    owner_.after(conduct.delay,
                 [this, octets = std::move(octets), to = datagram.peer, from = datagram.local] {
                   Datagram& late = engine_.compose(to, from);
                   std::memcpy(late.data, octets.data(), octets.size());
                   late.size = static_cast<uint32_t>(octets.size());
                   engine_.flush();
                 });
  }

  LabResponder& owner_;
  size_t server_;
  MmsgEngine engine_;
};

// One listening TCP socket and its connections.
class LabResponder::TcpServer final : public SessionHandler {
 public:
  TcpServer(LabResponder& owner, size_t server, Fd socket)
      : owner_(owner),
        server_(server),
        sessions_(owner.loop_.clock(), owner.loop_.timers(), limits, *this, owner.counters_),
        listener_(owner.loop_, std::move(socket), sessions_, owner.counters_) {}

  void on_message(SessionId session, const Endpoint&, MutableBytes buffer, size_t size) override {
    ++owner_.queries_;
    const size_t answered = owner_.reply(server_, buffer.first(size), Transport::tcp);
    if (answered == 0) return sessions_.drop_one(session);
    const Duration delay = owner_.authority_.plan().servers[server_].conduct.delay;
    const auto octets = Bytes(owner_.reply_).first(answered);
    if (delay == Duration{}) {
      sessions_.send(session, octets);
      return;
    }
    owner_.after(delay, [this, session, kept = std::vector<uint8_t>(octets.begin(), octets.end())] {
      sessions_.send(session, kept);
    });
  }

 private:
  LabResponder& owner_;
  size_t server_;
  Sessions sessions_;
  TcpListener listener_;
};

LabResponder::LabResponder(Loop& loop, const Authority& authority, LabSockets sockets)
    : loop_(loop),
      authority_(authority),
      random_(Random::from_seed(authority.plan().seed)),
      reply_(max_message_size),
      timer_([this] { send_due(); }) {
  for (LabSocket& socket : sockets.each) {
    udp_.push_back(std::make_unique<Datagrams>(*this, socket.server, std::move(socket.udp)));
    if (socket.tcp) tcp_.push_back(std::make_unique<TcpServer>(*this, socket.server, std::move(socket.tcp)));
  }
}

LabResponder::~LabResponder() = default;

size_t LabResponder::reply(size_t server, Bytes query, Transport transport) {
  static const DnameBuf counted = *DnameBuf::from_text(count_name);
  const auto view = MessageView::parse(query);
  if (view && view->has_question() && view->question().qclass == Class::ch &&
      view->question().qname == counted) {
    --queries_;
    return tell_count(*view);
  }
  return authority_.reply(server, query, transport, reply_);
}

size_t LabResponder::tell_count(const MessageView& query) {
  const std::string count = std::to_string(queries_);
  std::vector<uint8_t> text{static_cast<uint8_t>(count.size())};
  text.insert(text.end(), count.begin(), count.end());
  const Question question = query.question();
  MessageWriter writer(reply_);
  writer.id(query.header().id());
  writer.qr(true);
  writer.question(question.qname, question.qtype, question.qclass);
  writer.rr(Section::answer, question.qname, Type::txt, Class::ch, 0, text);
  return writer.size();
}

void LabResponder::after(Duration delay, std::function<void()> send) {
  later_.push({loop_.clock().now() + delay, numbered_++, std::move(send)});
  if (!timer_.armed() || later_.top().due < timer_.deadline()) loop_.timers().arm(timer_, later_.top().due);
}

void LabResponder::send_due() {
  const Instant now = loop_.clock().now();
  while (!later_.empty() && later_.top().due <= now) {
    const auto send = later_.top().send;
    later_.pop();
    send();
  }
  if (!later_.empty()) loop_.timers().arm(timer_, later_.top().due);
}

}  // namespace peregrine
