#include "server/host.h"

#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <pwd.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>

#include "io/fd.h"

namespace peregrine {
namespace {

std::string because() { return std::string(": ") + std::strerror(errno); }

// The cgroup v2 directory of this process; empty under v1 or without cgroups.
std::string own_cgroup() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::")) return "/sys/fs/cgroup" + line.substr(3);
  }
  return {};
}

bool may_bind_to_any(Family family) {
  std::ifstream file(family == Family::v4 ? "/proc/sys/net/ipv4/ip_nonlocal_bind"
                                          : "/proc/sys/net/ipv6/ip_nonlocal_bind");
  char value = '0';
  return file.get(value) && value != '0';
}

const passwd& find_user(const std::string& user) {
  errno = 0;
  const passwd* entry = getpwnam(user.c_str());  // start-up: one thread
  if (!entry) throw StartError("server.user: there is no user '" + user + "' on this system");
  return *entry;
}

}  // namespace

std::vector<unsigned> usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<unsigned> cpus;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return {0};
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

unsigned cores_of_quota(std::string_view cpu_max) {
  uint64_t quota = 0, period = 0;
  const char* end = cpu_max.data() + cpu_max.size();
  auto [after, error] = std::from_chars(cpu_max.data(), end, quota);
  if (error != std::errc() || after == end || *after != ' ') return 0;
  if (std::from_chars(after + 1, end, period).ec != std::errc() || period == 0 || quota == 0) return 0;
  return static_cast<unsigned>(std::min<uint64_t>((quota + period - 1) / period, 1024));
}

unsigned usable_cores() {
  auto cores = static_cast<unsigned>(usable_cpus().size());
  // The quota of any ancestor binds as well.
  for (std::string dir = own_cgroup(); dir.size() >= strlen("/sys/fs/cgroup"); dir.resize(dir.rfind('/'))) {
    std::ifstream file(dir + "/cpu.max");
    std::string line;
    if (!std::getline(file, line)) continue;
    if (unsigned quota = cores_of_quota(line)) cores = std::min(cores, quota);
  }
  return std::max(cores, 1u);
}

bool is_of_this_host(const Endpoint& at) {
  if (at.address.is_loopback()) return true;
  const Family family = at.address.family();
  if (may_bind_to_any(family)) return false;
  const Fd probe(socket(family == Family::v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  const uint32_t length = Endpoint{at.address, 0, at.scope}.to_sockaddr(storage);
  return probe && bind(probe.get(), reinterpret_cast<const sockaddr*>(&storage), length) == 0;
}

std::vector<IpAddress> addresses_of_this_host() {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> interfaces(first, freeifaddrs);
  std::vector<IpAddress> addresses;
  for (const ifaddrs* at = first; at; at = at->ifa_next) {
    const bool is_ip =
        at->ifa_addr && (at->ifa_addr->sa_family == AF_INET || at->ifa_addr->sa_family == AF_INET6);
    if (is_ip) addresses.push_back(Endpoint::from_sockaddr(at->ifa_addr).address);
  }
  std::ranges::sort(addresses);
  return addresses;
}

void become_user(const std::string& user) {
  const passwd entry = find_user(user);
  if (entry.pw_uid == geteuid()) return;
  if (initgroups(user.c_str(), entry.pw_gid) != 0 || setgid(entry.pw_gid) != 0 || setuid(entry.pw_uid) != 0) {
    throw StartError("server.user: cannot become '" + user + "'" + because() +
                     "; start as root or leave it empty");
  }
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

std::string default_state_dir() {
  if (geteuid() == 0) return "/run/peregrine";
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime && *runtime) return std::string(runtime) + "/peregrine";
  return "/tmp/peregrine-" + std::to_string(geteuid());
}

std::string prepare_state_dir(const std::string& configured, const std::string& user) {
  const std::string dir = configured.empty() ? default_state_dir() : configured;
  if (mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) {
    throw StartError("server.state_dir: cannot make " + dir + because());
  }
  struct stat status{};
  // lstat: a link in /tmp may be somebody's trap.
  if (lstat(dir.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    throw StartError("server.state_dir: " + dir + " is not a directory");
  }
  if (geteuid() != 0) {
    if (status.st_uid == geteuid()) return dir;
    throw StartError("server.state_dir: " + dir + " belongs to another user; choose another directory");
  }
  if (user.empty()) return dir;
  const passwd& entry = find_user(user);
  if (chown(dir.c_str(), entry.pw_uid, entry.pw_gid) != 0) {
    throw StartError("server.state_dir: cannot give " + dir + " to '" + user + "'" + because());
  }
  return dir;
}

}  // namespace peregrine
