// The hits of a batch: queries as nearly all are, whose answers are in the cache and fresh. One thread.
//
// A batch is staged so that memory is waited for once and not once for each query: all are parsed and their
// keys made while the index's lines are on their way, then the entries', then all are looked up and rendered
// where they stand. No allocation, no lock, no system call; what is no such hit is left as it came for
// Service::handle().
#pragma once

#include <array>
#include <span>

#include "server/plain_query.h"
#include "server/render.h"
#include "server/snapshot.h"
#include "server/world.h"

namespace peregrine {

template <Store S>
class HitPath {
 public:
  static constexpr size_t window = 32;  // datagrams that are staged together

  // All outlive the path.
  HitPath(typename S::Reader& reader, const World& world, const Snapshot& snapshot, KnownCookies& cookies)
      : reader_(reader), world_(world), snapshot_(snapshot), cookies_(cookies) {}

  // Takes in at most `window` datagrams of a batch.
  void stage(std::span<const Datagram> datagrams);
  // The answer's size, written over the query of staged datagram `index`; 0: not here, and nothing was
  // written.
  size_t answer(size_t index, MutableBytes slot);
  // Makes known what was answered since the last call: once a batch.
  void settle();

 private:
  struct Staged {
    QueryFields fields;
    bool plain;
    [[no_unique_address]] typename S::Reader::Candidate candidate;
    AnswerKey key;
  };

  bool stage(const Datagram& datagram, const Settings& settings, Staged& staged);

  struct Now {  // what stage() found, and all of the window goes by
    WallTime wall{};
    uint32_t generation = 0;
    uint16_t udp_size = 0;
  };

  typename S::Reader& reader_;
  const World& world_;
  const Snapshot& snapshot_;
  KnownCookies& cookies_;
  HitTally tally_;
  Now now_;
  std::array<Staged, window> staged_;
};

template <Store S>
void HitPath<S>::stage(std::span<const Datagram> datagrams) {
  const Settings& settings = *snapshot_.settings;
  now_ = {
      .wall = world_.clock.wall(), .generation = snapshot_.policy_generation, .udp_size = settings.udp_size};
  for (size_t i = 0; i < datagrams.size(); ++i) {
    Staged& staged = staged_[i];
    staged.plain = stage(datagrams[i], settings, staged);
  }
  for (size_t i = 0; i < datagrams.size(); ++i) {
    if (staged_[i].plain) reader_.prefetch_entry(staged_[i].candidate, staged_[i].key.hash());
  }
}

template <Store S>
bool HitPath<S>::stage(const Datagram& datagram, const Settings& settings, Staged& staged) {
  PlainQuery query{.fields = staged.fields, .name_octets = {}, .qtype = {}};
  if (!read_plain_query(datagram.slot(), datagram.size, settings.udp_size, query)) return false;
  const PeerAddress& peer = datagram.peer;
  const bool allowed = peer.is_v4() ? settings.access.allows_v4(peer.v4_octets())
                                    : settings.access.allows(peer.address_octets());
  if (!allowed || peer.port() == 0) return false;
  if (staged.fields.cookie)
    answer_cookie(snapshot_, cookies_, peer.address_octets(), now_.wall, staged.fields);
  staged.key.assign({.qname = {},
                     .qtype = query.qtype,
                     .dnssec_ok = staged.fields.dnssec_ok,
                     .checking_disabled = staged.fields.cd()},
                    query.name_octets, world_.hash_secret);
  reader_.prefetch(staged.candidate, staged.key.hash());
  return true;
}

template <Store S>
size_t HitPath<S>::answer(size_t index, MutableBytes slot) {
  const Staged& staged = staged_[index];
  if (!staged.plain) return 0;
  const WallTime now = now_.wall;
  const Hit hit = reader_.find_at(staged.candidate, staged.key.store_key());
  if (!hit || !hit.lifetime().fresh(now)) return 0;
  const AnswerBlob blob = AnswerBlob::stored(hit.blob());
  if (blob.policy_generation() != now_.generation || is_from_future(blob.stored_at(), now)) return 0;
  const size_t size = render_answer(slot, staged.fields, blob, {.now = now, .udp_size = now_.udp_size});
  tally_.add(slot);
  return size;
}

template <Store S>
void HitPath<S>::settle() {
  observe_hits(tally_, world_.counters);
  tally_ = {};
}

}  // namespace peregrine
