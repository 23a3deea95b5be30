#include "server/host.h"

#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "support/temp_dir.h"

namespace peregrine {
namespace {

TEST(Host, QuotasAreCoresRoundedUp) {
  EXPECT_EQ(cores_of_quota("max 100000"), 0u);
  EXPECT_EQ(cores_of_quota("200000 100000"), 2u);
  EXPECT_EQ(cores_of_quota("150000 100000"), 2u);
  EXPECT_EQ(cores_of_quota("50000 100000"), 1u);
  EXPECT_EQ(cores_of_quota("99999999999 1"), 1024u);
  for (const char* broken : {"", "200000", "200000 ", "200000 0", "x 1", "0 100000"}) {
    EXPECT_EQ(cores_of_quota(broken), 0u) << broken;
  }
}

TEST(Host, ThereIsAlwaysACore) {
  EXPECT_GE(usable_cores(), 1u);
  EXPECT_FALSE(usable_cpus().empty());
}

TEST(Host, LoopbackIsItsOwnAndAForeignAddressIsNot) {
  for (const char* own : {"127.0.0.1:53", "127.1.2.3:53", "[::1]:53"}) {
    EXPECT_TRUE(is_of_this_host(Endpoint::parse(own, 0).value())) << own;
  }
  for (const char* foreign : {"203.0.113.77:53", "[2001:db8:77::77]:53"}) {
    EXPECT_FALSE(is_of_this_host(Endpoint::parse(foreign, 0).value())) << foreign;
  }
}

TEST(Host, TheAddressesOfItsInterfacesAreItsOwn) {
  std::string any;
  if (std::getline(std::ifstream("/proc/sys/net/ipv4/ip_nonlocal_bind"), any) && any != "0") {
    GTEST_SKIP() << "net.ipv4.ip_nonlocal_bind is set";
  }
  ifaddrs* interfaces = nullptr;
  ASSERT_EQ(getifaddrs(&interfaces), 0);
  for (const ifaddrs* i = interfaces; i != nullptr; i = i->ifa_next) {
    if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || (i->ifa_flags & IFF_UP) == 0) continue;
    const Endpoint at = Endpoint::from_sockaddr(i->ifa_addr);
    EXPECT_TRUE(is_of_this_host(at)) << at.to_string();
  }
  freeifaddrs(interfaces);
}

class StateDir : public ::testing::Test {
 protected:
  const TempDir root_;
};

TEST_F(StateDir, IsMadeForItsOwnerOnly) {
  const std::string dir = prepare_state_dir(root_ / "state", "");
  struct stat status{};
  ASSERT_EQ(stat(dir.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  EXPECT_EQ(prepare_state_dir(dir, ""), dir);  // once more: it is there
}

TEST_F(StateDir, AFileOrALinkInItsPlaceIsAnError) {
  const std::string file = root_ / "file", link = root_ / "link";
  std::ofstream(file).close();
  EXPECT_THROW(prepare_state_dir(file, ""), StartError);
  std::filesystem::create_directory_symlink("/", link);
  EXPECT_THROW(prepare_state_dir(link, ""), StartError);
  EXPECT_THROW(prepare_state_dir(root_ / "no/parent", ""), StartError);
}

TEST(Host, TheDefaultStateDirectoryIsThisUsers) {
  const char* set = std::getenv("XDG_RUNTIME_DIR");
  const std::string before = set ? set : "";
  setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  EXPECT_EQ(default_state_dir(), geteuid() == 0 ? "/run/peregrine" : "/run/user/7/peregrine");
  unsetenv("XDG_RUNTIME_DIR");
  EXPECT_EQ(default_state_dir(),
            geteuid() == 0 ? "/run/peregrine" : "/tmp/peregrine-" + std::to_string(geteuid()));
  if (set) setenv("XDG_RUNTIME_DIR", before.c_str(), 1);
}

TEST(Host, AUserWhoDoesNotExistIsAnError) { EXPECT_THROW(become_user("no-such-user-here"), StartError); }

}  // namespace
}  // namespace peregrine
