// Benchmarks counted in instructions: a program runs one benchmark under callgrind, which counts only what
// stands inside Meter::count(). The same inputs every time, no clock and no kernel, so that the count is the
// same to the last digit. The same programs can be timed, too.
#pragma once

#include <valgrind/callgrind.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace peregrine::exact {

class Meter {
 public:
  // `work` performs `operations`; call it once for many, as turning the counter costs a few instructions too.
  template <class Work>
  void count(uint64_t operations, Work&& work) {
    operations_ += operations;
    const auto begin = std::chrono::steady_clock::now();
    CALLGRIND_TOGGLE_COLLECT;
    work();
    CALLGRIND_TOGGLE_COLLECT;
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    nanoseconds_.push_back(took.count() / static_cast<double>(operations));
  }
  uint64_t operations() const { return operations_; }
  // An operation's, for each call of count().
  const std::vector<double>& nanoseconds() const { return nanoseconds_; }

 private:
  uint64_t operations_ = 0;
  std::vector<double> nanoseconds_;
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
// runs one and prints "operations N"; `NAME KERNELS SECONDS` runs it again and again for that long and prints
// "nanoseconds N", the median of an operation.
int exact_main(int argc, char** argv, std::span<const Benchmark> benchmarks);

}  // namespace peregrine::exact
