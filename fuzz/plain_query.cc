// Both readings of a client's query: what the fast one takes, and whose name is one, the full one takes and
// reads the same.
#include "server/plain_query.h"

#include <algorithm>
#include <array>

#include "fuzz_input.h"
#include "server/intake.h"

using namespace peregrine;

static std::array<uint8_t, 4096> slot;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input(data, std::min(size, slot.size()));
  std::ranges::fill(slot, uint8_t{0xee});
  std::ranges::copy(input, slot.begin());
  QueryFields fields;
  PlainQuery plain{.fields = fields, .name_octets = {}, .qtype = {}};
  if (!read_plain_query(slot, input.size(), 1232, plain)) return 0;
  const auto name = Dname::parse(plain.name_octets);
  if (!name || name->size() != plain.name_octets.size()) return 0;
  Query full;
  require(take_in(input, Transport::udp, 1232, full).verdict == Intake::look_up);
  require(plain.fields == full.fields && plain.qtype == full.question.qtype);
  require(full.question.qclass == Class::in && std::ranges::equal(name->wire(), full.question.qname.wire()));
  return 0;
}
