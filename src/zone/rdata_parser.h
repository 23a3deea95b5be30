// RDATA from presentation form for every type that a zone may have, by libldns: wire/rdata.h reads those that
// a client's question or an answer needs. For files that an administrator wrote, not for the data path.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "wire/dname.h"
#include "wire/types.h"

namespace peregrine {

// Uncompressed wire form; names relative to `origin`. `text` has words and quoted strings between blanks: no
// comments, parentheses or line ends. bad_text: the type does not allow it, or is not known and the text is
// not in the form of RFC 3597
Result<std::vector<uint8_t>> parse_rdata(Type type, std::string_view text, Dname origin);

}  // namespace peregrine
