#include "io/uring_engine.h"

#include <liburing.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "io/udp_slots.h"

namespace peregrine {
namespace {

constexpr int buffer_group = 0;
// Receive buffers for each datagram of a batch: those of the batch at hand, and room for the kernel to go on.
constexpr unsigned buffers_per_datagram = 4;
constexpr uint64_t of_receive = uint64_t{1} << 32, of_cancel = uint64_t{2} << 32,
                   of_nothing = uint64_t{3} << 32;
constexpr size_t line = 64;

[[noreturn]] void fail(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

// One thread submits, and work for completions waits until that thread asks for them: the kernel interrupts
// no batch. Started later, by the thread that is to be the one (IORING_SETUP_R_DISABLED).
io_uring_params ring_params(unsigned completions) {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE;
  params.cq_entries = completions;
  return params;
}

class Ring {
 public:
  Ring(unsigned submissions, unsigned completions) {
    io_uring_params params = ring_params(completions);
    const int error = io_uring_queue_init_params(submissions, &ring_, &params);
    if (error < 0) fail(-error, "io_uring_setup");
  }
  ~Ring() { close(); }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  io_uring* get() { return &ring_; }
  void close() {
    if (std::exchange(open_, false)) io_uring_queue_exit(&ring_);
  }

 private:
  io_uring ring_{};
  bool open_ = true;
};

// The ring of buffers that the kernel takes from. Each buffer has room in front of the datagram for what
// IORING_OP_RECVMSG puts there: io_uring_recvmsg_out, the peer's name, control messages.
class ProvidedBuffers {
 public:
  ProvidedBuffers(Ring& ring, unsigned count, const UdpOptions& options)
      : count_(count),
        head_(sizeof(io_uring_recvmsg_out) + sizeof(sockaddr_in6) +
              (options.wildcard ? detail::PacketInfo::capacity : 0)),
        size_(head_ + options.slot_size),
        memory_(count, options, (head_ + line - 1) / line * line) {
    void* const shared = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) fail(errno, "mmap");
    ring_ = static_cast<io_uring_buf_ring*>(shared);
    io_uring_buf_ring_init(ring_);
    for (unsigned id = 0; id < count_; ++id) add(id, memory_.slot(id), id);
    publish(count_);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<uint64_t>(ring_);
    registration.ring_entries = count_;
    registration.bgid = buffer_group;
    const int error = io_uring_register_buf_ring(ring.get(), &registration, 0);
    if (error == 0) return;
    munmap(ring_, bytes());
    fail(-error, "io_uring_register_buf_ring");
  }
  ~ProvidedBuffers() { munmap(ring_, bytes()); }
  ProvidedBuffers(const ProvidedBuffers&) = delete;
  ProvidedBuffers& operator=(const ProvidedBuffers&) = delete;

  unsigned count() const { return count_; }
  // The slot of buffer `id`, behind `head()` octets that the kernel wrote.
  uint8_t* slot(unsigned id) const { return memory_.slot(id); }
  const uint8_t* head(unsigned id) const { return memory_.slot(id) - head_; }
  // Back to the kernel, as the `offset`-th since the last publish().
  void give_back(unsigned id, unsigned offset) { add(id, memory_.renew(id), offset); }
  void publish(unsigned count) { io_uring_buf_ring_advance(ring_, static_cast<int>(count)); }

 private:
  size_t bytes() const { return count_ * sizeof(io_uring_buf); }
  void add(unsigned id, uint8_t* slot, unsigned offset) {
    io_uring_buf_ring_add(ring_, slot - head_, static_cast<unsigned>(size_), static_cast<unsigned short>(id),
                          io_uring_buf_ring_mask(count_), static_cast<int>(offset));
  }
  unsigned count_;
  size_t head_, size_;
  detail::SlotMemory memory_;
  io_uring_buf_ring* ring_ = nullptr;
};

unsigned buffer_count(const UdpOptions& o) { return std::bit_ceil(o.batch * buffers_per_datagram); }

}  // namespace

struct UringEngine::State {
  State(Fd s, const UdpOptions& o, Counters& c);
  ~State() { ring.close(); }  // before the buffers that it may still fill
  bool start();
  void arm();
  void enter();
  void drain();
  void note_failure(size_t place, int error);
  size_t take_waiting(size_t count);
  bool take_datagram(unsigned id, Datagram& datagram);
  bool more_is_due();
  void give_back_batch();
  void prepare_send(size_t place);
  void submit();
  void drop_unsubmitted();
  void send_again();
  void clear_event();

