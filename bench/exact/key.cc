// A question to its cache key, and the key to what the store has.
#include "cache/answer_cache.h"
#include "cache/arena_store.h"
#include "cache/mutex_store.h"
#include "exact.h"
#include "inputs.h"

namespace peregrine::exact {
namespace {

std::vector<DnameBuf> names() {
  std::vector<DnameBuf> all;
  for (unsigned i = 0; i < name_count; ++i) all.push_back(name(i));
  return all;
}

void make_key(Meter& meter) {
  const HashSecret secret = fixed_secret();
  const auto all = names();
  meter.count(all.size(), [&] {
    for (const DnameBuf& qname : all) keep(AnswerKey({.qname = qname}, secret));
  });
}

template <Store S>
void find(Meter& meter) {
  const HashSecret secret = fixed_secret();
  const auto all = names();
  S store(64 << 20);
  AnswerCache<S> cache(store);
  std::vector<uint8_t> scratch(max_blob);
  for (const DnameBuf& qname : all) {
    const auto message = answer(qname);
    const auto kept = cache.put(key(qname, Opt::none, secret), MessageView::parse(message).value(),
                                WallTime{}, 1, {}, scratch);
    require(kept.has_value(), "an answer was not kept");
  }
  typename S::Reader reader(store);
  uint64_t found = 0;
  const auto find_all = [&] {
    for (const DnameBuf& qname : all) {
      const AnswerKey wanted({.qname = qname}, secret);
      const Hit hit = reader.find(wanted.store_key());
      keep(hit);
      found += static_cast<bool>(hit);
      reader.quiet();
    }
  };
  find_all();
  found = 0;
  meter.count(all.size(), find_all);
  require(found == all.size(), "a name was not found");
}

const Benchmark benchmarks[] = {
    {"make_key", make_key},
    {"find.mutex", find<MutexStore>},
    {"find.arena", find<ArenaStore>},
};

}  // namespace
}  // namespace peregrine::exact

int main(int argc, char** argv) {
  return peregrine::exact::exact_main(argc, argv, peregrine::exact::benchmarks);
}
