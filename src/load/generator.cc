#include "load/generator.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <memory>
#include <numeric>
#include <system_error>

#include "io/fd.h"
#include "load/flights.h"
#include "load/schedule.h"

namespace peregrine {
namespace {

constexpr int socket_buffer_octets = 4 << 20;
constexpr size_t reply_slot = 4096;  // octets: the most that any EDNS size asks of a server is less
constexpr size_t query_slot = 512;
constexpr size_t flights_in_all = size_t{1} << 22;  // 64 MiB
constexpr Duration housekeeping_interval = std::chrono::milliseconds(10);
constexpr Duration report_interval = std::chrono::milliseconds(100);
constexpr Duration longest_wait = std::chrono::milliseconds(1);

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

size_t flights_each(size_t sockets) {
  return std::clamp(std::bit_floor(flights_in_all / sockets), size_t{256}, size_t{65'536});
}

Endpoint own_address(unsigned index) {
  const unsigned number = index + 1;
  return {IpAddress::v4({127, 1, static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)}), 0, 0};
}

Fd open_socket(const LoadOptions& options, unsigned index) {
  sockaddr_storage address;
  const socklen_t size = options.server.to_sockaddr(address);
  Fd fd(::socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) fail("socket");
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &socket_buffer_octets, sizeof socket_buffer_octets);
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &socket_buffer_octets, sizeof socket_buffer_octets);
  if (options.own_addresses) {
    sockaddr_storage own;
    const socklen_t own_size = own_address(index).to_sockaddr(own);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), own_size) != 0) fail("bind");
  }
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) fail("connect");
  return fd;
}

struct Client {
  Client(Fd s, size_t capacity) : socket(std::move(s)), flights(capacity) {}
  Fd socket;
  Flights flights;
};

// Slots and headers of one batch in one direction.
struct Batch {
  Batch(unsigned count, size_t slot) : slot_size(slot), octets(count * slot), vectors(count), headers(count) {
    for (size_t i = 0; i < count; ++i) {
      vectors[i] = {.iov_base = &octets[i * slot], .iov_len = slot};
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
  }
  uint8_t* slot(size_t index) { return &octets[index * slot_size]; }
  unsigned size() const { return static_cast<unsigned>(headers.size()); }

  size_t slot_size;
  std::vector<uint8_t> octets;
  std::vector<iovec> vectors;
  std::vector<mmsghdr> headers;
};

class Generator {
 public:
  Generator(const LoadOptions& options, const QueryList& queries, const Expectation& expectation,
            LoadResult& result);
  void run(const std::function<void(const LoadProgress&)>& report);

 private:
  size_t allowance(Instant now) const;
  bool is_over(Instant now) const;
  void send(Instant now);
  void fill(size_t index, uint16_t id);
  void receive(Duration wait);
  void receive_from(Client& client);
  void take(Client& client, Bytes reply, Instant now);
  void keep_house(Instant now);
  Duration idle_time(Instant now) const;
  LoadProgress progress(Instant now, Duration since_last, uint64_t answers_before) const;

  const LoadOptions& options_;
  const QueryList& queries_;
  const Expectation& expectation_;
  LoadResult& result_;
  SystemClock clock_;
  Draw draw_;
  std::vector<Client> clients_;
  Fd epoll_;
  Batch out_, in_;
  std::vector<uint32_t> drawn_;  // the next queries, the first not sent yet first
  Schedule schedule_;
  uint64_t scheduled_ = 0;  // queries of the whole run
  Instant start_, last_reply_;
  size_t in_flight_ = 0;
  size_t turn_ = 0;  // whose turn it is to send
  bool sending_ = true;
};

Generator::Generator(const LoadOptions& options, const QueryList& queries, const Expectation& expectation,
                     LoadResult& result)
    : options_(options),
      queries_(queries),
      expectation_(expectation),
      result_(result),
      draw_(options.order, static_cast<uint32_t>(queries.size()), options.zipf_exponent, options.seed),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      out_(options.batch, query_slot),
      in_(options.batch, reply_slot),
      schedule_(Instant{}, 1) {
  if (!epoll_) fail("epoll_create1");
  for (unsigned i = 0; i < options.sockets; ++i) {
    Client& client = clients_.emplace_back(open_socket(options, i), flights_each(options.sockets));
    epoll_event event{.events = EPOLLIN, .data = {.u32 = i}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.socket.get(), &event) != 0) fail("epoll_ctl");
  }
  start_ = last_reply_ = clock_.precise();
  if (options.rate <= 0) return;
  schedule_ = Schedule(start_, options.rate);
  scheduled_ = schedule_.due_by(start_ + options.duration - Duration{1});
}

// An open loop sends all that is due within its duration, if late: what a stall kept back is not left out.
bool Generator::is_over(Instant now) const {
  if (drawn_.empty() && draw_.remaining() == 0) return true;
  const Instant end = start_ + options_.duration;
  if (options_.rate <= 0) return now >= end;
  return result_.sent >= scheduled_ || now >= end + options_.timeout;
}

// How many queries may go now.
size_t Generator::allowance(Instant now) const {
  if (options_.rate > 0)
    return static_cast<size_t>(std::min(schedule_.due_by(now), scheduled_) - result_.sent);
  const size_t free = options_.window - std::min<size_t>(in_flight_, options_.window);
  // Half a batch at least, while the server has enough to do: batches of one cost us the lead over it.
  return free >= options_.batch / 2 || in_flight_ < options_.window / 2 ? free : 0;
}

