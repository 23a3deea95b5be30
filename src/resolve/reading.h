// What an authoritative server's reply says, and no more than its zone lets it say.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "resolve/facts.h"
#include "wire/message_view.h"

namespace peregrine {

struct Reading {
  enum class Kind : uint8_t {
    data,      // the RRset that was asked for
    alias,     // the chain leads to `end`, which is to be asked for on its own
    denial,    // the name, or the type at it, does not exist
    referral,  // to the servers of `cut`
    overflow,  // a DNAME made a name too long: YXDOMAIN (RFC 6672 section 2.2)
    lame,      // the server does not serve the zone, or is a resolver that knows no better
    empty,     // nothing at all: perhaps NODATA, if nobody says more
  };
  Kind kind = Kind::empty;
  std::vector<Rrset> chain{};  // the data; or CNAMEs and DNAMEs from the qname on
  DnameBuf end{};              // the owner of the data, or where the chain leads
  Denial denial{};
  DnameBuf cut{};
  std::optional<Delegation> delegation{};  // of the cut, as it was learned
};

enum class Speaker : uint8_t {
  authoritative,  // of the zone, or so it was said
  resolver,       // that was chosen to be asked about all names below the zone
};

// Reads a reply with the rcode NOERROR, NXDOMAIN or YXDOMAIN from a server of `zone`, which has been asked
// `question`. Records of names outside of the zone are not looked at, nor is the additional section, nor the
// NS records beside an authoritative answer: a server could tell anything there (RFC 2181 section 5.4.1,
// CVE-2025-11411). At most 16 steps of a chain, and 128 RRsets of a section, are read. bad_rdata and what
// else a record suffers from that cannot be read
Result<Reading> read_reply(const MessageView& reply, const Question& question, Dname zone,
                           Speaker speaker = Speaker::authoritative);

// "referral to example.", "no data of the type", ...
std::string in_words(const Reading& reading);

// What a DNAME makes of a name below its owner. name_too_long, bad_rdata
Result<Rrset> synthesise_cname(const Rrset& dname, Dname name);
// The name in the RDATA of a CNAME, DNAME or NS. bad_rdata
Result<Dname> target_in(const Rdata& rdata);

}  // namespace peregrine
