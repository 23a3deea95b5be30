// Benchmarks counted in instructions: a program runs one benchmark under callgrind, which counts only what
// stands inside Meter::count(). The same inputs every time, no clock and no kernel, so that the count is the
// same to the last digit. The same programs can be timed, too.
#pragma once

#include <valgrind/callgrind.h>

#include <algorithm>
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

// Counts work(input) for each of `inputs`, several times. What a worker works on it has just received or
// looked up: few inputs by turns, which work() must leave as they were, are as warm as these when they are
// timed.
template <class T, class Work>
void count_each(Meter& meter, std::vector<T>& inputs, Work&& work) {
  constexpr size_t few = 32, operations = 256;
  const std::span<T> all(inputs);
  for (size_t i = 0; i < all.size(); i += few) {
    const std::span<T> some = all.subspan(i, std::min(few, all.size() - i));
    const size_t passes = operations / some.size();
    for (T& input : some) work(input);
    meter.count(passes * some.size(), [&] {
      for (size_t pass = 0; pass < passes; ++pass) {
        for (T& input : some) work(input);
      }
    });
  }
}

struct Benchmark {
  std::string name;
  void (*run)(Meter& meter);
  bool scalar_only = false;
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

// The program's main: `list` prints "NAME KERNELS" lines, one for each kernel set that runs on this CPU;
// `NAME KERNELS` runs one and prints "operations N"; `NAME KERNELS SECONDS` runs it again and again for that
// long and prints "nanoseconds N", the median of an operation.
int exact_main(int argc, char** argv, std::span<const Benchmark> benchmarks);

}  // namespace peregrine::exact
