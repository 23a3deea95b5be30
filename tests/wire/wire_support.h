// Octets from hexadecimal text, names from text, and whole packets to test with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "wire/dname.h"
#include "wire/message_view.h"
#include "wire/rdata.h"

namespace peregrine {

using Octets = std::vector<uint8_t>;

// Two digits an octet; anything else between them is for the reader. "'text'" stands for its characters.
Octets hex(std::string_view text);
DnameBuf name(std::string_view text);  // throws where it is no name
Octets wire_of(Dname name);
Octets repeat(Octets part, size_t times);
Octets operator+(Octets a, const Octets& b);

// The records of a section in presentation form.
std::vector<std::string> records(const MessageView& view, Section section);

namespace golden {
Octets query();         // www.Example.com A, RD, OPT: 1232, DO, cookie
Octets answer();        // a CNAME chain of two and an A
Octets referral();      // com to two servers, glue of both kinds
Octets nxdomain();      // SOA, compressed in every name, OPT with an extended error
Octets kitchen_sink();  // one RR of every type with a row, and one without
std::vector<Octets> all();
}  // namespace golden

}  // namespace peregrine
