#include "cache/file_support.h"

#include <unistd.h>

#include <cstring>
#include <stdexcept>

namespace peregrine {
namespace {

constexpr size_t tail_at = sizeof(AnswerBlobHeader) + 2;  // behind the offset of one RR's TTL
constexpr size_t pattern_at = tail_at + 32;

uint8_t pattern(uint64_t number, uint64_t version, size_t i) {
  return static_cast<uint8_t>((number * 31 + version * 0x10001 + i) * 0x9e3779b97f4a7c15 >> 56);
}

}  // namespace

Octets contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void overwrite(const std::string& path, const Octets& octets) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(octets.data()), static_cast<std::streamsize>(octets.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

AnswerKey numbered_key(uint64_t number, const HashSecret& secret) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<uint8_t, 26> wire{16};
  for (size_t i = 0; i < 16; ++i) wire[1 + i] = static_cast<uint8_t>(digits[number >> (4 * i) & 15]);
  std::memcpy(&wire[17], "\7example", 9);
  return {{.qname = Dname::from_checked(wire), .qtype = Type::txt}, secret};
}

Octets blob_of(const NumberedAnswer& answer) {
  Octets blob(answer.size);
  const AnswerBlobHeader header{
      .version = AnswerBlobHeader::layout_version,
      .extended_rcode = 0,
      .reply = {0x80, 0x80, 0, 1, 0, 0, 0, 0},
      .tail_size = static_cast<uint16_t>(answer.size - tail_at),
      .policy_generation = answer.generation,
      .stored_at = static_cast<uint32_t>(answer.stored_at.time_since_epoch().count())};
  std::memcpy(blob.data(), &header, sizeof header);
  std::memcpy(&blob[tail_at + 8], &answer.number, 8);
  std::memcpy(&blob[tail_at + 16], &answer.version, 8);
  for (size_t i = pattern_at; i < blob.size(); ++i) blob[i] = pattern(answer.number, answer.version, i);
  return blob;
}

std::optional<NumberedAnswer> read_numbered(Bytes blob) {
  const auto opened = AnswerBlob::open(blob);
  if (!opened || blob.size() < 64) return std::nullopt;
  NumberedAnswer answer{
      .stored_at = opened->stored_at(), .generation = opened->policy_generation(), .size = blob.size()};
  std::memcpy(&answer.number, &blob[tail_at + 8], 8);
  std::memcpy(&answer.version, &blob[tail_at + 16], 8);
  if (!std::ranges::equal(blob, blob_of(answer))) return std::nullopt;
  return answer;
}

FiledStore::FiledStore(const Options& given) : options(given), store(options.capacity), reader(store) {
  reader.offline();
  Random random = Random::from_seed(options.seed);
  const ArenaGeometry& geometry = store.geometry();
  file = CacheFile::open(
      options.path,
      CacheFile::geometry_for(geometry.segment_octets, static_cast<uint32_t>(geometry.segments)), options.now,
      random);
  secret = std::make_unique<HashSecret>(file ? file->hash_key() : HashKey::make(random));
  if (!file) return;
  store.log_removals(file->removals());
  entries = std::make_unique<ArenaEntries>(store);
  file->start(*entries, executor);
  if (options.load) load();
}

void FiledStore::load() {
  file->load(
      {.secret = *secret, .now = options.now, .rules = options.rules, .generation = options.generation},
      {.prefetch = [this](uint64_t hash) { store.prefetch_to_put(hash); },
       .put =
           [this](const StoreKey& key, const Lifetime& lifetime, Bytes blob, Decide decide) {
             if (before_put) before_put(key);
             return store.put_if(key, lifetime, blob, decide);
           },
       .forget =
           [this](const StoreKey& key, Decide decide) {
             if (before_put) before_put(key);
             store.forget_if(key, decide);
           }});
}

bool FiledStore::put(const NumberedAnswer& answer, std::chrono::seconds keep) {
  NumberedAnswer stored = answer;
  if (stored.stored_at == WallTime{}) stored.stored_at = file_now;
  const WallTime end = stored.stored_at + keep;
  return store.put(numbered_key(stored.number, *secret).store_key(), {.refresh_at = end, .expires_at = end},
                   blob_of(stored));
}

std::optional<NumberedAnswer> FiledStore::find(uint64_t number) {
  reader.online();
  const Hit hit = reader.find(numbered_key(number, *secret).store_key());
  const bool found = static_cast<bool>(hit);
  auto answer = found ? read_numbered(hit.blob()) : std::nullopt;
  reader.offline();
  if (!found) return std::nullopt;
  if (!answer || answer->number != number) throw std::runtime_error("a blob is not whole");
  return answer;
}

uint64_t FiledStore::present(uint64_t end) {
  uint64_t found = 0;
  for (uint64_t i = 0; i < end; ++i) found += find(i).has_value();
  return found;
}

bool FiledStore::remove(uint64_t number) { return store.remove(numbered_key(number, *secret).store_key()); }

void FiledStore::tick(WallTime now) {
  file->tick(now);
  executor.run_all();
}

void FiledStore::finish(WallTime now) {
  file->finish(now);
  executor.run_all();
}

}  // namespace peregrine
