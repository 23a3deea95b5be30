#include "io/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <span>
#include <system_error>

namespace peregrine {
namespace {

constexpr size_t events_per_round = 256;
constexpr uint64_t mailbox = std::numeric_limits<uint64_t>::max();  // the token of the eventfd

Fd or_throw(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  return Fd(fd);
}

uint64_t token_of(int fd, uint32_t generation) {
  return uint64_t{generation} << 32 | static_cast<uint32_t>(fd);
}

}  // namespace

Loop::Loop(Clock& clock)
    : clock_(clock),
      timers_(clock.now()),
      epoll_(or_throw(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(or_throw(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = mailbox}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

Loop::~Loop() = default;

bool Loop::watch(int fd, uint32_t epoll_events, Watcher& watcher) {
  const auto index = static_cast<size_t>(fd);
  const bool known = fd >= 0 && index < watchers_.size();
  const int operation = known && watchers_[index] != nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  epoll_event event{.events = epoll_events, .data = {.u64 = token_of(fd, known ? generations_[index] : 0)}};
  if (epoll_ctl(epoll_.get(), operation, fd, &event) != 0) return false;
  if (!known) {
    watchers_.resize(index + 1);
    generations_.resize(index + 1);
  }
  watchers_[index] = &watcher;
  return true;
}

void Loop::unwatch(int fd) {
  const auto index = static_cast<size_t>(fd);
  if (fd < 0 || index >= watchers_.size() || watchers_[index] == nullptr) return;
  watchers_[index] = nullptr;
  ++generations_[index];
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void Loop::wake() {
  const uint64_t one = 1;
  // Fails only where the counter is full, and then the loop is awake already.
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
}

void Loop::post(Job job) {
  auto posted = posted_.lock();
  posted->push_back(std::move(job));
  if (posted->size() == 1) wake();
}

void Loop::run_posted() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(wake_.get(), &count, sizeof count);
  std::vector<Job> jobs;
  std::swap(jobs, *posted_.lock());
  for (Job& job : jobs) job();
}

// Milliseconds for epoll_wait, rounded up so that a timer is due when the wait ends.
int Loop::wait_limit(Duration limit) {
  if (const auto timer = timers_.until_next(clock_.precise())) limit = std::min(limit, *timer);
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
  return static_cast<int>(std::clamp<int64_t>(milliseconds, 0, std::numeric_limits<int>::max()));
}

void Loop::dispatch(uint32_t events, uint64_t token) {
  const auto index = static_cast<uint32_t>(token);
  Watcher* const watcher = watchers_[index];
  if (watcher == nullptr || generations_[index] != token >> 32) return;
  watcher->ready(events);
}

void Loop::run_once(Duration limit) {
  std::array<epoll_event, events_per_round> events;
  const int timeout = wait_limit(limit);
  const bool may_block = timeout > 0;
  if (may_block && before_block) before_block();
  const int count = epoll_wait(epoll_.get(), events.data(), events.size(), timeout);
  if (may_block && after_block) after_block();
  clock_.tick();

  const auto ready = std::span(events).first(static_cast<size_t>(std::max(count, 0)));
  if (std::ranges::any_of(ready, [](const epoll_event& e) { return e.data.u64 == mailbox; })) run_posted();
  for (const epoll_event& event : ready) {
    if (event.data.u64 != mailbox) dispatch(event.events, event.data.u64);
  }
  timers_.advance(clock_.now());
}

void Loop::run() {
  while (!stopping_) run_once(std::chrono::hours(1));
}

void Loop::stop() {
  stopping_ = true;
  wake();
}

}  // namespace peregrine
