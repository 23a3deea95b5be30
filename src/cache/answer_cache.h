// AnswerCache: the view of a Store that keeps whole answers.
#pragma once

#include <optional>

#include "cache/answer.h"
#include "cache/flush_generation.h"
#include "cache/store.h"

namespace peregrine {

template <Store S>
class AnswerCache {
 public:
  // Both outlive the cache. Without `flushes` nobody flushes the store.
  explicit AnswerCache(S& store, FlushGeneration* flushes = nullptr) : store_(store), flushes_(flushes) {}

  // To be taken when a resolution begins.
  uint64_t flush_generation() const { return flushes_ ? flushes_->now() : 0; }

  // Keeps `answer` (a message with one question and no OPT) under `key` where RFC 2308 and the limits allow
  // it, and where no flush came since `began`, the flush_generation() of before it was asked for. Either way
  // gives its blob, in `scratch` (max_blob octets of the caller's), ready to be rendered. Thread-safe with a
  // scratch of one's own. no_space, bad_message
  Result<AnswerBlob> put(const AnswerKey& key, const MessageView& answer, WallTime now,
                         uint32_t policy_generation, const TtlLimits& limits, MutableBytes scratch,
                         std::optional<uint64_t> began = std::nullopt) {
    const auto keep = time_to_keep(answer, limits);
    auto blob = encode_answer(answer,
                              {.stored_at = now,
                               .policy_generation = policy_generation,
                               .keep = keep.value_or(limits.cap),
                               .floor = limits.floor},
                              scratch);
    if (!blob) return std::unexpected(blob.error());
    if (keep && *keep > std::chrono::seconds(0)) {
      // The last tenth of its life is when a popular answer is worth fetching anew.
      store(key.store_key(), {.refresh_at = now + *keep - *keep / 10, .expires_at = now + *keep}, *blob,
            began);
    }
    auto opened = AnswerBlob::open(*blob);
    if (!opened) return std::unexpected(Error::bad_message);
    return *opened;
  }

 private:
  void store(const StoreKey& key, const Lifetime& lifetime, Bytes blob, std::optional<uint64_t> began) {
    const auto put = [&] { return store_.put(key, lifetime, blob); };
    if (flushes_ && began) {
      flushes_->unless_raised(*began, put);
    } else {
      put();
    }
  }

  S& store_;
  FlushGeneration* flushes_;
};

}  // namespace peregrine
