#include "base/cpu.h"

namespace peregrine {

bool cpu_has_avx2() { return false; }

bool cpu_has_avx512() { return false; }

}  // namespace peregrine
