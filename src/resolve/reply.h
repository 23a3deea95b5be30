// What a server's reply is worth, and the part of it that answers the question.
#pragma once

#include "base/result.h"
#include "wire/message_view.h"
#include "wire/message_writer.h"

namespace peregrine {

enum class ReplyKind : uint8_t {
  answer,     // for the client: NOERROR, NXDOMAIN, YXDOMAIN (too long after a DNAME: RFC 6672 section 2.2)
  truncated,  // TC: ask again over TCP
  no_edns,    // FORMERR, NOTIMP or BADVERS to a query with EDNS: ask again without
  failure,    // SERVFAIL, REFUSED, ...: ask another server
};
ReplyKind classify(const MessageView& reply, bool asked_with_edns);

// Whether the answer is a chain of aliases whose end the server says nothing of: it is to be asked for on its
// own.
bool ends_in_alias(const MessageView& reply);

// Writes into `out` the question and what answers it:
// - records of the answer section that belong to the chain of CNAMEs and DNAMEs from the qname, in the
// chain's order,
//   and those of the qtype (ANY: all) at its end (RFC 2181 section 5.4.1: nothing else is believed). At most
//   16 steps of the chain; one that loops ends where it meets itself.
// - the SOA of a zone that holds the chain's last name, where there is no data (RFC 2308 section 2)
// - with `dnssec_ok` the RRSIGs of these, and the NSEC and NSEC3 records of the authority section (RFC 4035
// section 3.1);
//   without it none of them but those asked for (section 3.2.1).
// An RRset's TTLs are made equal, the least (RFC 2181 section 5.2), and its RRSIGs' with them (RFC 4034
// section 3); TTLs with the top bit set are zero (RFC 2181 section 8). The header gets the rcode and RA; AD
// stays clear: what others verified is not ours to claim (RFC 4035 section 4.9.3). bad_rdata and what else a
// record suffers from that cannot be read; no_space
Result<Bytes> normalise(const MessageView& reply, const Question& question, bool dnssec_ok, MutableBytes out);

}  // namespace peregrine
