#include "server/server.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "base/log.h"
#include "config/own_addresses.h"
#include "io/listen.h"
#include "io/udp_steering.h"
#include "server/budget.h"
#include "server/version.h"

namespace peregrine {
namespace {

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

bool kernel_lacks(const ListenError& error) {
  return error.error_number == EADDRNOTAVAIL || error.error_number == EAFNOSUPPORT;
}

unsigned worker_count(const Config& config) {
  return config.server.workers ? config.server.workers : usable_cores();
}

int cpu_of(const Config& config, unsigned worker) {
  if (!config.flags.on(Flag::cpu_affinity)) return -1;
  const std::vector<unsigned> cpus = config.server.cpus.empty() ? usable_cpus() : config.server.cpus;
  return static_cast<int>(cpus[worker % cpus.size()]);
}

// Raises the limit of descriptors, and warns where it is too low for what is configured.
unsigned affordable_source_ports(const Config& config) {
  const DescriptorDemand demand{.limit = raise_descriptor_limit(),
                                .workers = worker_count(config),
                                .listen_addresses = config.server.listen.size(),
                                .tcp_sessions = config.server.tcp_sessions,
                                .source_ports = config.resolver.udp_sockets};
  const DescriptorBudget budget = share_out(demand);
  if (!budget.enough) log_warning(shortage(demand, budget));
  return budget.source_ports;
}

void refuse_loops(const Config& config) {
  const std::vector<std::string> errors = forwards_to_itself(config, is_of_this_host);
  if (!errors.empty()) throw StartError(errors.front());
}

std::vector<WorkerPlan> make_plans(const Config& config, const Snapshot& snapshot, unsigned source_ports) {
  Random random = Random::from_system();
  const auto hash_secret = std::make_shared<const HashSecret>(HashKey::make(random));
  std::vector<WorkerPlan> plans(worker_count(config));
  for (unsigned i = 0; i < plans.size(); ++i) {
    plans[i].index = i;
    plans[i].batch = config.server.batch;
    plans[i].pooled_buffers = config.flags.on(Flag::thread_local_buffers);
    plans[i].buffers = config.buffers;
    plans[i].cpu = cpu_of(config, i);
    plans[i].exchange.sockets = source_ports;
    plans[i].zero_copy_parsing = config.flags.on(Flag::zero_copy_parsing);
    plans[i].hash_secret = hash_secret;
    plans[i].snapshot = snapshot;
  }
  return plans;
}

// The listeners at `at` are the last that the plans were given.
void steer_group(const Config& config, const Endpoint& at, const std::vector<WorkerPlan>& plans) {
  if (!config.flags.on(Flag::udp_steering)) return;
  if (!config.flags.on(Flag::reuse_port)) return log_info("flags.udp_steering needs flags.reuse_port");
  std::vector<int> cpus;
  for (const WorkerPlan& plan : plans) cpus.push_back(plan.cpu);
  const Steering steering{
      .by = config.server.steering == SteeringKey::cpu ? SteerBy::cpu : SteerBy::flow,
      .family = at.address.family(),
      .cpus = cpus,
      .seed = Random::from_system().u32(),
  };
  const std::error_code error = steer(plans.front().udp.back().fd.get(), steering);
  if (error) log_warning("flags.udp_steering: the kernel spreads queries itself: " + error.message());
}

SharedStore make_store(const Config& config) {
  if (config.flags.on(Flag::lock_free_cache)) return std::make_unique<ArenaStore>(config.cache.size);
  return std::make_unique<MutexStore>(config.cache.size);
}

constexpr auto over_all_of = []<class S>(const std::unique_ptr<S>& store) -> std::unique_ptr<AnyStore> {
  return std::make_unique<AnyStoreOf<S>>(*store);
};

void take_kernels(bool simd) {
  if (!simd) return use_kernels(*find_kernels(KernelSet::scalar));
  const KernelChoice choice = choose_kernels();
  if (!choice.warning.empty()) log_warning(std::string(choice.warning));
  use_kernels(choice.kernels);
}

// What a worker may answer by when there is none yet. Throws StartError.
Snapshot first_snapshot(const Config& config) {
  const OwnZones own = load_own_zones(config, SystemClock().wall());
  for (const std::string& warning : own.warnings) log_warning(warning);
  if (!own.errors.empty()) {
    const size_t more = own.errors.size() - 1;
    throw StartError(own.errors.front().to_string() +
                     (more == 0 ? "" : "; peregrine check says " + std::to_string(more) + " more"));
  }
  return make_snapshot(config, system_servers(config, config.server.listen), own);
}

std::shared_ptr<const CookieSecrets> random_cookie_secrets() {
  Random random = Random::from_system();
  const HashKey current = HashKey::make(random);
  return std::make_shared<const CookieSecrets>(current, HashKey::make(random));
}

void log_unavailable_flags(const FlagSet& flags) {
  for (const FlagRow& row : flag_rows()) {
    const std::string_view why = unavailable(row.flag);
    if (!flags.wanted(row.flag) || why.empty()) continue;
    const std::string message = "flags." + std::string(row.name) + " stays off: " + std::string(why);
    if (flags.origin(row.flag) > Origin::profile) {
      log_warning(message);
    } else if (row.built) {
      log_info(message);
    }
  }
}

// What keeps a configuration from being read at all is one more error in it: who asked for it hears of it.
LoadedConfig load_or_say_why(const Server::Loader& loader) {
  try {
    return loader();
  } catch (const std::exception& error) {
    return {.config = {}, .errors = {{.source = "", .message = std::string("cannot load: ") + error.what()}}};
  }
}

}  // namespace

// Takes the process's signals as events of the loop.
struct Server::Signals final : Watcher {
  explicit Signals(Server& s) : server(s) {
    const sigset_t set = handled_signals();
    fd = Fd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!fd) throw std::system_error(errno, std::generic_category(), "signalfd");
    if (!server.loop_.watch(fd.get(), EPOLLIN, *this)) {
      throw std::system_error(errno, std::generic_category(), "cannot watch signals");
    }
  }
  ~Signals() override { server.loop_.unwatch(fd.get()); }

