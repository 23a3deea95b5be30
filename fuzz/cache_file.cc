// A cache file of any octets: chunks that are found lie within their slots, and what is put into a store is
// a whole entry of one of its views, unexpired and not from the future.
#include <algorithm>
#include <cstring>
#include <vector>

#include "cache/answer.h"
#include "cache/arena_layout.h"
#include "cache/chunk_loader.h"
#include "cache/delegation.h"
#include "cache/file_reader.h"
#include "cache/key.h"
#include "cache/rrset.h"
#include "cache/xxh64.h"
#include "fuzz_input.h"

using namespace peregrine;

namespace {

constexpr FileGeometry geometry{.slot_octets = 4 * sector, .slots = 3};
constexpr WallTime now{std::chrono::seconds{1'800'000'000}};
constexpr std::chrono::seconds longest = std::chrono::days{7};
constexpr HashKey hash_key{1, 2};

// What the first octet says is done to the rest, so that the fuzzer comes past checksums it cannot guess.
constexpr uint8_t own_header = 1, mend_journal = 2, mend_chunks = 4, mend_hashes = 8;

// A file whose journal is blocks of its own, and whose slots begin at slots_at.
struct Image {
  FileHeader header = header_for(geometry, now, hash_key, 5);
  std::vector<JournalBlock> journal;
  std::vector<uint8_t> slots;

  uint64_t octets() const { return slots_at + slots.size(); }
  std::expected<size_t, int> read_at(MutableBytes out, uint64_t at) const {
    require(at >= slots_at);
    if (at >= octets() || out.empty()) return 0;
    const Bytes there = Bytes(slots).subspan(at - slots_at);
    const size_t size = std::min(out.size(), there.size());
    std::memcpy(out.data(), there.data(), size);
    return size;
  }
};

void mend(JournalBlock& block, uint32_t index, uint64_t seed) {
  block.index = index;
  block.checksum = checksum_of(block, seed);
}

void mend_entries(MutableBytes entries, const HashSecret& secret) {
  for (size_t at = 0; const auto entry = entry_at(entries, at);) {
    if (const auto parts = KeyParts::read(entry->key)) {
      ViewKey key;
      key.assign(load_u64(entry->key.data()), parts->owner.wire(), secret);
      const uint64_t hash = key.hash();
      std::memcpy(&entries[at], &hash, kept_hash_bits / 8);
    }
    at += size_t{entry->header.granules()} * granule;
  }
}

// Gives every chunk that could be one the place and the checksums of one.
void mend(Image& image, uint8_t how, const HashSecret& secret) {
  const uint64_t seed = image.header.seed;
  for (size_t at = 0; image.slots.size() - at >= sizeof(ChunkHeader);) {
    ChunkHeader chunk;
    std::memcpy(&chunk, &image.slots[at], sizeof chunk);
    const MutableBytes behind = MutableBytes(image.slots).subspan(at + sizeof chunk);
    if (chunk.octets <= behind.size()) {
      if (how & mend_hashes) mend_entries(behind.first(chunk.octets), secret);
      chunk.data_checksum = xxh64(behind.first(chunk.octets), seed);
    }
    chunk.at = slots_at + at;
    chunk.checksum = checksum_of(chunk, seed);
    std::memcpy(&image.slots[at], &chunk, sizeof chunk);
    const uint64_t next = chunk.octets <= behind.size() ? chunk_octets(chunk.octets) : sector;
    if (next > image.slots.size() - at) return;
    at += next;
  }
}

Image make_image(Script& script, uint8_t how, const HashSecret& secret) {
  Image image;
  if (how & own_header) {
    const Bytes octets = script.take(sizeof(FileHeader));
    std::memcpy(&image.header, octets.data(), octets.size());
    if (how & mend_chunks) image.header.checksum = checksum_of(image.header);
  }
  image.journal.resize(script.u8() % 4);
  for (uint32_t i = 0; i < image.journal.size(); ++i) {
    const Bytes octets = script.take(sector);
    std::memcpy(&image.journal[i], octets.data(), octets.size());
    if (how & mend_journal) mend(image.journal[i], i, image.header.seed);
  }
  const Bytes rest = script.take(SIZE_MAX);
  image.slots.assign(rest.begin(), rest.end());
  if (how & mend_chunks) mend(image, how, secret);
  return image;
}

std::optional<WallTime> stored_time(KeyView view, Bytes blob) {
  const auto time_of = [](const auto& opened) {
    return opened ? std::optional(opened->stored_at()) : std::nullopt;
  };
  if (view == KeyView::answer || view == KeyView::denial) return time_of(AnswerBlob::open(blob));
  if (view == KeyView::rrset) return time_of(RrsetBlob::open(blob));
  return view == KeyView::delegation ? time_of(DelegationBlob::open(blob)) : std::nullopt;
}

void check_put(const StoreKey& key, const Lifetime& lifetime, Bytes blob) {
  const auto parts = KeyParts::read(key.octets);
  require(parts.has_value());
  const auto stored = stored_time(parts->view, blob);
  require(stored && *stored <= now + std::chrono::seconds{5});
  require(lifetime.fresh(now) && lifetime.refresh_at <= lifetime.expires_at);
  require(lifetime.expires_at <= *stored + longest);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const HashSecret secret(hash_key);
  Script script({data, size});
  const uint8_t how = script.u8();
  const Image image = make_image(script, how, secret);
  if (!fault(image.header, now).empty()) return 0;
  const auto read_at = [&](MutableBytes out, uint64_t at) { return image.read_at(out, at); };
  const Chunks chunks = find_chunks(image.header, image.octets(), read_at);
  const auto journal = RemovalJournal::read(image.journal, image.header.seed);
  const RemovalJournal none;
  uint64_t put = 0;
  const auto prefetch = [](uint64_t) {};
  const auto put_if = [&](const StoreKey& key, const Lifetime& lifetime, Bytes blob, Decide decide) {
    check_put(key, lifetime, blob);
    ++put;
    return decide({.key = key, .lifetime = lifetime, .blob = blob, .frequency = 0});
  };
  const auto forget = [](const StoreKey& key, Decide decide) {
    require(KeyParts::read(key.octets).has_value());
    decide({.key = key, .lifetime = {}, .blob = {}, .frequency = 0});
  };
  ChunkLoader loader({.secret = secret, .now = now, .rules = 0, .generation = 3, .longest_lifetime = longest},
                     journal ? *journal : none, {.prefetch = prefetch, .put = put_if, .forget = forget});
  std::vector<uint8_t> buffer;
  for (const ChunkPlace& place : chunks.whole) {
    const uint64_t in_slot = (place.at - slots_at) % image.header.slot_octets;
    require(in_slot + sizeof(ChunkHeader) + place.octets <= image.header.slot_octets);
    if (read_chunk(image.header, place, buffer, read_at)) loader.load(buffer, place.sequence);
  }
  require(loader.counts().loaded + loader.counts().superseded == put);
  return 0;
}
