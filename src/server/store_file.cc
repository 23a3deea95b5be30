#include "server/store_file.h"

#include <chrono>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "server/version.h"

namespace peregrine {
namespace {

// What was stored is in the file within a second.
constexpr std::chrono::milliseconds between_ticks{500};
// So long queries wait in the sockets rather than be asked upstream for what is about to be known: a client
// does not ask again before.
constexpr std::chrono::seconds head_start{1};

void log_loaded(const CacheFileStats& stats) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(stats.load_time).count();
  log_info("cache.file: " + std::to_string(stats.entries.loaded) + " entries loaded in " +
           std::to_string(milliseconds) + " ms; " + std::to_string(stats.entries.expired) + " had expired");
  const std::string damage = damage_text(stats);
  if (!damage.empty()) log_warning("cache.file: " + damage);
}

}  // namespace

uint64_t rules_of(const Sources& sources) {
  const std::string all = std::string(version) + ' ' + std::to_string(sources.fingerprint());
  return siphash13({}, {reinterpret_cast<const uint8_t*>(all.data()), all.size()});
}

std::unique_ptr<StoreFile> StoreFile::open(const std::string& path, ArenaStore& store, Loop& loop) {
  Random random = Random::from_system();
  const ArenaGeometry& arena = store.geometry();
  auto file = CacheFile::open(
      path, CacheFile::geometry_for(arena.segment_octets, static_cast<uint32_t>(arena.segments)),
      SystemClock().wall(), random);
  if (!file) return nullptr;
  return std::unique_ptr<StoreFile>(new StoreFile(std::move(file), store, loop));
}

StoreFile::StoreFile(std::unique_ptr<CacheFile> file, ArenaStore& store, Loop& loop)
    : store_(store), loop_(loop), file_(std::move(file)), entries_(store), timer_([this] { tick(); }) {
  store.log_removals(file_->removals());
}

StoreFile::~StoreFile() {
  if (!executor_) return;
  stop_loading();
  file_->finish(SystemClock().wall());
  executor_.reset();  // runs what waits, and joins
}

void StoreFile::start(std::shared_ptr<const HashSecret> secret, const Sources& sources, uint32_t generation,
                      std::chrono::seconds longest_ttl) {
  const WallTime now = SystemClock().wall();
  rules_ = rules_of(sources);
  store_.tell_time(now);
  executor_ = make_thread_executor("cache file");
  file_->start(entries_, *executor_);
  std::promise<void> loaded;
  loaded_ = loaded.get_future();
  executor_->run([this, secret = std::move(secret), rules = rules_, generation, now, longest_ttl,
                  loaded = std::move(loaded)]() mutable {
    load({.secret = *secret,
          .now = now,
          .rules = rules,
          .generation = generation,
          .longest_lifetime = longest_ttl});
    loaded.set_value();
  });
  if (loaded_.wait_for(head_start) == std::future_status::timeout)
    log_info("cache.file: the server answers while the file is being loaded");
  tick();
}

void StoreFile::load(const Loading& loading) {
  file_->load(loading,
              {.prefetch = [this](uint64_t hash) { store_.prefetch_to_put(hash); },
               .put = [this](const StoreKey& key, const Lifetime& lifetime, Bytes blob,
                             Decide decide) { return store_.put_if(key, lifetime, blob, decide); },
               .forget = [this](const StoreKey& key, Decide decide) { store_.forget_if(key, decide); }});
  log_loaded(file_->stats());
}

void StoreFile::tick() {
  file_->tick(loop_.clock().wall());
  loop_.timers().arm(timer_, loop_.clock().now() + between_ticks);
}

void StoreFile::adopt(const Sources& sources, uint32_t generation) {
  const uint64_t rules = rules_of(sources);
  if (rules == rules_) return;
  rules_ = rules;
  file_->change_rules(rules, generation);
}

void StoreFile::settle_flush(Job done) {
  file_->removals().removed_all();
  file_->when_removals_are_safe(std::move(done));
}

}  // namespace peregrine
