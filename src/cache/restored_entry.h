// Entries that come from a file: what has to be true of one before anybody may find it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "cache/arena_layout.h"
#include "cache/key.h"

namespace peregrine {

enum class EntryFault : uint8_t {
  none,
  expired,
  future,     // stored after now: its TTLs would be too long
  malformed,  // no view of a store made it, or not with this secret
};

// Checks entries, one at a time. One thread.
class EntryChecker {
 public:
  // Nothing is good for longer than `longest` after it was stored.
  EntryChecker(const HashSecret& secret, WallTime now, std::chrono::seconds longest)
      : secret_(secret), now_(now), longest_(longest) {}
  EntryFault check(const EntryView& entry);
  // Whether the last entry's key is one of ours, whatever its fault: then it took the place of all that was
  // there under this key.
  bool keyed() const { return keyed_; }
  // Of the last entry, where it is keyed(); valid until the next check().
  StoreKey key() const { return key_.store_key(); }
  // Of the last entry, where it is keyed(); the epoch where it does not say so.
  WallTime stored_at() const { return stored_at_; }
  // Of the last entry, where it has no fault.
  const Lifetime& lifetime() const { return lifetime_; }

 private:
  EntryFault check_key(const EntryView& entry);
  EntryFault check_time();

  const HashSecret& secret_;
  WallTime now_;
  std::chrono::seconds longest_;
  ViewKey key_;
  bool keyed_ = false;
  WallTime stored_at_{};
  Lifetime lifetime_{};
};

// When the blob was stored, of whatever view; nothing where it cannot be told.
std::optional<WallTime> stored_at(const StoredEntry& entry);

// The policy generation of an answer; nothing for other views and for what is no answer.
std::optional<uint32_t> policy_generation(const EntryView& entry);
// Writes another one to the blob of an answer.
void set_policy_generation(MutableBytes blob, uint32_t generation);

}  // namespace peregrine
