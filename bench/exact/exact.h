// Benchmarks counted in instructions: a program runs one benchmark under callgrind, which counts only what
// stands inside Meter::count(). The same inputs every time, no clock and no kernel, so that the count is the
// same to the last digit.
#pragma once

#include <valgrind/callgrind.h>

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

namespace peregrine::exact {

class Meter {
 public:
  // `work` performs `operations`; call it once for many, as turning the counter costs a few instructions too.
  template <class Work>
  void count(uint64_t operations, Work&& work) {
    operations_ += operations;
    CALLGRIND_TOGGLE_COLLECT;
    work();
    CALLGRIND_TOGGLE_COLLECT;
  }
  uint64_t operations() const { return operations_; }

 private:
  uint64_t operations_ = 0;
};

struct Benchmark {
  std::string name;
  void (*run)(Meter& meter);
};

// A result that the compiler must not leave out.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

// A benchmark that measures something else than it says is worse than none.
inline void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

// The program's main: `list` prints "NAME KERNELS" lines, one for each that runs on this CPU; `NAME KERNELS`
// runs one and prints "operations N".
int exact_main(int argc, char** argv, std::span<const Benchmark> benchmarks);

}  // namespace peregrine::exact
