#include "server/sources.h"

#include <string>

#include "base/siphash.h"

namespace peregrine {
namespace {

uint64_t hash_of(std::string_view text) {
  return siphash13({}, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

std::string text_of(const ForwardTable::Zone& zone) {
  std::string text = zone.first ? "forward first" : "forward";
  for (const Endpoint& server : zone.servers) text += ' ' + server.to_string();
  return text;
}

std::string text_of(const Delegation& delegation) {
  std::string text = delegation.configured ? "servers" : "hints";
  for (const NameServer& server : delegation.servers) {
    text += ' ' + server.name.to_string() + ' ' + std::to_string(server.port);
    for (const IpAddress& address : server.addresses) text += ' ' + address.to_string();
  }
  return text;
}

std::string text_of(const RecursionTable& table) {
  return "recursion " + text_of(table.root) + ' ' + std::to_string(table.options.port) +
         (table.options.query_private ? " private" : "");
}

}  // namespace

Sources::Sources(const ForwardTable& forward, const RecursionTable* recursion, const OwnZones& own) {
  std::map<DnameBuf, std::string, ByOrder> texts;
  for (const ForwardTable::Zone& zone : forward.zones()) texts[zone.zone] += text_of(zone);
  if (recursion) {
    elsewhere_ = hash_of(text_of(*recursion));
    for (const Delegation& stub : recursion->stubs) texts[stub.zone] += text_of(stub);
  }
  // What they say is not in the cache.
  for (const auto& local : own.local) texts[DnameBuf(local->apex())] += "local";
  for (const auto& [zone, text] : texts) zones_[zone] = hash_of(text);
}

uint64_t Sources::of(Dname name) const {
  for (unsigned labels = name.label_count();; --labels) {
    const auto found = zones_.find(DnameBuf(name.suffix(labels)));
    if (found != zones_.end()) return found->second;
    if (labels == 0) return elsewhere_;
  }
}

uint64_t Sources::fingerprint() const {
  std::string text = std::to_string(elsewhere_);
  for (const auto& [zone, fingerprint] : zones_)
    text += ' ' + zone.to_string() + ' ' + std::to_string(fingerprint);
  return hash_of(text);
}

}  // namespace peregrine
