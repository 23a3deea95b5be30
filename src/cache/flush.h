// Flush: nothing older about a name, or about all below it, is served from a store any more.
#pragma once

#include <cstdint>
#include <vector>

#include "cache/any_store.h"
#include "cache/flush_generation.h"
#include "wire/dname.h"
#include "wire/message_view.h"

namespace peregrine {

class AnswerBlob;
struct KeyParts;

struct FlushTarget {
  DnameBuf name;
  bool below = false;  // all names below it, too

  bool holds(Dname other) const { return below ? other.is_at_or_below(name) : other == name.view(); }
};

// Lays answers out as messages again, in a buffer of its own. One thread.
class AnswerReader {
 public:
  AnswerReader();
  // The answer with its question, the TTLs as they were stored: valid until the next call. Nothing where the
  // key and the blob cannot make a message.
  std::optional<MessageView> read(const KeyParts& key, const AnswerBlob& blob);

 private:
  std::vector<uint8_t> buffer_;
};

// Whether an entry of a store speaks of a name: its key's owner, the owner of an RR in an answer, the target
// of a CNAME or DNAME, a server whose addresses are with a delegation. An entry that cannot be read does: it
// is no loss. One thread.
class Mentions {
 public:
  explicit Mentions(FlushTarget target) : target_(std::move(target)) {}
  bool operator()(const StoredEntry& entry);

 private:
  bool in_answer(const KeyParts& key, Bytes blob);
  bool in_rrset(const KeyParts& key, Bytes blob) const;
  bool in_delegation(Bytes blob) const;

  FlushTarget target_;
  AnswerReader reader_;
};

struct FlushReport {
  uint64_t seen = 0;     // entries
  uint64_t removed = 0;  // of them
};

// Raises the generation, then removes every entry that speaks of the target: when this returns, no older
// entry can be served, and no resolution that began before can store one. Takes as long as a scan of the
// store: for one thread that is no worker.
FlushReport flush(AnyStore& store, FlushGeneration& generation, const FlushTarget& target);

}  // namespace peregrine