  void ready(uint32_t) override {
    signalfd_siginfo info{};
    while (read(fd.get(), &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGHUP) {
        server.reload([](const ReloadReport&) {});
      } else {
        server.stop();
      }
    }
  }

  Server& server;
  Fd fd;
};

void Server::block_signals() {
  const sigset_t set = handled_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a write past RLIMIT_FSIZE fails with EFBIG then
}

Server::Server(Config config, Loader loader)
    : config_(std::move(config)),
      loader_(std::move(loader)),
      started_(clock_.now()),
      loop_(clock_),
      store_(make_store(config_)),
      cache_(std::visit(over_all_of, store_)),
      snapshot_(first_snapshot(config_)),
      signals_(std::make_unique<Signals>(*this)) {
  snapshot_.cookies = random_cookie_secrets();
  take_kernels(config_.flags.on(Flag::simd));
  refuse_loops(config_);
  log_unavailable_flags(config_.flags);
  std::vector<WorkerPlan> plans = make_plans(config_, snapshot_, affordable_source_ports(config_));
  open_sockets(plans);
  state_dir_ = prepare_state_dir(config_.server.state_dir, config_.server.user);
  if (!config_.server.user.empty()) become_user(config_.server.user);
  background_ =
      make_thread_executor("background");  // threads only from here on: a user is changed for all at once
  inspector_ = make_thread_executor("inspector");
  open_cache_file(plans);
  start_workers(std::move(plans));
}

Server::~Server() {
  if (store_file_) store_file_->stop_loading();  // a flush may be waiting for it
  drain_workers();
  inspector_.reset();  // these join: what they run may use any member
  background_.reset();
}

