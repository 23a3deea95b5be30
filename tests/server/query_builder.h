// Builds client queries, right and wrong, for tests of the server's stages.
#pragma once

#include <string_view>
#include <vector>

#include "wire/message_writer.h"

namespace peregrine::testing {

struct QuerySpec {
  std::string_view qname = "www.example.";
  Type qtype = Type::a;
  Class qclass = Class::in;
  uint16_t id = 0x1234;
  bool rd = true, ad = false, cd = false;
  bool edns = true;
  MessageWriter::OptFields opt{};
};

inline std::vector<uint8_t> query(const QuerySpec& spec = {}) {
  std::vector<uint8_t> buffer(600);
  MessageWriter writer(buffer);
  writer.id(spec.id);
  writer.rd(spec.rd);
  writer.ad(spec.ad);
  writer.cd(spec.cd);
  writer.question(DnameBuf::from_text(spec.qname).value(), spec.qtype, spec.qclass);
  if (spec.edns) writer.edns(spec.opt);
  buffer.resize(writer.size());
  return buffer;
}

// The query's octets at the front of a slot of 4096, the rest of it not zero: stale octets must never leave.
inline std::vector<uint8_t> slot_with(const std::vector<uint8_t>& octets) {
  std::vector<uint8_t> slot(4096, 0xEE);
  std::copy(octets.begin(), octets.end(), slot.begin());
  return slot;
}

}  // namespace peregrine::testing
