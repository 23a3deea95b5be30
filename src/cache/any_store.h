// A Store behind virtual calls, for what looks over all of it and is in no hurry.
#pragma once

#include "cache/store.h"

namespace peregrine {

// Thread-safe, as in the contract of Store.
class AnyStore {
 public:
  virtual ~AnyStore() = default;
  virtual void scan(Visit visit) = 0;
  virtual StoreStats stats() const = 0;
};

template <Store S>
class AnyStoreOf final : public AnyStore {
 public:
  explicit AnyStoreOf(S& store) : store_(store) {}  // which outlives this
  void scan(Visit visit) override { store_.scan(visit); }
  StoreStats stats() const override { return store_.stats(); }

 private:
  S& store_;
};

}  // namespace peregrine
