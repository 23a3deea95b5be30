// AnswerCache: the view of a Store that keeps whole answers.
#pragma once

#include "cache/answer.h"
#include "cache/store.h"

namespace peregrine {

template <Store S>
class AnswerCache {
 public:
  explicit AnswerCache(S& store) : store_(store) {}

  // Keeps `answer` (a message with one question and no OPT) under `key` where RFC 2308 and the limits allow
  // it. Either way gives its blob, in `scratch` (max_blob octets of the caller's), ready to be rendered.
  // Thread-safe with a scratch of one's own. no_space, bad_message
  Result<AnswerBlob> put(const AnswerKey& key, const MessageView& answer, WallTime now,
                         uint32_t policy_generation, const TtlLimits& limits, MutableBytes scratch) {
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
      store_.put(key.store_key(), {.refresh_at = now + *keep - *keep / 10, .expires_at = now + *keep}, *blob);
    }
    auto opened = AnswerBlob::open(*blob);
    if (!opened) return std::unexpected(Error::bad_message);
    return *opened;
  }

 private:
  S& store_;
};

}  // namespace peregrine
