// The baseline Store and the oracle of the others: shards, each a hash map with an LRU list behind a mutex.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cache/store.h"

namespace peregrine {

// What counts as an allocation is what glibc takes for it: the octets asked for and a header of 8, rounded up
// to 16. Octets that a Hit keeps alive after its entry was replaced, removed or evicted count until the quiet
// point that frees them. Where those alone fill a shard, put() refuses.
//
// Eviction takes, of the few least recently used entries, the one that expires first: the expired go before
// the others without a clock. So StoreStats::expired stays zero. clear() counts as removal of every entry.
class MutexStore {
 public:
  // Holds at most `capacity` octets, keys, blobs and its own overheads counted. Fewer shards than `shards`
  // are made where they would be too small for a large blob. A capacity below the overheads of an empty store
  // is taken to be those. Throws std::bad_alloc at the start only.
  explicit MutexStore(uint64_t capacity, unsigned shards = 64);
  ~MutexStore();
  MutexStore(const MutexStore&) = delete;
  MutexStore& operator=(const MutexStore&) = delete;

  struct Entry;  // reference-counted: a Hit keeps it until the quiet point

  class Reader {
   public:
    explicit Reader(MutexStore& store);
    ~Reader() { quiet(); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    struct Candidate {};
    void prefetch(Candidate&, uint64_t) const {}
    void prefetch_entry(Candidate&, uint64_t) const {}
    Hit find(const StoreKey& key);
    Hit find_at(Candidate, const StoreKey& key) { return find(key); }
    void quiet();
    void offline() { quiet(); }
    void online() {}

   private:
    MutexStore& store_;
    std::vector<Entry*> held_;
    uint64_t epoch_ = 0;
  };

  void tell_time(WallTime) const {}
  bool put(const StoreKey& key, const Lifetime& lifetime, Bytes blob);
  bool put_if(const StoreKey& key, const Lifetime& lifetime, Bytes blob, Decide decide);
  bool remove(const StoreKey& key);
  void clear();
  void scan(Visit visit);  // takes eight octets outside of the capacity for each entry of a shard
  StoreStats stats() const;
  unsigned shard_count() const { return shard_count_; }

 private:
  struct Account;
  class Index;
  struct Shard;
  Shard& shard_of(uint64_t hash) const;

  uint64_t capacity_;
  unsigned shard_count_;
  std::unique_ptr<Shard[]> shards_;
};

static_assert(Store<MutexStore>);

}  // namespace peregrine
