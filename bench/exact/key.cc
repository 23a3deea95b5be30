// A question to its cache key, the key to what the store has, and an answer into the store.
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

enum class Found : uint8_t { hit, miss };

template <Store S, Found expected = Found::hit>
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
  const Class asked = expected == Found::hit ? Class::in : Class::ch;
  uint64_t found = 0;
  const auto find_all = [&] {
    for (const DnameBuf& qname : all) {
      const AnswerKey wanted({.qname = qname, .qclass = asked}, secret);
      const Hit hit = reader.find(wanted.store_key());
      keep(hit);
      found += static_cast<bool>(hit);
      reader.quiet();
    }
  };
  find_all();
  found = 0;
  meter.count(all.size(), find_all);
  require(found == (expected == Found::hit ? all.size() : 0), "found too many names or too few");
}

// Into a full store: each puts out another.
template <Store S>
void put(Meter& meter) {
  constexpr unsigned filling = 20'000, measured = 8'000;
  const HashSecret secret = fixed_secret();
  const std::vector<uint8_t> blob = blob_of(1, WallTime{});
  S store(1 << 20);
  const Lifetime lifetime{.refresh_at = WallTime{std::chrono::seconds(270)},
                          .expires_at = WallTime{std::chrono::seconds(300)}};
  bool all_put = true;
  const auto put_one = [&](const AnswerKey& key) { all_put &= store.put(key.store_key(), lifetime, blob); };
  for (unsigned i = 0; i < filling; ++i) put_one(key(name(i), Opt::none, secret));
  std::vector<AnswerKey> keys;
  for (unsigned i = filling; i < filling + measured; ++i) keys.push_back(key(name(i), Opt::none, secret));
  const StoreStats before = store.stats();
  meter.count(keys.size(), [&] {
    for (const AnswerKey& one : keys) put_one(one);
  });
  require(all_put, "a blob was not put");
  require(store.stats().evicted > before.evicted + measured * 9 / 10, "the store was not full");
}

// What an answer costs before it is put: its octets parsed, how long it may be kept, its blob.
void encode(Meter& meter) {
  std::vector<std::vector<uint8_t>> messages;
  for (const DnameBuf& qname : names()) messages.push_back(answer(qname));
  std::vector<uint8_t> scratch(max_blob);
  bool all_kept = true;
  count_each(meter, messages, [&](const std::vector<uint8_t>& message) {
    const MessageView view = *MessageView::parse(message);
    const auto lasts = time_to_keep(view, {});
    const auto blob = encode_answer(view, {.stored_at = WallTime{}, .keep = *lasts}, scratch);
    keep(scratch);
    all_kept &= blob.has_value();
  });
  require(all_kept, "an answer has no blob");
}

const Benchmark benchmarks[] = {
    {"make_key", make_key},
    {"find.mutex", find<MutexStore>},
    {"find.arena", find<ArenaStore>},
    {"find_miss.mutex", find<MutexStore, Found::miss>},
    {"find_miss.arena", find<ArenaStore, Found::miss>},
    {"encode", encode},
    {"put.mutex", put<MutexStore>},
    {"put.arena", put<ArenaStore>},
};

}  // namespace
}  // namespace peregrine::exact

int main(int argc, char** argv) {
  return peregrine::exact::exact_main(argc, argv, peregrine::exact::benchmarks);
}