void Server::open_cache_file(std::vector<WorkerPlan>& plans) {
  const std::string& path = config_.cache.file;
  if (path.empty()) return;
  const auto* store = std::get_if<std::unique_ptr<ArenaStore>>(&store_);
  if (!store) return log_warning("cache.file is not used: flags.lock_free_cache is off");
  store_file_ = StoreFile::open(path, **store, loop_);
  if (!store_file_) return;
  const auto secret = std::make_shared<const HashSecret>(store_file_->hash_key());
  for (WorkerPlan& plan : plans) plan.hash_secret = secret;
  store_file_->start(secret, *snapshot_.sources, snapshot_.policy_generation,
                     std::max(config_.cache.max_ttl, config_.cache.max_negative_ttl));
}

void Server::prepare_flush() {
  if (store_file_) store_file_->wait_until_loaded();
}

void Server::settle_flush(Job done) {
  if (!store_file_) return done();
  store_file_->settle_flush(std::move(done));
}

void Server::open_sockets(std::vector<WorkerPlan>& plans) {
  for (const ListenAddress& listen : config_.server.listen) {
    try {
      open_address(listen, plans);
    } catch (const ListenError& error) {
      if (!config_.server.listen_is_default || !kernel_lacks(error)) throw;
      log_info("skipping the default address " + listen.at.to_string() + ": " + error.what());
    }
  }
  if (listening_.empty()) throw StartError("no listening address could be opened; see server.listen");
}

void Server::open_address(const ListenAddress& listen, std::vector<WorkerPlan>& plans) {
  const bool udp = listen.scheme != ListenScheme::tcp, tcp = listen.scheme != ListenScheme::udp;
  Listeners opened = open_listeners(listen.at, {.udp = udp, .tcp = tcp, .each = plans.size()},
                                    {.reuse_port = config_.flags.on(Flag::reuse_port),
                                     .buffer_octets = static_cast<int>(config_.server.receive_buffer)});
  const bool wildcard = listen.at.address.is_unspecified();
  for (size_t i = 0; i < plans.size(); ++i) {
    if (udp) plans[i].udp.push_back({std::move(opened.udp[i]), wildcard});
    if (tcp) plans[i].tcp.push_back(std::move(opened.tcp[i]));
  }
  if (udp) steer_group(config_, opened.at, plans);
  if (udp) listening_.push_back("udp://" + opened.at.to_string());
  if (tcp) listening_.push_back("tcp://" + opened.at.to_string());
}

void Server::start_workers(std::vector<WorkerPlan> plans) {
  for (WorkerPlan& plan : plans) {
    plan.flushes = &flushes_;
    workers_.push_back(make_worker_thread(std::move(plan), config_.flags, store_, *background_));
  }
  try {
    for (auto& worker : workers_) worker->start();
  } catch (const std::system_error& error) {
    drain_workers();  // those that run would be waited for for ever
    throw StartError(std::string("cannot start a worker's thread: ") + error.what() +
                     "; allow more tasks (ulimit -u, TasksMax, the pids cgroup) or lower server.workers");
  }
}

void Server::run() {
  loop_.run();
  log_info("stopping: answering what is under way, for at most " +
           std::to_string(config_.server.drain_seconds) + " s");
  drain_workers();
}

void Server::stop() {
  if (std::exchange(stopping_, true)) return;
  loop_.stop();
}

void Server::drain_workers() {
  for (auto& worker : workers_) worker->drain(std::chrono::seconds(config_.server.drain_seconds));
  workers_.clear();  // joins
}

std::vector<WorkerThread*> Server::workers() const {
  std::vector<WorkerThread*> all;
  for (const auto& worker : workers_) all.push_back(worker.get());
  return all;
}

