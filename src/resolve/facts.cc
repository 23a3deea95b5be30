#include "resolve/facts.h"

namespace peregrine {

bool put(MessageWriter& writer, Section section, const Rrset& set, Signatures signatures) {
  for (const Rdata& rdata : set.records) {
    if (!writer.rr(section, set.owner, set.type, Class::in, set.ttl, rdata)) return false;
  }
  if (signatures == Signatures::without) return true;
  for (const Rdata& rdata : set.signatures) {
    if (!writer.rr(section, set.owner, Type::rrsig, Class::in, set.ttl, rdata)) return false;
  }
  return true;
}

}  // namespace peregrine
