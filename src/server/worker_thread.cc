#include "server/worker_thread.h"

#include <linux/mempolicy.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <thread>

#include "io/loop.h"
#include "io/uring_engine.h"
#include "server/explainer.h"
#include "server/worker.h"

namespace peregrine {
namespace {

void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0) {
    log_warning("worker cannot be pinned to CPU " + std::to_string(cpu) +
                ": not in this process's set; see server.cpus");
  }
}

// What this thread touches first comes from the memory of its own CPU's node, whatever policy the process was
// started with (numactl --interleave, say). A kernel without NUMA has only one node.
void prefer_local_memory() { syscall(SYS_set_mempolicy, MPOL_LOCAL, nullptr, 0); }

template <UdpEngine E, Store S>
class LoopWorker final : public WorkerThread {
 public:
  LoopWorker(WorkerPlan plan, S& store, Executor& reclaimer)
      : index_(plan.index),
        cpu_(plan.cpu),
        batch_(plan.batch),
        buffers_(plan.pooled_buffers ? plan.buffers : BufferLimits{.small = 0, .medium = 0, .large = 0}),
        reclaimer_(reclaimer),
        loop_(clock_),
        network_(make_system_network(loop_)),
        random_(Random::from_system()),
        hash_secret_(std::move(plan.hash_secret)),
        worker_(World{clock_, loop_.timers(), *network_, random_, counters_, latency_, *hash_secret_,
                      plan.zero_copy_parsing, plan.flushes},
                store, std::move(plan.snapshot), plan.exchange),
        drain_timer_([this] { give_up(); }) {
    for (auto& socket : plan.udp) {
      size_t engine = worker_.add(
          E(std::move(socket.fd),
            {.batch = batch_, .wildcard = socket.wildcard, .pooled_slots = plan.pooled_buffers}, counters_));
      inputs_.push_back(std::make_unique<Input>(*this, engine));
      if (!loop_.watch(worker_.engine(engine).fd(), EPOLLIN, *inputs_.back())) {
        throw std::system_error(errno, std::generic_category(), "cannot watch a listening socket");
      }
    }
    for (auto& fd : plan.tcp) {
      listeners_.push_back(
          std::make_unique<TcpListener>(loop_, std::move(fd), worker_.sessions(), counters_));
    }
    loop_.before_block = [this] { worker_.service().offline(); };
    loop_.after_block = [this] { worker_.service().online(); };
  }

  ~LoopWorker() override {
    if (thread_.joinable()) thread_.join();
  }

  void start() override {
    thread_ = std::thread([this] { run(); });
  }

  void adopt(Snapshot snapshot) override {
    loop_.post([this, next = std::move(snapshot)]() mutable {
      Snapshot old = worker_.service().snapshot();
      worker_.adopt(std::move(next));
      // Releasing the old parts may be long work (large lists): not here.
      reclaimer_.run([old = std::move(old)]() mutable { old = {}; });
    });
  }

  void drain(Duration limit) override {
    loop_.post([this, limit] {
      draining_ = true;
      for (auto& listener : listeners_) listener->stop();
      // What the kernel has queued already was asked of us: one more look, then no more.
      for (auto& input : inputs_) input->ready(EPOLLIN);
      for (size_t i = 0; i < inputs_.size(); ++i) loop_.unwatch(worker_.engine(i).fd());
      worker_.sessions().drain();
      loop_.timers().arm(drain_timer_, clock_.now() + limit);
    });
  }

  void inspect_upstreams(std::function<void(std::vector<UpstreamStatus>)> then) override {
    loop_.post([this, then = std::move(then)] {
      std::vector<UpstreamStatus> status;
      for (const auto& [server, health] : worker_.service().upstreams().table()) {
        status.push_back({server, health, health.rest_until > clock_.now()});
      }
      std::ranges::sort(status, {}, &UpstreamStatus::server);
      then(std::move(status));
    });
  }

  void explain(ExplainRequest request, std::function<void(std::optional<Explanation>)> then) override {
    loop_.post([this, request = std::move(request), then = std::move(then)]() mutable {
      Explainer<S>::start(worker_.service(), request, std::move(then));
    });
  }

  const Counters& counters() const override { return counters_; }
  const Histogram& latency() const override { return latency_; }

 private:
  static constexpr unsigned max_batches_per_round = 16;  // then upstream replies and streams get their turn

  // A listening UDP socket that has something.
  struct Input final : Watcher {
    Input(LoopWorker& w, size_t e) : owner(w), engine(e) {}
    void ready(uint32_t) override {
      for (unsigned i = 0; i < max_batches_per_round; ++i) {
        owner.clock_.tick();
        if (owner.worker_.serve(engine) < owner.batch_) return;
      }
    }
    LoopWorker& owner;
    size_t engine;
  };

  void run() {
    pthread_setname_np(pthread_self(), ("worker/" + std::to_string(index_)).c_str());
    BufferPool::of_this_thread().limits(buffers_);
    if (cpu_ >= 0) {
      pin_to(cpu_);
      prefer_local_memory();
    }
    // An io_uring has to be started by the thread that it is for, and is not readable before.
    for (auto& input : inputs_) input->ready(EPOLLIN);
    if (index_ == 0) spawn(worker_.service().prime());
    while (!finished()) {
      loop_.run_once(std::chrono::seconds(1));
      worker_.flush();
    }
    worker_.sessions().close_all();
    stop_engines();
  }

  void stop_engines() {
    if constexpr (requires(E engine) { engine.stop(); }) {
      for (size_t i = 0; i < inputs_.size(); ++i) worker_.engine(i).stop();
    }
  }

  bool finished() {
    return draining_ && (gave_up_ || (worker_.service().resolving() == 0 && worker_.sessions().size() == 0));
  }

  void give_up() {
    worker_.service().cancel();
    gave_up_ = true;
  }

  const unsigned index_;
  const int cpu_;
  const unsigned batch_;
  const BufferLimits buffers_;
  Executor& reclaimer_;
  SystemClock clock_;
  Counters counters_;
  Histogram latency_;
  Loop loop_;
  std::unique_ptr<Network> network_;
  Random random_;
  std::shared_ptr<const HashSecret> hash_secret_;
  Worker<E, S> worker_;
  std::vector<std::unique_ptr<Input>> inputs_;
  std::vector<std::unique_ptr<TcpListener>> listeners_;
  Timer drain_timer_;
  bool draining_ = false, gave_up_ = false;
  std::thread thread_;
};

template <Store S>
std::unique_ptr<WorkerThread> make_with(WorkerPlan plan, const FlagSet& flags, S& store,
                                        Executor& reclaimer) {
  if (flags.on(Flag::io_uring)) {
    return std::make_unique<LoopWorker<UringEngine, S>>(std::move(plan), store, reclaimer);
  }
  if (flags.on(Flag::batched_io)) {
    return std::make_unique<LoopWorker<MmsgEngine, S>>(std::move(plan), store, reclaimer);
  }
  return std::make_unique<LoopWorker<PlainEngine, S>>(std::move(plan), store, reclaimer);
}

}  // namespace

std::unique_ptr<WorkerThread> make_worker_thread(WorkerPlan plan, const FlagSet& flags,
                                                 const SharedStore& store, Executor& reclaimer) {
  return std::visit([&](const auto& chosen) { return make_with(std::move(plan), flags, *chosen, reclaimer); },
                    store);
}

}  // namespace peregrine
