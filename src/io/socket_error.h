// What an errno of a socket means to a resolver. Of this room only.
#pragma once

#include "base/result.h"

namespace peregrine {

// limit: no descriptors or no memory; unreachable: no such family, no way there, or nobody there; else
// network
Error classify_socket_error(int error);

}  // namespace peregrine
