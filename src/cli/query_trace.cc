#include "cli/query_trace.h"

#include <memory>

#include "cache/mutex_store.h"
#include "io/loop.h"
#include "resolve/recursor.h"
#include "resolve/root_hints.h"
#include "resolve/store_knowledge.h"

namespace peregrine {
namespace {

constexpr uint64_t cache_octets = 16u << 20;

std::shared_ptr<const RecursionTable> table_of(const RootTrace& wanted) {
  auto table = std::make_shared<RecursionTable>();
  table->options.timeout = wanted.timeout;
  table->options.port = wanted.port;
  table->options.query_private = !wanted.roots.empty();
  if (wanted.roots.empty()) {
    table->root = built_in_root();
    return table;
  }
  table->root.configured = true;
  for (const Endpoint& root : wanted.roots)
    table->root.servers.push_back({.name = {}, .addresses = {root.address}, .port = root.port});
  return table;
}

// All that a recursor needs, on this thread.
class Resolver {
 public:
  // What is still under way holds parts of this: it has to end before they do.
  ~Resolver() { exchange_.cancel_all(); }

  Explanation run(const RootTrace& wanted) {
    const Instant began = clock_.precise();
    const auto trace = std::make_shared<Trace>(clock_);
    std::optional<Resolution> result;
    spawn(resolve({.qname = wanted.qname, .qtype = wanted.qtype, .dnssec_ok = wanted.dnssec_ok},
                  table_of(wanted), trace, &result));
    while (!result) {
      loop_.run_once(std::chrono::seconds(1));
      reader_.quiet();
    }
    return {.by = Explanation::By::root,
            .steps = trace->steps(),
            .resolution = *std::move(result),
            .took = clock_.precise() - began};
  }

 private:
  Task<void> resolve(ResolveRequest request, std::shared_ptr<const RecursionTable> table,
                     std::shared_ptr<Trace> trace, std::optional<Resolution>* result) {
    const auto no_forwards = std::make_shared<const ForwardTable>(std::vector<ForwardTable::Zone>{});
    auto resolution = co_await recursor_.resolve(request, table, no_forwards, {}, trace);
    *result = std::move(resolution);
  }

  SystemClock clock_;
  Loop loop_{clock_};
  std::unique_ptr<Network> network_ = make_system_network(loop_);
  Random random_ = Random::from_system();
  Counters counters_;
  HashSecret secret_{HashKey::make(random_)};
  MutexStore store_{cache_octets, 1};
  MutexStore::Reader reader_{store_};
  StoreKnowledge<MutexStore> knowledge_{store_, reader_, clock_, secret_, nullptr};
  Exchange exchange_{*network_, clock_, loop_.timers(), random_, counters_, {.sockets = 64}};
  Upstreams upstreams_{clock_, random_};
  Forwarder forwarder_{exchange_, upstreams_, clock_};
  Recursor recursor_{{exchange_, upstreams_, clock_}, knowledge_, forwarder_};
};

}  // namespace

Explanation trace_from_root(const RootTrace& wanted) { return Resolver().run(wanted); }

}  // namespace peregrine
