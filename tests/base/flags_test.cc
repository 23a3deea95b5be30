#include "base/flags.h"

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <vector>

#include "base/cpu.h"

namespace peregrine {
namespace {

constexpr std::array all_profiles{Profile::dev, Profile::staging, Profile::production, Profile::full};

std::vector<std::string> wanted_names(Profile profile) {
  std::vector<std::string> names;
  const FlagSet set(profile);
  for (const FlagRow& r : flag_rows()) {
    if (set.wanted(r.flag)) names.emplace_back(r.name);
  }
  return names;
}

TEST(FlagTable, EachFlagIsFoundByItsName) {
  ASSERT_EQ(flag_rows().size(), flag_count);
  for (size_t i = 0; i < flag_count; ++i) {
    const FlagRow& r = flag_rows()[i];
    EXPECT_EQ(static_cast<size_t>(r.flag), i);
    EXPECT_EQ(&row(r.flag), &r);
    EXPECT_EQ(find_flag(r.name), r.flag) << r.name;
    EXPECT_FALSE(r.summary.empty()) << r.name;
    EXPECT_FALSE(r.baseline.empty()) << r.name;
  }
  EXPECT_EQ(find_flag("io_uring"), Flag::io_uring);
}

TEST(FlagTable, UnknownNamesAreNotFound) {
  for (auto name : {"", "simd ", "SIMD", "sim", "batched-io"})
    EXPECT_EQ(find_flag(name), std::nullopt) << name;
  for (auto name : {"", "prod", "Dev", "production "}) EXPECT_EQ(find_profile(name), std::nullopt) << name;
}

TEST(FlagTable, ProfileNamesRoundTrip) {
  for (Profile p : all_profiles) EXPECT_EQ(find_profile(to_string(p)), p);
  EXPECT_EQ(find_profile("staging"), Profile::staging);
}

TEST(FlagTable, DefaultsByProfile) {
  EXPECT_EQ(wanted_names(Profile::dev).size(), flag_count);
  EXPECT_THAT(wanted_names(Profile::staging),
              testing::ElementsAre("zero_copy_parsing", "thread_local_buffers", "lock_free_cache",
                                   "batched_io", "simd", "reuse_port"));
  EXPECT_THAT(wanted_names(Profile::production),
              testing::ElementsAre("zero_copy_parsing", "thread_local_buffers", "lock_free_cache",
                                   "batched_io", "simd", "reuse_port"));
  EXPECT_EQ(wanted_names(Profile::full), wanted_names(Profile::production));
}

TEST(FlagSet, AFlagThatIsNotBuiltIsNeverOn) {
  const FlagSet set(Profile::dev);
  for (const FlagRow& r : flag_rows()) {
    EXPECT_TRUE(set.wanted(r.flag)) << r.name;
    if (r.built) continue;
    EXPECT_EQ(unavailable(r.flag), "not in this binary") << r.name;
    EXPECT_FALSE(set.on(r.flag)) << r.name;
  }
}

TEST(FlagSet, PortableTechniquesAreOnWhenWanted) {
  FlagSet set(Profile::dev);
  for (Flag flag : {Flag::batched_io, Flag::reuse_port, Flag::cpu_affinity}) {
    EXPECT_EQ(unavailable(flag), "");
    EXPECT_TRUE(set.on(flag));
    set.set(flag, false, Origin::file);
    EXPECT_FALSE(set.on(flag));
  }
}

TEST(FlagSet, SimdIsOnWhereTheCpuHasIt) {
  const bool has = cpu_has_avx2();
  EXPECT_EQ(unavailable(Flag::simd), has ? "" : "the CPU has neither AVX2 nor AVX-512");
  EXPECT_EQ(FlagSet(Profile::production).on(Flag::simd), has);
  EXPECT_TRUE(has || !cpu_has_avx512()) << "AVX-512 kernels use AVX2 as well";
}

TEST(FlagSet, DefaultIsProduction) {
  EXPECT_EQ(FlagSet(), FlagSet(Profile::production));
  EXPECT_EQ(FlagSet().origin(Flag::simd), Origin::profile);
}

TEST(FlagSet, AStrongerOriginWinsInWhateverOrder) {
  FlagSet set(Profile::production);
  set.set(Flag::batched_io, false, Origin::command_line);
  set.set(Flag::batched_io, true, Origin::file);
  EXPECT_FALSE(set.wanted(Flag::batched_io));
  EXPECT_EQ(set.origin(Flag::batched_io), Origin::command_line);
  set.set(Flag::batched_io, true, Origin::control);
  EXPECT_TRUE(set.wanted(Flag::batched_io));
  EXPECT_EQ(set.origin(Flag::batched_io), Origin::control);
  EXPECT_EQ(set.origin(Flag::simd), Origin::profile) << "other flags keep theirs";
}

TEST(FlagSet, TheSameOriginMayChangeItsMind) {
  FlagSet set;
  set.set(Flag::reuse_port, false, Origin::control);
  set.set(Flag::reuse_port, true, Origin::control);
  EXPECT_TRUE(set.wanted(Flag::reuse_port));
}

TEST(FlagSet, WeakerThanTheProfileIsIgnored) {
  FlagSet set(Profile::dev);
  set.set(Flag::simd, false, Origin::built_in);
  EXPECT_TRUE(set.wanted(Flag::simd));
}

TEST(Origin, NamesAreDistinct) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Origin::rollout); ++i)
    names.insert(to_string(static_cast<Origin>(i)));
  EXPECT_EQ(names.size(), static_cast<size_t>(Origin::rollout) + 1);
  EXPECT_FALSE(names.contains("unknown"));
}

}  // namespace
}  // namespace peregrine
