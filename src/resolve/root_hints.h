// The servers of the root, to begin with (RFC 9609 section 2).
#pragma once

#include "resolve/facts.h"

namespace peregrine {

Delegation built_in_root();

}  // namespace peregrine
