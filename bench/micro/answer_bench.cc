// Answers and the cache: real answers (bench/data) put into a full store, and rendered from their blobs as
// the hit path does it; and TTLs aged, by the number of records, beside the copy alone that is made with it.
#include <benchmark/benchmark.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "cache/answer_cache.h"
#include "cache/arena_store.h"
#include "cache/mutex_store.h"
#include "data/packets.h"
#include "inputs.h"
#include "server/render.h"
#include "wire/message_writer.h"

using namespace peregrine;

namespace {

constexpr WallTime stored_at{std::chrono::seconds(1'700'000'000)};
constexpr WallTime now = stored_at + std::chrono::seconds(60);
constexpr std::array packets{"alias", "nxdomain", "signed_answer", "txt_4k"};

// Names that are asked for once: w and twelve letters, below example.com.
class NewNames {
 public:
  Bytes next() {
    uint64_t n = ++count_;
    for (size_t i = 0; i < 12; ++i, n /= 16) octets_[2 + i] = static_cast<uint8_t>('a' + n % 16);
    return octets_;
  }

 private:
  uint64_t count_ = 0;
  std::array<uint8_t, 27> octets_{13, 'w', 0,   0,   0,   0,   0,   0,   0, 0,   0,   0,   0, 0,
                                  7,  'e', 'x', 'a', 'm', 'p', 'l', 'e', 3, 'c', 'o', 'm', 0};
};

// From the message that a resolution ended with to its blob in the store, which another one has left for it.
template <class S>
void insert(benchmark::State& state, const std::string& name) {
  use_kernels(best_kernels());
  const HashSecret secret = exact::fixed_secret();
  const std::vector<uint8_t> octets = bench::answer_of(name);
  const MessageView message = *MessageView::parse(octets);
  std::vector<uint8_t> scratch(max_blob);
  S store(4 << 20);
  AnswerCache<S> cache(store);
  NewNames names;
  AnswerKey key;
  const auto put = [&] {
    key.assign({.qname = {}}, names.next(), secret);
    auto blob = cache.put(key, message, stored_at, 1, {}, scratch);
    benchmark::DoNotOptimize(blob);
  };
  while (store.stats().evicted == 0) put();
  for (auto _ : state) put();
  if (store.stats().refused != 0) state.SkipWithError("an answer was refused");
}

enum class Asked : uint8_t { plain, edns, cookie };

// The query for `message` as it stands in a slot; the cookie is the one that the reply will have.
QueryFields put_query(MutableBytes slot, const MessageView& message, Asked with) {
  const Question question = message.question();
  MessageWriter writer(slot);
  writer.rd(true);
  writer.question(question.qname, question.qtype, question.qclass);
  if (with != Asked::plain) writer.edns({});
  Query query{};
  const auto taken = take_in(writer.message(), Transport::tcp, 1232, query);
  if (taken.verdict != Intake::look_up) throw std::runtime_error("bench/data: no query to be looked up");
  if (with == Asked::cookie) query.fields.cookie.read(std::vector<uint8_t>(Cookie::whole_size, 7));
  return query.fields;
}

void render(benchmark::State& state, const std::string& name, Asked with) {
  const std::vector<uint8_t> octets = bench::answer_of(name), blob = bench::cached(name, stored_at);
  std::vector<uint8_t> slot(8192);
  const QueryFields fields = put_query(slot, *MessageView::parse(octets), with);
  size_t size = 0;
  for (auto _ : state) {
    size = render_answer(slot, fields, AnswerBlob::stored(blob), {.now = now});
    benchmark::DoNotOptimize(slot.data());
    benchmark::ClobberMemory();
  }
  const auto reply = MessageView::parse(Bytes(slot).first(size));
  if (!reply || reply->header().tc() || reply->header().count(Section::answer) == 0)
    if (name != "nxdomain") state.SkipWithError("the reply has no answer");
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * size));
}

void age(benchmark::State& state) {
  const std::vector<uint8_t> octets = exact::blob_of(static_cast<unsigned>(state.range(0)), stored_at);
  const AnswerBlob blob = *AnswerBlob::open(octets);
  std::vector<uint8_t> tail(blob.tail_size());
  for (auto _ : state) {
    benchmark::DoNotOptimize(blob.render(tail, now));
    benchmark::ClobberMemory();
  }
}

void copy_alone(benchmark::State& state) {
  const std::vector<uint8_t> octets = exact::blob_of(static_cast<unsigned>(state.range(0)), stored_at);
  const Bytes from = AnswerBlob::open(octets)->tail();
  std::vector<uint8_t> tail(from.size());
  for (auto _ : state) {
    copy_few(tail.data(), from.data(), from.size());
    benchmark::DoNotOptimize(tail.data());
    benchmark::ClobberMemory();
  }
}

void add() {
  for (const std::string packet : packets) {
    benchmark::RegisterBenchmark(("insert/arena/" + packet).c_str(), insert<ArenaStore>, packet);
    benchmark::RegisterBenchmark(("insert/mutex/" + packet).c_str(), insert<MutexStore>, packet);
    benchmark::RegisterBenchmark(("render/plain/" + packet).c_str(), render, packet, Asked::plain);
    benchmark::RegisterBenchmark(("render/edns/" + packet).c_str(), render, packet, Asked::edns);
    benchmark::RegisterBenchmark(("render/cookie/" + packet).c_str(), render, packet, Asked::cookie);
  }
  benchmark::RegisterBenchmark("age", age)->RangeMultiplier(2)->Range(1, 64);
  benchmark::RegisterBenchmark("age/copy_alone", copy_alone)->RangeMultiplier(2)->Range(1, 64);
}

}  // namespace

int main(int argc, char** argv) {
  add();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
