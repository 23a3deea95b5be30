// What this CPU can do, and the kernel lets it. Any thread, also before main().
#pragma once

namespace peregrine {

bool cpu_has_avx2();    // AVX2 and BMI2
bool cpu_has_avx512();  // AVX-512 F, BW and VL, and the above

}  // namespace peregrine
