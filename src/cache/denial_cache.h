// What servers said does not exist: whole negative answers, kept by name and type, or by name alone where the
// name itself does not exist (RFC 2308, RFC 8020).
//
// Thread-safe as RrsetCache is.
#pragma once

#include <optional>

#include "cache/answer.h"
#include "cache/flush_generation.h"
#include "cache/key.h"
#include "cache/rrset_cache.h"

namespace peregrine {

template <Store S>
class DenialCache {
 public:
  // Stands for all types of a name.
  static constexpr Type whole_name{0};

  struct Found {
    AnswerBlob answer;
    Lifetime lifetime;
  };

  // All outlive the cache. Without `flushes` nobody flushes the store.
  DenialCache(S& store, const HashSecret& secret, FlushGeneration* flushes = nullptr)
      : store_(store), secret_(secret), flushes_(flushes) {}

  // Exactly at the name; what is found may be stale.
  std::optional<Found> find(typename S::Reader& reader, const RrsetId& id) const {
    ViewKey key;
    assign(key, id);
    const Hit hit = reader.find(key.store_key());
    if (!hit) return std::nullopt;
    const auto blob = AnswerBlob::open(hit.blob());
    if (!blob) return std::nullopt;
    return Found{.answer = *blob, .lifetime = hit.lifetime()};
  }

  // `answer` is encode_answer()'s, of a message whose question is the name and the type. Whether it is kept.
  bool put(const RrsetId& id, const AnswerBlob& answer, Bytes octets, uint32_t ttl,
           std::optional<uint64_t> began = std::nullopt) {
    if (ttl == 0) return false;
    ViewKey key;
    assign(key, id);
    const auto store = [&] {
      return store_.put(key.store_key(), lifetime_of(answer.stored_at(), ttl), octets);
    };
    return flushes_ && began ? flushes_->unless_raised(*began, store) : store();
  }

 private:
  void assign(ViewKey& key, const RrsetId& id) const {
    key.assign(key_prefix(KeyView::denial, id.type, id.rclass, id.realm), id.owner.wire(), secret_);
  }

  S& store_;
  const HashSecret& secret_;
  FlushGeneration* flushes_;
};

}  // namespace peregrine
