#include "base/executor.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "base/log.h"

namespace peregrine {
namespace {

class ThreadExecutor final : public Executor {
 public:
  explicit ThreadExecutor(const char* name) : thread_([this] { work(); }) {
    // The kernel keeps 15 octets of a thread's name and refuses a longer one.
    pthread_setname_np(thread_.native_handle(), std::string(name).substr(0, 15).c_str());
  }

  ~ThreadExecutor() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void run(Job job) override {
    {
      std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
  }

 private:
  void work() {
    while (Job job = next()) run_safely(job);
  }

  // What one job fails at must not end the server, nor keep the others from running.
  static void run_safely(Job& job) {
    try {
      job();
    } catch (const std::exception& e) {
      log_error(std::string("a background job failed: ") + e.what());
    }
  }

  // Waits for a job; empty when stopping and all are done.
  Job next() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return {};
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::thread thread_;  // last: starts when all above exists
};

}  // namespace

std::unique_ptr<Executor> make_thread_executor(const char* thread_name) {
  return std::make_unique<ThreadExecutor>(thread_name);
}

}  // namespace peregrine
