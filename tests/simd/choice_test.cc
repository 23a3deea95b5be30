// Which kernels are chosen, and what is told where the choice is not what was asked for.
#include "base/cpu.h"
#include "simd/simd_support.h"

namespace peregrine {
namespace {

class EnvironmentVariable {
 public:
  explicit EnvironmentVariable(const char* name) : name_(name) {
    if (const char* value = std::getenv(name)) before_ = value;
  }
  EnvironmentVariable(const EnvironmentVariable&) = delete;
  EnvironmentVariable& operator=(const EnvironmentVariable&) = delete;
  ~EnvironmentVariable() { before_ ? set(before_->c_str()) : unset(); }
  void set(const char* value) { setenv(name_, value, 1); }
  void unset() { unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

TEST(KernelChoice, FindsWhatTheCpuHas) {
  ASSERT_TRUE(find_kernels(KernelSet::scalar));
  EXPECT_EQ(find_kernels(KernelSet::avx2) != nullptr, cpu_has_avx2());
  EXPECT_EQ(find_kernels(KernelSet::avx512) != nullptr, cpu_has_avx512());
  for (const KernelSet set : sets_here()) EXPECT_EQ(find_kernels(set)->set, set);
}

TEST(KernelChoice, WhatIsAskedForIsChosenWithoutAWord) {
  for (const KernelSet set : sets_here()) {
    const KernelChoice choice = choose_kernels(to_string(set));
    EXPECT_EQ(choice.kernels.set, set);
    EXPECT_EQ(choice.warning, "");
  }
}

TEST(KernelChoice, WithoutAWishItIsTheBest) {
  const KernelChoice choice = choose_kernels("");
  EXPECT_EQ(choice.warning, "");
  EXPECT_EQ(choice.kernels.set == KernelSet::scalar, sets_here().size() == 1);
}

TEST(KernelChoice, AnUnknownNameGetsTheBestAndAWarning) {
  for (const char* asked : {"AVX2", "avx", "avx2 ", "neon", "unknown"}) {
    const KernelChoice choice = choose_kernels(asked);
    EXPECT_EQ(&choice.kernels, &choose_kernels("").kernels) << asked;
    EXPECT_EQ(choice.warning, "PEREGRINE_KERNEL is not scalar, avx2 or avx512") << asked;
  }
}

TEST(KernelChoice, WhatTheCpuLacksGetsTheBestAndAWarning) {
  for (const KernelSet set : {KernelSet::avx2, KernelSet::avx512}) {
    if (find_kernels(set)) continue;
    const KernelChoice choice = choose_kernels(to_string(set));
    EXPECT_EQ(&choice.kernels, &choose_kernels("").kernels);
    EXPECT_EQ(choice.warning, "the CPU lacks what PEREGRINE_KERNEL asks for");
  }
}

TEST(KernelChoice, TheEnvironmentIsAsked) {
  EnvironmentVariable variable("PEREGRINE_KERNEL");
  variable.set("scalar");
  EXPECT_EQ(best_kernels().set, KernelSet::scalar);
  variable.set("fast");
  EXPECT_NE(choose_kernels().warning, "");
  variable.unset();
  EXPECT_EQ(&best_kernels(), &choose_kernels("").kernels);
  EXPECT_EQ(choose_kernels().warning, "");
}

TEST(KernelChoice, ScalarIsInUseUntilAnotherIsPut) {
  EXPECT_EQ(kernels().set, KernelSet::scalar);
  use_kernels(best_kernels());
  EXPECT_EQ(&kernels(), &best_kernels());
  use_kernels(*find_kernels(KernelSet::scalar));
  EXPECT_EQ(kernels().set, KernelSet::scalar);
}

}  // namespace
}  // namespace peregrine
