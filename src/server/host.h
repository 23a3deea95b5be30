// What the host lets this process use and be. Start-up code.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"

namespace peregrine {

// what() is one line for the operator.
struct StartError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The CPUs of this process's affinity mask.
std::vector<unsigned> usable_cpus();

// How many workers keep the CPU time that we may use busy: the affinity mask cut by the cgroup's quota, at
// least 1.
unsigned usable_cores();

// Cores of a cgroup v2 cpu.max line ("200000 100000" is 2, "max 100000" is 0: no limit), rounded up; 0 if
// unreadable.
unsigned cores_of_quota(std::string_view cpu_max);

// Whether this host takes what is sent to `at` as its own: a socket can be bound to such an address. Where
// the host lets sockets be bound to any (sysctl ip_nonlocal_bind), only the loopback ones are known to be its
// own.
bool is_of_this_host(const Endpoint& at);

// Of its interfaces, in order: what other servers could send us to. Empty where the kernel does not tell.
std::vector<IpAddress> addresses_of_this_host();

// Becomes `user` with its groups, for good. Throws StartError where there is no such user or no permission.
void become_user(const std::string& user);

// A directory of this user's for run-time state: /run/peregrine for root, else $XDG_RUNTIME_DIR/peregrine,
// else /tmp/peregrine-UID. Only its name: nothing is made.
std::string default_state_dir();

// `configured`, or default_state_dir() if that is empty. Made with mode 0700 where it is missing, and given
// to `user` if that is not empty. Throws StartError where it cannot be made or belongs to somebody else.
std::string prepare_state_dir(const std::string& configured, const std::string& user);

}  // namespace peregrine