void Server::reload(std::function<void(const ReloadReport&)> done) {
  // Reading and checking may be slow: the loop goes on, and workers know nothing of it until the new parts
  // are whole.
  background_->run([this, listen = config_.server.listen, done = std::move(done)]() mutable {
    LoadedConfig loaded = load_or_say_why(loader_);
    std::vector<Endpoint> servers = system_servers(loaded.config, listen);
    OwnZones own = loaded.errors.empty() ? load_own_zones(loaded.config, SystemClock().wall()) : OwnZones();
    loop_.post([this, loaded = std::move(loaded), servers = std::move(servers), own = std::move(own),
                done = std::move(done)]() mutable { done(apply(loaded, std::move(servers), own)); });
  });
}

ReloadReport Server::apply(const LoadedConfig& loaded, std::vector<Endpoint> system_servers,
                           const OwnZones& own) {
  ReloadReport report;
  for (const ConfigError& error : loaded.errors) report.errors.push_back(error.to_string());
  for (const ConfigError& error : own.errors) report.errors.push_back(error.to_string());
  Config merged = merge_live(config_, loaded.config);
  if (report.errors.empty()) report.errors = forwards_to_itself(merged, is_of_this_host);
  if (!report.errors.empty()) {
    for (const std::string& error : report.errors) log_error(error);
    log_error("the new configuration was not taken; the running one stays");
    return report;
  }
  report.accepted = true;
  report.need_restart = keys_that_need_a_restart(config_, loaded.config);
  for (const std::string& key : report.need_restart) {
    log_warning(key + " cannot change while running: its new value waits for a restart");
  }
  config_ = std::move(merged);
  set_log_level(config_.log.level);
  for (const std::string& warning : own.warnings) log_warning(warning);
  snapshot_ = next_snapshot(snapshot_, config_, system_servers, own);
  if (store_file_) store_file_->adopt(*snapshot_.sources, snapshot_.policy_generation);
  for (auto& worker : workers_) worker->adopt(snapshot_);
  ++reloads_;
  log_info("reloaded the configuration (generation " + std::to_string(snapshot_.generation) + ")");
  return report;
}

Config merge_live(const Config& running, const Config& wanted) {
  Config merged = wanted;
  merged.profile = running.profile;
  merged.server = running.server;
  merged.server.drain_seconds = wanted.server.drain_seconds;
  merged.server.tcp_sessions = wanted.server.tcp_sessions;
  merged.server.tcp_sessions_per_client = wanted.server.tcp_sessions_per_client;
  merged.server.tcp_idle = wanted.server.tcp_idle;
  merged.cache.size = running.cache.size;
  merged.cache.file = running.cache.file;
  merged.resolver.udp_sockets = running.resolver.udp_sockets;
  merged.buffers = running.buffers;
  merged.flags = running.flags;
  return merged;
}

bool Server::inspect(std::move_only_function<Job()> work) {
  if (inspecting_.exchange(true)) return false;
  inspector_->run([this, work = std::move(work)]() mutable {
    Job then;
    try {
      then = work();
    } catch (...) {
      inspecting_ = false;
      throw;  // to the executor's log
    }
    inspecting_ = false;
    then();
  });
  return true;
}

ServerStatus Server::status() const {
  ServerStatus status;
  status.version = version;
  status.pid = static_cast<unsigned>(getpid());
  status.uptime = SystemClock().now() - started_;
  status.listening = listening_;
  status.forwarding.assign(snapshot_.forward->zones().begin(), snapshot_.forward->zones().end());
  status.recursion = snapshot_.recursion != nullptr;
  status.workers = static_cast<unsigned>(workers_.size());
  status.generation = snapshot_.generation;
  Histogram latency;
  for (const auto& worker : workers_) {
    for (size_t i = 0; i < counter_count; ++i)
      status.counters[i] += worker->counters().get(static_cast<Counter>(i));
    latency.merge(worker->latency());
  }
  status.counters[static_cast<size_t>(Counter::reloads)] = reloads_;
  status.cache = cache_->stats();
  if (store_file_) status.cache_file = store_file_->stats();
  status.resolved_p50 = latency.quantile(0.50);
  status.resolved_p99 = latency.quantile(0.99);
  status.flags = config_.flags;
  return status;
}

}  // namespace peregrine
