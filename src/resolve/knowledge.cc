#include "resolve/knowledge.h"

#include <algorithm>

#include "wire/message_writer.h"
#include "wire/rdata.h"

namespace peregrine {
namespace {

constexpr size_t soa_minimum_at_end = 4;  // octets of SOA's last number

}  // namespace

// The records stand as write_denial() wrote them: an RRset's one behind the other, then its signatures.
Denial read_denial(const MessageView& message, uint32_t age) {
  Denial denial{.of_name = message.rcode() == Rcode::nxdomain, .proof = {}};
  for (const RrView rr : message.section(Section::authority)) {
    std::array<uint8_t, max_message_size> expanded;
    const auto rdata = expand_rdata(rr, expanded);
    if (!rdata) continue;
    const bool signature = rr.type == Type::rrsig && !denial.proof.empty();
    if (!signature && (denial.proof.empty() || denial.proof.back().type != rr.type ||
                       !rr.owner.equals(denial.proof.back().owner))) {
      denial.proof.push_back({.owner = rr.owner.expand(),
                              .type = rr.type,
                              .ttl = rr.ttl > age ? rr.ttl - age : 0,
                              .credibility = Credibility::authority,
                              .records = {},
                              .signatures = {}});
    }
    auto& to = signature ? denial.proof.back().signatures : denial.proof.back().records;
    to.emplace_back(rdata->begin(), rdata->end());
  }
  return denial;
}

Result<Bytes> write_denial(Dname name, Type type, const Denial& denial, MutableBytes out) {
  MessageWriter writer(out);
  writer.qr(true);
  writer.rcode(denial.of_name ? Rcode::nxdomain : Rcode::noerror);
  if (!writer.question(name, type, Class::in)) return std::unexpected(Error::no_space);
  for (const Rrset& set : denial.proof) {
    if (!put(writer, Section::authority, set, Signatures::with)) return std::unexpected(Error::no_space);
  }
  return writer.message();
}

uint32_t ttl_of(const Denial& denial) {
  if (denial.proof.empty() || denial.proof.front().type != Type::soa) return 0;
  const Rrset& soa = denial.proof.front();
  const Rdata& rdata = soa.records.front();
  if (rdata.size() < soa_minimum_at_end) return 0;
  return std::min(soa.ttl, effective_ttl(load_u32(rdata.data() + rdata.size() - soa_minimum_at_end)));
}

}  // namespace peregrine
