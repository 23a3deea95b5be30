#include "cache/restored_entry.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "cache/answer.h"
#include "cache/delegation.h"
#include "cache/rrset.h"

namespace peregrine {
namespace {

constexpr size_t view_at = 3;  // in a key

bool is_answer(Bytes key) { return key.size() > key_prefix_size && KeyView{key[view_at]} == KeyView::answer; }

// Nothing where the blob is damaged.
std::optional<WallTime> time_in(KeyView view, Bytes octets) {
  const auto time_of = [](const auto& blob) {
    return blob ? std::optional(blob->stored_at()) : std::nullopt;
  };
  switch (view) {
    case KeyView::answer:
    case KeyView::denial:
      return time_of(AnswerBlob::open(octets));
    case KeyView::rrset:
      return time_of(RrsetBlob::open(octets));
    case KeyView::delegation:
      return time_of(DelegationBlob::open(octets));
  }
  return std::nullopt;
}

}  // namespace

EntryFault EntryChecker::check(const EntryView& entry) {
  const EntryFault fault = check_key(entry);
  keyed_ = fault == EntryFault::none;
  if (!keyed_) return fault;
  const auto stored = time_in(KeyView{entry.key[view_at]}, entry.blob);
  stored_at_ = stored.value_or(WallTime{});
  if (entry.header.expires_at() <= EntryHeader::seconds(now_)) return EntryFault::expired;
  if (!stored) return EntryFault::malformed;
  lifetime_ = entry.header.lifetime();
  return check_time();
}

// The key is made anew, as if a query had asked for it.
EntryFault EntryChecker::check_key(const EntryView& entry) {
  const auto parts = KeyParts::read(entry.key);
  if (!parts) return EntryFault::malformed;
  key_.assign(load_u64(entry.key.data()), parts->owner.wire(), secret_);
  const StoreKey made = key_.store_key();
  const bool same = kept_hash(made.hash) == entry.header.hash() && std::ranges::equal(made.octets, entry.key);
  return same ? EntryFault::none : EntryFault::malformed;
}

EntryFault EntryChecker::check_time() {
  if (is_from_future(stored_at_, now_)) return EntryFault::future;
  lifetime_.expires_at = std::min(lifetime_.expires_at, stored_at_ + longest_);
  lifetime_.refresh_at = std::min(lifetime_.refresh_at, lifetime_.expires_at);
  return lifetime_.fresh(now_) ? EntryFault::none : EntryFault::expired;
}

std::optional<WallTime> stored_at(const StoredEntry& entry) {
  if (entry.key.octets.size() <= view_at) return std::nullopt;
  return time_in(KeyView{entry.key.octets[view_at]}, entry.blob);
}

std::optional<uint32_t> policy_generation(const EntryView& entry) {
  if (!is_answer(entry.key)) return std::nullopt;
  const auto blob = AnswerBlob::open(entry.blob);
  if (!blob) return std::nullopt;
  return blob->policy_generation();
}

void set_policy_generation(MutableBytes blob, uint32_t generation) {
  std::memcpy(blob.data() + offsetof(AnswerBlobHeader, policy_generation), &generation, sizeof generation);
}

}  // namespace peregrine
