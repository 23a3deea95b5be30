#include "cache/chunk_loader.h"

#include "cache/arena_layout.h"

namespace peregrine {
namespace {

constexpr int entries_ahead = 8;  // whose places in the store are on their way

}  // namespace

void ChunkLoader::load(MutableBytes chunk, uint64_t sequence) {
  size_t fetched = 0;
  const auto fetch_next = [&] {
    const auto entry = entry_at(chunk, fetched);
    if (!entry) return;
    target_.prefetch(entry->header.hash());
    fetched += size_t{entry->header.granules()} * granule;
  };
  for (int i = 0; i < entries_ahead; ++i) fetch_next();
  for (size_t at = 0; at < chunk.size();) {
    fetch_next();
    const auto entry = entry_at(chunk, at);
    if (!entry) return static_cast<void>(++counts_.malformed);
    const size_t blob_at = at + sizeof(EntryHeader) + entry->header.key_size();
    at += size_t{entry->header.granules()} * granule;
    if (journal_.hides(entry->header.hash(), sequence)) {
      ++counts_.removed;
      continue;
    }
    load_entry(*entry, chunk.subspan(blob_at, entry->header.blob_size()));
  }
}

void ChunkLoader::load_entry(const EntryView& entry, MutableBytes blob) {
  const EntryFault fault = checker_.check(entry);
  if (fault != EntryFault::none) return refuse(fault);
  if (policy_generation(entry)) set_policy_generation(blob, loading_.generation);
  bool superseded = false;
  const auto decide = [&](const StoredEntry& old) {
    superseded = !may_replace(old);
    return !superseded;
  };
  const bool put = target_.put(checker_.key(), checker_.lifetime(), blob, decide);
  if (put) ++counts_.loaded;
  if (superseded) ++counts_.superseded;
}

void ChunkLoader::refuse(EntryFault fault) {
  ++(fault == EntryFault::expired  ? counts_.expired
     : fault == EntryFault::future ? counts_.from_future
                                   : counts_.malformed);
  if (!checker_.keyed()) return;
  // It took the place of an older one.
  target_.forget(checker_.key(), [this](const StoredEntry& old) { return may_replace(old); });
}

// What was stored since the start is later than all that is in the file. Of what comes from the file itself
// the order of the chunks decides, and not a clock that may have been set back.
bool ChunkLoader::may_replace(const StoredEntry& old) const {
  const auto stored = stored_at(old);
  return !stored || *stored < loading_.now || checker_.stored_at() >= loading_.now;
}

}  // namespace peregrine
