// The feature flags: every technique of the data plane with its baseline beside it, as one typed table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace peregrine {

enum class Flag : uint8_t {
  zero_copy_parsing,
  thread_local_buffers,
  lock_free_cache,
  batched_io,
  simd,
  io_uring,
  reuse_port,
  cpu_affinity,
  udp_steering,
};
inline constexpr size_t flag_count = 9;

enum class Profile : uint8_t { dev, staging, production, full };
inline constexpr size_t profile_count = 4;

// How a flag may change: `live` at once in a running server, `process` only by starting a new one.
enum class FlagScope : uint8_t { live, process };

// Where a value came from; a later one overrides an earlier one.
enum class Origin : uint8_t { built_in, profile, file, environment, command_line, control, rollout };
std::string_view to_string(Origin origin);

struct FlagRow {
  Flag flag;
  std::string_view name;
  std::string_view summary;   // what it does, one line
  std::string_view baseline;  // what serves when it is off
  FlagScope scope;
  bool built;                                // in this binary; a flag that is not built stays off
  std::array<bool, profile_count> defaults;  // by Profile
};

std::span<const FlagRow> flag_rows();  // in the order of Flag
const FlagRow& row(Flag flag);
std::optional<Flag> find_flag(std::string_view name);
std::optional<Profile> find_profile(std::string_view name);
std::string_view to_string(Profile profile);

// Why a flag cannot be on in this process ("not built", "the CPU lacks AVX2", ...), or empty if it can.
std::string_view unavailable(Flag flag);

// A value for each flag and where it came from. A plain value type.
class FlagSet {
 public:
  FlagSet() : FlagSet(Profile::production) {}
  explicit FlagSet(Profile profile);
  // What the caller may rely on: wanted and available.
  bool on(Flag flag) const { return wanted(flag) && unavailable(flag).empty(); }
  bool wanted(Flag flag) const { return values_[index(flag)]; }
  Origin origin(Flag flag) const { return origins_[index(flag)]; }
  void set(Flag flag, bool value, Origin origin);  // ignored where a stronger origin has set it already
  bool operator==(const FlagSet&) const = default;

 private:
  static size_t index(Flag flag) { return static_cast<size_t>(flag); }
  std::array<bool, flag_count> values_{};
  std::array<Origin, flag_count> origins_{};
};

}  // namespace peregrine
