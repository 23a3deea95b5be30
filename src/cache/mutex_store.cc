#include "cache/mutex_store.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <new>

#include "base/guarded.h"

namespace peregrine {

namespace {

// What glibc's malloc takes for `size` octets.
constexpr uint64_t allocation(uint64_t size) { return (size + 8 + 15) & ~uint64_t{15}; }

constexpr uint64_t least_shard = 256 * 1024;  // several blobs of max_blob
constexpr unsigned most_shards = 1024;
constexpr size_t least_buckets = 16;
constexpr int eviction_window = 4;
constexpr size_t expected_hits = 64;  // of a reader between two quiet points

struct Link {
  Link* newer = this;
  Link* older = this;
};

void unlink(Link& link) {
  link.newer->older = link.older;
  link.older->newer = link.newer;
}

// `list` is the sentinel of a circular list: its `older` is the newest entry, its `newer` the oldest.
void link_newest(Link& list, Link& link) {
  link.newer = &list;
  link.older = list.older;
  list.older->newer = &link;
  list.older = &link;
}

}  // namespace

// Its key and its blob follow it in the same allocation.
struct MutexStore::Entry : Link {
  Entry(const StoreKey& key, const Lifetime& lifetime_, Bytes blob_)
      : hash(key.hash),
        lifetime(lifetime_),
        blob_size(static_cast<uint32_t>(blob_.size())),
        key_size(static_cast<uint16_t>(key.octets.size())) {
    if (!key.octets.empty()) std::memcpy(octets(), key.octets.data(), key.octets.size());
    if (!blob_.empty()) std::memcpy(octets() + key_size, blob_.data(), blob_.size());
  }

  static size_t size_for(const StoreKey& key, Bytes blob) {
    return sizeof(Entry) + key.octets.size() + blob.size();
  }
  uint64_t allocated() const { return allocation(sizeof(Entry) + key_size + blob_size); }
  uint8_t* octets() { return reinterpret_cast<uint8_t*>(this + 1); }
  Bytes blob() { return {octets() + key_size, blob_size}; }
  StoredEntry stored() {
    return {.key = {.octets = {octets(), key_size}, .hash = hash},
            .lifetime = lifetime,
            .blob = blob(),
            .frequency = 0};
  }
  bool has_key(const StoreKey& key) {
    return hash == key.hash && std::ranges::equal(Bytes(octets(), key_size), key.octets);
  }

  uint64_t hash;
  Lifetime lifetime;
  Entry* chain = nullptr;                // the next of the same bucket
  std::atomic<uint32_t> references = 1;  // the index's, and one for each Hit
  uint32_t blob_size;
  uint16_t key_size;
};

// The octets of one shard. They grow only under the shard's lock, before memory is taken, and shrink
// anywhere, after it was given back: so they are never less than what is in use, and never over the capacity.
struct MutexStore::Account {
  bool has_room(uint64_t more) const { return octets.load(std::memory_order_relaxed) + more <= capacity; }
  void take(uint64_t n) { octets.fetch_add(n, std::memory_order_relaxed); }
  void give_back(uint64_t n) { octets.fetch_sub(n, std::memory_order_relaxed); }

  void release(Entry* entry) {
    if (entry->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    uint64_t n = entry->allocated();
    entry->~Entry();
    ::operator delete(entry);
    give_back(n);
  }

  std::atomic<uint64_t> octets = 0;
  uint64_t capacity = 0;  // set once, before the store is shared
};

// The entries of one shard: a hash table with chaining and a list by use.
class MutexStore::Index {
 public:
  explicit Index(Account& account) : account_(account) {}
  ~Index() { clear(); }
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  Entry* find(const StoreKey& key);  // with a reference of the caller's own
  bool put(const StoreKey& key, const Lifetime& lifetime, Bytes blob, const Decide* decide);
  bool remove(const StoreKey& key);
  void remove(Entry* entry);  // where it is still there
  void clear();
  std::vector<Entry*> all() const;  // with a reference of the caller's own to each
  void add_to(StoreStats& sum) const;

 private:
  Entry** slot_of(const StoreKey& key);
  Entry* add(const StoreKey& key, const Lifetime& lifetime, Bytes blob);
  void drop(Entry** slot);
  bool ready_table();
  bool make_room(uint64_t more);
  void evict();
  Entry*& bucket(uint64_t hash) { return buckets_[hash & (bucket_count_ - 1)]; }
  static uint64_t table_octets(size_t buckets) { return buckets ? allocation(buckets * sizeof(Entry*)) : 0; }

