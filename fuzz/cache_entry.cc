// An entry of a store, of any octets: what can be opened can be read whole, and a flush can always say
// whether it speaks of a name.
#include <algorithm>
#include <vector>

#include "cache/delegation.h"
#include "cache/flush.h"
#include "cache/key.h"
#include "cache/rrset.h"
#include "fuzz_input.h"

using namespace peregrine;

static void read_rrset(Bytes blob) {
  const auto rrset = RrsetBlob::open(blob);
  if (!rrset) return;
  size_t octets = sizeof(RrsetBlobHeader);
  for (const RdataList& list : {rrset->records(), rrset->signatures()})
    for (const Bytes rdata : list) octets += sizeof(uint16_t) + rdata.size();
  require(octets == blob.size());
  require(rrset->ttl_at(rrset->stored_at()) == rrset->ttl() && rrset->ttl_at(rrset->expires_at()) == 0);
  require(!may_replace(*rrset, rrset->expires_at(), *rrset, Type::a, rrset->expires_at()));
}

static void read_delegation(Bytes blob) {
  const auto delegation = DelegationBlob::open(blob);
  if (!delegation) return;
  size_t servers = 0;
  delegation->for_each_server([&](const DelegationServer& server) {
    ++servers;
    require(Dname::parse(server.name.wire()).has_value());
    server.for_each_address([](const IpAddress& address) { require(!address.octets().empty()); });
  });
  require(servers == delegation->server_count());
}

// The view, the type, the name's size and the name; the blob is the rest.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Script script({data, size});
  const uint8_t view = script.u8();
  const uint16_t type = script.u16();
  const Bytes name = script.take(script.u8());
  std::vector<uint8_t> key(key_prefix_size);
  store_u64(key.data(), key_prefix(KeyView{view}, Type{type}, Class::in));
  key.insert(key.end(), name.begin(), name.end());
  const Bytes rest = script.take(size);
  const std::vector<uint8_t> blob(rest.begin(), rest.end());  // of its own, for the address sanitizer

  read_rrset(blob);
  read_delegation(blob);
  const StoredEntry entry{.key = {.octets = key, .hash = 0}, .lifetime = {}, .blob = blob, .frequency = 0};
  Mentions everything({.name = {}, .below = true}),
      nothing({.name = *DnameBuf::from_text("a.b.c.d.example")});
  nothing(entry);
  const auto parts = KeyParts::read(key);
  require(!parts || everything(entry));
  if (parts) {
    Mentions owner({.name = DnameBuf(parts->owner)});
    require(owner(entry));
  }
  return 0;
}