  Fd socket;
  UdpOptions options;
  Counters& counters;
  Ring ring;
  // Told by the kernel of completions and of work that will make some. The ring itself cannot be watched:
  // where that work is deferred it is not readable before somebody asks for it.
  Fd event;
  ProvidedBuffers buffers;
  msghdr wanted{};  // how a receive lays its buffer out
  std::vector<Datagram> received;
  std::vector<unsigned> held;     // buffers of the last batch
  std::vector<uint16_t> waiting;  // filled buffers: a ring with a place for each
  unsigned waiting_begin = 0, waiting_end = 0;
  detail::Composer late;
  std::vector<const Datagram*> outbox;
  size_t queued = 0;
  std::vector<msghdr> messages;  // of wildcard sockets, by place in the outbox
  std::vector<iovec> vectors;
  std::vector<detail::PacketInfo> infos;
  std::vector<size_t> failed, failed_before;  // places of sends
  bool started = false;
  bool armed = false;
};

UringEngine::State::State(Fd s, const UdpOptions& o, Counters& c)
    : socket(std::move(s)),
      options(o),
      counters(c),
      // A send, and an answer composed late, for each datagram, and the receive; completions of all buffers
      // besides.
      ring(std::bit_ceil(o.batch * 2 + 1), std::bit_ceil(o.batch * 4 + buffer_count(o))),
      event(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      buffers(ring, buffer_count(o), o),
      received(o.batch),
      waiting(buffers.count()),
      late(o),
      outbox(size_t{o.batch} * 2),
      messages(o.wildcard ? outbox.size() : 0),
      vectors(messages.size()),
      infos(messages.size()) {
  if (!event) fail(errno, "eventfd");
  const int error = io_uring_register_eventfd(ring.get(), event.get());
  if (error < 0) fail(-error, "io_uring_register_eventfd");
  wanted.msg_namelen = sizeof(sockaddr_in6);
  wanted.msg_controllen = o.wildcard ? detail::PacketInfo::capacity : 0;
  held.reserve(o.batch);
  for (Datagram& datagram : received) datagram.capacity = o.slot_size;
  for (size_t i = 0; i < messages.size(); ++i) {
    messages[i].msg_iov = &vectors[i];
    messages[i].msg_iovlen = 1;
  }
}

// This thread becomes the one that submits. By system call, since liburing 2.3 lists io_uring_enable_rings()
// in its header but does not export it.
bool UringEngine::State::start() {
  started =
      syscall(SYS_io_uring_register, ring.get()->ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) == 0;
  if (!started) log_error("io_uring cannot be started: " + std::generic_category().message(errno));
  return started;
}

void UringEngine::State::arm() {
  io_uring_sqe* const entry = io_uring_get_sqe(ring.get());
  if (entry == nullptr) return;
  io_uring_prep_recvmsg_multishot(entry, socket.get(), &wanted, 0);
  entry->flags |= IOSQE_BUFFER_SELECT;
  entry->buf_group = buffer_group;
  entry->user_data = of_receive;
  armed = true;
}

void UringEngine::State::give_back_batch() {
  unsigned count = 0;
  for (const unsigned id : held) buffers.give_back(id, count++);
  buffers.publish(count);
  held.clear();
}

// False where it did not fit into its slot.
bool UringEngine::State::take_datagram(unsigned id, Datagram& datagram) {
  const uint8_t* const head = buffers.head(id);
  io_uring_recvmsg_out out;
  std::memcpy(&out, head, sizeof out);
  if ((out.flags & MSG_TRUNC) != 0) {
    counters.add(Counter::receive_truncated);
    buffers.give_back(id, 0);
    buffers.publish(1);
    return false;
  }
  held.push_back(id);
  datagram.data = buffers.slot(id);
  datagram.size = out.payloadlen;
  std::memcpy(static_cast<void*>(&datagram.peer), head + sizeof out, sizeof datagram.peer);
  if (!options.wildcard) return true;
  msghdr message{};
  message.msg_control = const_cast<uint8_t*>(head) + sizeof out + sizeof(sockaddr_in6);
  message.msg_controllen = out.controllen;
  datagram.local = detail::read_packet_info(message);
  return true;
}

// Takes all completions that are there: of the receive for later, of sends only the failures.
void UringEngine::State::drain() {
  unsigned head = 0, taken = 0;
  io_uring_cqe* completion = nullptr;
  io_uring_for_each_cqe(ring.get(), head, completion) {
    ++taken;
    if (completion->user_data == of_receive) {
      // Out of buffers, an empty datagram, an error that the socket had to tell: it has to be armed again.
      if ((completion->flags & IORING_CQE_F_MORE) == 0) armed = false;
      if (completion->res >= 0 && (completion->flags & IORING_CQE_F_BUFFER) != 0) {
        waiting[waiting_end++ % waiting.size()] =
            static_cast<uint16_t>(completion->flags >> IORING_CQE_BUFFER_SHIFT);
      }
    } else if (completion->user_data < of_receive && completion->res < 0) {
      note_failure(completion->user_data, -completion->res);
    }
  }
  io_uring_cq_advance(ring.get(), taken);
}

void UringEngine::State::note_failure(size_t place, int error) {
  if (detail::classify_send(error) == detail::SendFailure::full) {
    counters.add(Counter::send_dropped);
  } else {
    failed.push_back(place);
  }
}

// Goes on filling the batch, which has `count` datagrams already; how many it has then.
size_t UringEngine::State::take_waiting(size_t count) {
  while (count < received.size() && waiting_begin != waiting_end) {
    if (take_datagram(waiting[waiting_begin++ % waiting.size()], received[count])) ++count;
  }
  return count;
}

// Whether asking the kernel may bring more completions.
bool UringEngine::State::more_is_due() {
  return !armed ||
         (IO_URING_READ_ONCE(*ring.get()->sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

// Submits what is queued, has the kernel do the work for completions that waits, and takes them.
void UringEngine::State::submit() {
  for (int attempt = 0; attempt < 4; ++attempt) {
    io_uring_submit_and_get_events(ring.get());
    drain();
    if (io_uring_sq_ready(ring.get()) == 0) return;
  }
  drop_unsubmitted();
}

// They name slots and addresses that will soon be others.
void UringEngine::State::drop_unsubmitted() {
  const io_uring_sq& queue = ring.get()->sq;
  for (unsigned at = *queue.khead; at != queue.sqe_tail; ++at) {
    io_uring_sqe& entry = queue.sqes[at & queue.ring_mask];
    if (entry.user_data == of_receive) armed = false;
    if (entry.user_data < of_receive) counters.add(Counter::send_dropped);
    io_uring_prep_nop(&entry);
    entry.user_data = of_nothing;
  }
}

// Does not wait (MSG_DONTWAIT), so that the kernel neither polls nor hands it to a thread of its own: it is
// complete, and its slot free, when it has been submitted. Only a failure is told.
void UringEngine::State::prepare_send(size_t place) {
  io_uring_sqe* const entry = io_uring_get_sqe(ring.get());
  if (entry == nullptr) return counters.add(Counter::send_dropped);
  const Datagram& datagram = *outbox[place];
  constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  if (options.wildcard) {
    msghdr& message = messages[place];
    vectors[place] = {.iov_base = datagram.data, .iov_len = datagram.size};
    message.msg_name = const_cast<sockaddr*>(&datagram.peer.generic);
    message.msg_namelen = datagram.peer.size();
    detail::write_packet_info(message, infos[place], datagram.peer, datagram.local);
    io_uring_prep_sendmsg(entry, socket.get(), &message, flags);
  } else {
    io_uring_prep_send(entry, socket.get(), datagram.data, datagram.size, flags);
    io_uring_prep_send_set_addr(entry, &datagram.peer.generic,
                                static_cast<unsigned short>(datagram.peer.size()));
  }
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  entry->user_data = place;
}

// The errors may be ones that the socket had to tell of earlier datagrams: once more.
void UringEngine::State::send_again() {
  std::swap(failed, failed_before);
  failed.clear();
  for (const size_t place : failed_before) prepare_send(place);
  submit();
  counters.add(Counter::send_dropped, failed.size());
  failed.clear();
}

void UringEngine::State::enter() {
  if (!armed) arm();
  submit();
}

void UringEngine::State::clear_event() {
  uint64_t told = 0;
  [[maybe_unused]] const ssize_t got = read(event.get(), &told, sizeof told);
}

UringEngine::UringEngine(Fd socket, UdpOptions options, Counters& counters)
    : state_(std::make_unique<State>(std::move(socket), detail::checked(options), counters)) {}
UringEngine::~UringEngine() = default;
UringEngine::UringEngine(UringEngine&&) noexcept = default;

int UringEngine::fd() const { return state_->event.get(); }

std::span<Datagram> UringEngine::receive() {
  flush();
  State& s = *state_;
  if (!s.started && !s.start()) return {};
  s.give_back_batch();
  s.drain();
  size_t count = s.take_waiting(0);
  const size_t batch = s.received.size();
  // A turn may bring no more than one datagram that is empty, or longer than a slot.
  bool cleared = false;
  for (size_t turn = 0; turn <= batch + 1 && count < batch; ++turn) {
    if (s.more_is_due()) {
      s.enter();
    } else if (std::exchange(cleared, true)) {
      break;
    } else {
      // What was told of before is taken below; what comes later makes it readable again.
      s.clear_event();
      s.drain();
    }
    count = s.take_waiting(count);
  }
  if (!s.armed) s.enter();
  return std::span(s.received).first(count);
}

void UringEngine::reply(Datagram& datagram, size_t size) {
  State& s = *state_;
  datagram.size = static_cast<uint32_t>(size);
  if (s.queued < s.options.batch) s.outbox[s.queued++] = &datagram;
}

Datagram& UringEngine::compose(const PeerAddress& to, const LocalAddress& from) {
  if (state_->late.full()) flush();
  return state_->late.compose(to, from);
}

void UringEngine::flush() {
  State& s = *state_;
  for (const Datagram& datagram : s.late.composed()) {
    if (datagram.size > 0) s.outbox[s.queued++] = &datagram;
  }
  const size_t count = std::exchange(s.queued, 0);
  if (count == 0 || (!s.started && !s.start())) return s.late.clear();
  for (size_t place = 0; place < count; ++place) s.prepare_send(place);
  s.submit();
  if (!s.failed.empty()) s.send_again();
  s.late.clear();
}

void UringEngine::stop() {
  State& s = *state_;
  if (!s.started) return;
  if (io_uring_sqe* const entry = io_uring_get_sqe(s.ring.get())) {
    io_uring_prep_cancel64(entry, of_receive, 0);
    entry->user_data = of_cancel;
  }
  for (size_t turn = 0; turn < s.buffers.count() && s.armed; ++turn) s.submit();
}

}  // namespace peregrine