  Account& account_;
  std::unique_ptr<Entry*[]> buckets_;
  size_t bucket_count_ = 0;  // a power of two, or none yet
  uint64_t live_ = 0;        // octets of the entries
  Link by_use_;
  StoreStats counts_;
};

struct alignas(64) MutexStore::Shard {
  Account account;
  Guarded<Index> index{account};
};

// Where the pointer to the key's entry stands; it is null where there is no such entry. Only with a table.
MutexStore::Entry** MutexStore::Index::slot_of(const StoreKey& key) {
  Entry** slot = &bucket(key.hash);
  while (*slot && !(*slot)->has_key(key)) slot = &(*slot)->chain;
  return slot;
}

MutexStore::Entry* MutexStore::Index::find(const StoreKey& key) {
  if (!buckets_) return nullptr;
  Entry* entry = *slot_of(key);
  if (!entry) return nullptr;
  unlink(*entry);
  link_newest(by_use_, *entry);
  entry->references.fetch_add(1, std::memory_order_relaxed);
  return entry;
}

bool MutexStore::Index::put(const StoreKey& key, const Lifetime& lifetime, Bytes blob, const Decide* decide) {
  Entry** old = buckets_ ? slot_of(key) : nullptr;
  bool replaces = old && *old;
  if (replaces && decide && !(*decide)((*old)->stored())) return false;
  if (replaces) drop(old);
  if (add(key, lifetime, blob)) {
    ++(replaces ? counts_.replaced : counts_.inserted);
    return true;
  }
  counts_.removed += replaces;
  ++counts_.refused;
  return false;
}

// Adds a key that is not there; null where that cannot be.
MutexStore::Entry* MutexStore::Index::add(const StoreKey& key, const Lifetime& lifetime, Bytes blob) {
  if (key.octets.size() > max_store_key || blob.size() > max_blob) return nullptr;
  size_t size = Entry::size_for(key, blob);
  uint64_t table = table_octets(std::max(bucket_count_, least_buckets));
  if (sizeof(Shard) + table + allocation(size) > account_.capacity) return nullptr;
  if (!ready_table() || !make_room(allocation(size))) return nullptr;

  account_.take(allocation(size));
  void* memory = ::operator new(size, std::nothrow);
  if (!memory) return account_.give_back(allocation(size)), nullptr;
  auto* entry = new (memory) Entry(key, lifetime, blob);
  entry->chain = bucket(key.hash);
  bucket(key.hash) = entry;
  link_newest(by_use_, *entry);
  ++counts_.entries;
  live_ += allocation(size);
  return entry;
}

bool MutexStore::Index::remove(const StoreKey& key) {
  Entry** slot = buckets_ ? slot_of(key) : nullptr;
  if (!slot || !*slot) return false;
  drop(slot);
  ++counts_.removed;
  return true;
}

void MutexStore::Index::remove(Entry* entry) {
  if (!buckets_) return;
  Entry** slot = &bucket(entry->hash);
  while (*slot && *slot != entry) slot = &(*slot)->chain;
  if (!*slot) return;
  drop(slot);
  ++counts_.removed;
}

std::vector<MutexStore::Entry*> MutexStore::Index::all() const {
  std::vector<Entry*> entries;
  entries.reserve(counts_.entries);
  for (const Link* link = by_use_.newer; link != &by_use_; link = link->newer) {
    auto* entry = static_cast<Entry*>(const_cast<Link*>(link));
    entry->references.fetch_add(1, std::memory_order_relaxed);
    entries.push_back(entry);
  }
  return entries;
}

void MutexStore::Index::drop(Entry** slot) {
  Entry* entry = *slot;
  *slot = entry->chain;
  unlink(*entry);
  --counts_.entries;
  live_ -= entry->allocated();
  account_.release(entry);
}

void MutexStore::Index::clear() {
  for (Link* link = by_use_.newer; link != &by_use_;) {
    auto* entry = static_cast<Entry*>(link);
    link = link->newer;
    account_.release(entry);
  }
  by_use_.newer = by_use_.older = &by_use_;
  counts_.removed += counts_.entries;
  counts_.entries = 0;
  live_ = 0;
  buckets_.reset();
  account_.give_back(table_octets(bucket_count_));
  bucket_count_ = 0;
}

// Doubles the table where it is full. Both tables count while entries move. False only where there is none at
// all.
bool MutexStore::Index::ready_table() {
  if (counts_.entries < bucket_count_) return true;
  size_t count = std::max(bucket_count_ * 2, least_buckets);
  if (!make_room(table_octets(count))) return bucket_count_ != 0;
  account_.take(table_octets(count));
  std::unique_ptr<Entry*[]> table(new (std::nothrow) Entry*[count]());
  if (!table) return account_.give_back(table_octets(count)), bucket_count_ != 0;

  for (Link* link = by_use_.newer; link != &by_use_; link = link->newer) {
    auto* entry = static_cast<Entry*>(link);
    Entry*& head = table[entry->hash & (count - 1)];
    entry->chain = head;
    head = entry;
  }
  std::swap(buckets_, table);
  table.reset();
  account_.give_back(table_octets(bucket_count_));
  bucket_count_ = count;
  return true;
}

bool MutexStore::Index::make_room(uint64_t more) {
  while (!account_.has_room(more)) {
    if (counts_.entries == 0) return false;
    evict();
  }
  return true;
}

void MutexStore::Index::evict() {
  auto* victim = static_cast<Entry*>(by_use_.newer);
  Link* link = victim->newer;
  for (int i = 1; i < eviction_window && link != &by_use_; ++i, link = link->newer) {
    auto* entry = static_cast<Entry*>(link);
    if (entry->lifetime.expires_at < victim->lifetime.expires_at) victim = entry;
  }
  Entry** slot = &bucket(victim->hash);
  while (*slot != victim) slot = &(*slot)->chain;
  drop(slot);
  ++counts_.evicted;
}

void MutexStore::Index::add_to(StoreStats& sum) const {
  sum.entries += counts_.entries;
  sum.inserted += counts_.inserted;
  sum.replaced += counts_.replaced;
  sum.removed += counts_.removed;
  sum.evicted += counts_.evicted;
  sum.evicted_cold += counts_.evicted;
  sum.refused += counts_.refused;
  sum.octets_live += live_;
  sum.octets_index += table_octets(bucket_count_);
}

MutexStore::MutexStore(uint64_t capacity, unsigned shards)
    : capacity_(std::max<uint64_t>(capacity, sizeof(Shard))),
      shard_count_(static_cast<unsigned>(std::bit_floor(
          std::clamp<uint64_t>(capacity_ / least_shard, 1, std::clamp(shards, 1u, most_shards))))),
      shards_(std::make_unique<Shard[]>(shard_count_)) {
  for (unsigned i = 0; i < shard_count_; ++i) {
    Account& account = shards_[i].account;
    account.capacity = capacity_ / shard_count_;
    account.take(sizeof(Shard));
  }
}

MutexStore::~MutexStore() = default;

// By the hash's upper bits: the lower ones choose the bucket.
MutexStore::Shard& MutexStore::shard_of(uint64_t hash) const {
  return shards_[(hash >> 48) & (shard_count_ - 1)];
}

bool MutexStore::put(const StoreKey& key, const Lifetime& lifetime, Bytes blob) {
  return shard_of(key.hash).index.lock()->put(key, lifetime, blob, nullptr);
}

bool MutexStore::put_if(const StoreKey& key, const Lifetime& lifetime, Bytes blob, Decide decide) {
  return shard_of(key.hash).index.lock()->put(key, lifetime, blob, &decide);
}

bool MutexStore::remove(const StoreKey& key) { return shard_of(key.hash).index.lock()->remove(key); }

void MutexStore::clear() {
  for (unsigned i = 0; i < shard_count_; ++i) shards_[i].index.lock()->clear();
}

void MutexStore::scan(Visit visit) {
  for (unsigned i = 0; i < shard_count_; ++i) {
    Shard& shard = shards_[i];
    const std::vector<Entry*> entries = shard.index.lock()->all();
    for (Entry* entry : entries) {
      if (visit(entry->stored()) == ScanAction::remove) shard.index.lock()->remove(entry);
      shard.account.release(entry);
    }
  }
}

StoreStats MutexStore::stats() const {
  StoreStats sum;
  sum.capacity = capacity_;
  for (unsigned i = 0; i < shard_count_; ++i) {
    Shard& shard = shards_[i];
    shard.index.lock()->add_to(sum);
    sum.octets += shard.account.octets.load(std::memory_order_relaxed);
  }
  const uint64_t known = sum.octets_live + sum.octets_index + shard_count_ * sizeof(Shard);
  sum.octets_dead = sum.octets > known ? sum.octets - known : 0;
  return sum;
}

MutexStore::Reader::Reader(MutexStore& store) : store_(store) { held_.reserve(expected_hits); }

Hit MutexStore::Reader::find(const StoreKey& key) {
  Entry* entry = store_.shard_of(key.hash).index.lock()->find(key);
  if (!entry) return {};
  held_.push_back(entry);
  return {entry->blob(), entry->lifetime, &epoch_};
}

void MutexStore::Reader::quiet() {
  for (Entry* entry : held_) store_.shard_of(entry->hash).account.release(entry);
  held_.clear();
  ++epoch_;
}

}  // namespace peregrine
