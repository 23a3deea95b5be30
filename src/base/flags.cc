#include "base/flags.h"

#include <algorithm>

#include "base/cpu.h"
#include "base/kernel.h"

namespace peregrine {
namespace {

using enum Flag;
using enum FlagScope;

constexpr bool built = true;

// Defaults, in the order of Profile: dev, staging, production, full.
constexpr std::array<bool, profile_count> everywhere = {true, true, true, true};
constexpr std::array<bool, profile_count> dev_only = {true, false, false, false};

// clang-format off
constexpr std::array<FlagRow, flag_count> rows{{
    {zero_copy_parsing, "zero_copy_parsing",
     "Messages are read as views over the receive buffer",
     "a Message that owns its parts",
     process, built, everywhere},
    {thread_local_buffers, "thread_local_buffers",
     "Buffers come from a last-in-first-out pool of each thread",
     "a new buffer each time",
     process, built, everywhere},
    {lock_free_cache, "lock_free_cache",
     "The cache is ArenaStore, whose readers take no lock",
     "MutexStore: sharded maps behind mutexes",
     process, built, everywhere},
    {batched_io, "batched_io",
     "Datagrams go in batches by recvmmsg and sendmmsg",
     "recvfrom and sendto, one datagram a call",
     process, built, everywhere},
    {simd, "simd",
     "Names are folded, compared and hashed by AVX2 or AVX-512 kernels",
     "scalar kernels",
     process, built, everywhere},
    {io_uring, "io_uring",
     "Datagrams are received by a multishot io_uring",
     "the socket engines",
     process, built, dev_only},
    {reuse_port, "reuse_port",
     "Each worker has a listening socket of its own (SO_REUSEPORT)",
     "one listening socket shared by all workers",
     process, built, everywhere},
    {cpu_affinity, "cpu_affinity",
     "Each worker is pinned to a CPU",
     "workers run where the kernel puts them",
     process, built, dev_only},
    {udp_steering, "udp_steering",
     "A program on the reuse-port group picks the worker by CPU or flow hash",
     "the kernel's own hash",
     process, built, dev_only},
}};
// clang-format on

static_assert(
    [] {
      for (size_t i = 0; i < rows.size(); ++i) {
        if (static_cast<size_t>(rows[i].flag) != i) return false;
      }
      return true;
    }(),
    "rows are in the order of Flag");

constexpr std::array<std::string_view, profile_count> profile_names{"dev", "staging", "production", "full"};

}  // namespace

std::string_view to_string(Origin origin) {
  switch (origin) {
    case Origin::built_in:
      return "built-in";
    case Origin::profile:
      return "profile";
    case Origin::file:
      return "file";
    case Origin::environment:
      return "environment";
    case Origin::command_line:
      return "command-line";
    case Origin::control:
      return "control";
    case Origin::rollout:
      return "rollout";
  }
  return "unknown";
}

std::span<const FlagRow> flag_rows() { return rows; }

const FlagRow& row(Flag flag) { return rows[static_cast<size_t>(flag)]; }

std::optional<Flag> find_flag(std::string_view name) {
  auto found = std::ranges::find(rows, name, &FlagRow::name);
  if (found == rows.end()) return std::nullopt;
  return found->flag;
}

std::optional<Profile> find_profile(std::string_view name) {
  auto found = std::ranges::find(profile_names, name);
  if (found == profile_names.end()) return std::nullopt;
  return static_cast<Profile>(found - profile_names.begin());
}

std::string_view to_string(Profile profile) { return profile_names[static_cast<size_t>(profile)]; }

std::string_view unavailable(Flag flag) {
  if (!row(flag).built) return "not in this binary";
  if (flag == io_uring) return io_uring_refused();
  if (flag == simd && !cpu_has_avx2()) return "the CPU has neither AVX2 nor AVX-512";
  return "";
}

FlagSet::FlagSet(Profile profile) {
  for (const FlagRow& r : rows) values_[index(r.flag)] = r.defaults[static_cast<size_t>(profile)];
  origins_.fill(Origin::profile);
}

void FlagSet::set(Flag flag, bool value, Origin origin) {
  if (origin < origins_[index(flag)]) return;
  values_[index(flag)] = value;
  origins_[index(flag)] = origin;
}

}  // namespace peregrine
