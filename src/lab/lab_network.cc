#include "lab/lab_network.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "io/fd.h"

namespace peregrine {
namespace {

using Done = std::expected<void, std::string>;

Done failed(const std::string& what) {
  return std::unexpected(what + ": " + std::generic_category().message(errno));
}

Done write_to(const char* path, const std::string& text) {
  const Fd file(open(path, O_WRONLY | O_CLOEXEC));
  if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return failed(std::string("cannot write ") + path);
  return {};
}

// user_namespaces(7): a map of groups may be written only once setgroups(2) is denied.
Done become_root(uid_t user, gid_t group) {
  if (auto done = write_to("/proc/self/uid_map", "0 " + std::to_string(user) + " 1"); !done) return done;
  if (auto done = write_to("/proc/self/setgroups", "deny"); !done) return done;
  return write_to("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
}

Done raise_loopback() {
  const Fd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  if (!any || ioctl(any.get(), SIOCGIFFLAGS, &request) != 0) return failed("cannot read the state of lo");
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
  if (ioctl(any.get(), SIOCSIFFLAGS, &request) != 0) return failed("cannot bring lo up");
  return {};
}

struct RouteMessage {
  nlmsghdr header{};
  rtmsg route{};
  std::array<uint8_t, 64> attributes{};
};

void put_attribute(RouteMessage& message, unsigned short type, Bytes value) {
  const size_t at = NLMSG_ALIGN(message.header.nlmsg_len) - offsetof(RouteMessage, attributes);
  const rtattr head{.rta_len = static_cast<unsigned short>(RTA_LENGTH(value.size())), .rta_type = type};
  std::memcpy(&message.attributes.at(at), &head, sizeof head);
  std::memcpy(&message.attributes.at(at + RTA_LENGTH(0)), value.data(), value.size());
  message.header.nlmsg_len =
      static_cast<uint32_t>(offsetof(RouteMessage, attributes) + at + RTA_ALIGN(head.rta_len));
}

// `ip route add local PREFIX dev lo`: every address of the prefix is local, though no interface has it
// ("AnyIP").
RouteMessage local_route(const Prefix& prefix) {
  const bool v4 = prefix.address.family() == Family::v4;
  RouteMessage message;
  message.header.nlmsg_len = NLMSG_LENGTH(sizeof message.route);
  message.header.nlmsg_type = RTM_NEWROUTE;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
  message.route.rtm_family = v4 ? AF_INET : AF_INET6;
  message.route.rtm_dst_len = prefix.length;
  message.route.rtm_table = RT_TABLE_LOCAL;
  message.route.rtm_protocol = RTPROT_BOOT;
  message.route.rtm_scope = v4 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
  message.route.rtm_type = RTN_LOCAL;
  put_attribute(message, RTA_DST, prefix.address.octets());
  const uint32_t loopback = if_nametoindex("lo");
  put_attribute(message, RTA_OIF, Bytes(reinterpret_cast<const uint8_t*>(&loopback), sizeof loopback));
  return message;
}

Done make_local(const Prefix& prefix) {
  const std::string what = "cannot make " + prefix.to_string() + " local";
  const Fd netlink(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  const RouteMessage message = local_route(prefix);
  struct {
    nlmsghdr header;
    nlmsgerr error;
    std::array<uint8_t, 512> rest;
  } reply{};
  if (!netlink || send(netlink.get(), &message, message.header.nlmsg_len, 0) < 0 ||
      recv(netlink.get(), &reply, sizeof reply, 0) < static_cast<ssize_t>(NLMSG_LENGTH(sizeof reply.error)))
    return failed(what);
  errno = -reply.error.error;
  return errno == 0 ? Done{} : failed(what);
}

Done enter(std::span<const Prefix> local) {
  const uid_t user = geteuid();
  const gid_t group = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) != 0)
    return failed("this system lets users make no namespaces");
  if (auto done = become_root(user, group); !done) return done;
  // What is mounted here is not seen outside, whatever the mounts were before.
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return failed("cannot keep mounts private");
  if (auto done = raise_loopback(); !done) return done;
  for (const Prefix& prefix : local) {
    auto done = make_local(prefix);
    // Without IPv6 the lab goes on: its zones with no other servers are then dead.
    if (!done && prefix.address.family() == Family::v4) return done;
  }
  return {};
}

// A process cannot leave a user namespace again, so a child finds out whether it is of use.
Done try_in_child(std::span<const Prefix> local) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return failed("no pipe");
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const pid_t child = fork();
  if (child < 0) return failed("no process");
  if (child == 0) {
    const Done done = enter(local);
    if (!done) (void)!write(writer.get(), done.error().data(), done.error().size());
    _exit(done ? 0 : 1);
  }
  writer.close();
  std::array<char, 256> text;
  const ssize_t size = read(reader.get(), text.data(), text.size());
  int status = 0;
  pid_t ended = 0;
  while ((ended = waitpid(child, &status, 0)) < 0 && errno == EINTR) continue;
  if (ended < 0) return failed("no word of a process");
  if (status == 0) return {};
  return std::unexpected(std::string(text.data(), size > 0 ? static_cast<size_t>(size) : 0));
}

}  // namespace

std::expected<void, std::string> enter_own_network(std::span<const Prefix> local) {
  if (auto done = try_in_child(local); !done) return done;
  return enter(local);
}

std::expected<void, std::string> put_file_over(const std::string& file, const std::string& at) {
  if (mount(file.c_str(), at.c_str(), nullptr, MS_BIND, nullptr) != 0)
    return failed("cannot put a file over " + at);
  return {};
}

}  // namespace peregrine
