// The event loop of one thread: epoll, timers, and a mailbox for other threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/guarded.h"
#include "io/fd.h"
#include "io/timers.h"

namespace peregrine {

// Told when its descriptor is ready. May unwatch itself or any other from within ready().
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void ready(uint32_t epoll_events) = 0;
};

class Loop {
 public:
  explicit Loop(Clock& clock);  // throws std::system_error where the kernel gives no epoll
  ~Loop();

  Clock& clock() { return clock_; }
  Timers& timers() { return timers_; }

  // Level-triggered unless the events hold EPOLLET; again for the same descriptor changes it. False where the
  // kernel refuses (its limit of watches, or memory). Before a watched descriptor is closed it must be
  // unwatched.
  bool watch(int fd, uint32_t epoll_events, Watcher& watcher);
  void unwatch(int fd);  // its watcher is not called any more, not even in this round

  void post(Job job);  // thread-safe: runs on the loop's thread in its next round
  // One round: waits for at most `limit` (or the next timer), ticks the clock, then posted jobs, ready
  // descriptors, due timers. `before_block` and `after_block` (if set) run around a wait that may block (a
  // store's reader goes offline there).
  void run_once(Duration limit);
  void run();   // until stop()
  void stop();  // thread-safe
  std::function<void()> before_block, after_block;

 private:
  int wait_limit(Duration limit);
  void wake();
  void run_posted();
  void dispatch(uint32_t events, uint64_t token);

  Clock& clock_;
  Timers timers_;
  Fd epoll_, wake_;
  Guarded<std::vector<Job>> posted_;
  std::vector<Watcher*> watchers_;     // by descriptor; nullptr: not watched
  std::vector<uint32_t> generations_;  // by descriptor: an event of an earlier watch is stale
  std::atomic<bool> stopping_ = false;
};

}  // namespace peregrine