void Generator::fill(size_t index, uint16_t id) {
  const Bytes query = queries_.message(drawn_[index]);
  std::memcpy(out_.slot(index), query.data(), query.size());
  store_u16(out_.slot(index), id);
  out_.vectors[index].iov_len = query.size();
}

void Generator::send(Instant now) {
  Client& client = clients_[turn_];
  turn_ = (turn_ + 1) % clients_.size();
  const size_t wanted = std::min({allowance(now), size_t{out_.size()}, client.flights.room()});
  while (drawn_.size() < wanted) {
    const auto index = draw_.next();
    if (!index) break;
    drawn_.push_back(*index);
  }
  const size_t count = std::min(wanted, drawn_.size());
  if (count == 0) return;
  for (size_t i = 0; i < count; ++i) fill(i, static_cast<uint16_t>(client.flights.next_id() + i));
  const int sent = sendmmsg(client.socket.get(), out_.headers.data(), static_cast<unsigned>(count), 0);
  if (sent < 0) {
    result_.refused += errno == ECONNREFUSED;
    return;
  }
  for (int i = 0; i < sent; ++i) {
    client.flights.depart({options_.rate > 0 ? schedule_.due(result_.sent) : now, drawn_[i]});
    ++result_.sent;
  }
  in_flight_ += static_cast<size_t>(sent);
  drawn_.erase(drawn_.begin(), drawn_.begin() + sent);
}

void Generator::receive(Duration wait) {
  std::array<epoll_event, 64> ready;
  const int milliseconds = static_cast<int>(wait / std::chrono::milliseconds(1));
  const int count = epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), milliseconds);
  for (int i = 0; i < count; ++i) receive_from(clients_[ready[i].data.u32]);
}

void Generator::receive_from(Client& client) {
  const int got = recvmmsg(client.socket.get(), in_.headers.data(), in_.size(), MSG_DONTWAIT, nullptr);
  if (got < 0) {
    result_.refused += errno == ECONNREFUSED;
    return;
  }
  const Instant now = clock_.precise();
  for (int i = 0; i < got; ++i) take(client, Bytes(in_.slot(i), in_.headers[i].msg_len), now);
}

void Generator::take(Client& client, Bytes reply, Instant now) {
  const auto flight =
      reply.size() < header_size ? std::nullopt : client.flights.arrive(load_u16(reply.data()));
  if (!flight) {
    ++result_.unexpected;
    return;
  }
  --in_flight_;
  last_reply_ = now;
  result_.latency.record(now - flight->due);
  ++result_.rcodes[reply[3] & 15];
  const Verdict verdict = expectation_.judge(reply, queries_, flight->query);
  ++result_.verdicts[static_cast<size_t>(verdict)];
  if (verdict == Verdict::right) result_.reply_octets += reply.size();
}

void Generator::keep_house(Instant now) {
  for (Client& client : clients_) {
    const size_t lost = client.flights.expire(now - options_.timeout);
    in_flight_ -= lost;
    result_.lost += lost;
  }
}

// How long there is nothing to send. A wait can be longer than asked for, so a short one is not begun.
Duration Generator::idle_time(Instant now) const {
  if (!sending_) return longest_wait;
  if (options_.rate <= 0) return allowance(now) == 0 ? longest_wait : Duration::zero();
  const bool soon = schedule_.due(result_.sent) - now < 2 * longest_wait;
  return soon ? Duration::zero() : longest_wait;
}

LoadProgress Generator::progress(Instant now, Duration since_last, uint64_t answers_before) const {
  const uint64_t answers = result_.answers();
  double done =
      std::chrono::duration<double>(now - start_) / std::chrono::duration<double>(options_.duration);
  if (options_.order == Order::once) {
    done = std::max(done, static_cast<double>(result_.sent) / static_cast<double>(queries_.size()));
  }
  const double seconds = std::chrono::duration<double>(since_last).count();
  return {std::min(done, 1.0), answers, static_cast<double>(answers - answers_before) / seconds};
}

void Generator::run(const std::function<void(const LoadProgress&)>& report) {
  Instant house_kept = start_, reported = start_, stopped = start_;
  uint64_t answers_reported = 0;
  while (sending_ || in_flight_ > 0) {
    const Instant now = clock_.precise();
    if (sending_ && is_over(now)) sending_ = false, stopped = now;
    if (sending_) send(now);
    receive(idle_time(now));
    if (now - house_kept >= housekeeping_interval) keep_house(now), house_kept = now;
    if (!report || now - reported < report_interval) continue;
    report(progress(now, now - reported, answers_reported));
    reported = now, answers_reported = result_.answers();
  }
  result_.elapsed = std::max(stopped, last_reply_) - start_;
}

}  // namespace

uint64_t LoadResult::wrong() const {
  return std::accumulate(verdicts.begin(), verdicts.end(), uint64_t{0}) - answers();
}

double LoadResult::rate() const {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  return seconds > 0 ? static_cast<double>(answers()) / seconds : 0;
}

void run_load(const LoadOptions& options, const QueryList& queries, const Expectation& expectation,
              LoadResult& result, const std::function<void(const LoadProgress&)>& report) {
  Generator(options, queries, expectation, result).run(report);
}

}  // namespace peregrine
