// Work that must not stall a worker (reading a file, releasing a large structure) goes to an Executor.
#pragma once

#include <functional>
#include <memory>

namespace peregrine {

using Job = std::move_only_function<void()>;

class Executor {
 public:
  virtual ~Executor() = default;
  // Runs the job on some other thread, some time. Thread-safe. Jobs of one Executor run one after another.
  // An exception out of a job is logged and ends that job only.
  virtual void run(Job job) = 0;
};

// One background thread. The destructor runs what is queued and joins.
std::unique_ptr<Executor> make_thread_executor(const char* thread_name);

}  // namespace peregrine
