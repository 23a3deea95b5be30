#include "cli/banner.h"

#include <gtest/gtest.h>

namespace peregrine {
namespace {

ForwardTable::Zone zone(const char* name, std::initializer_list<const char*> servers) {
  ForwardTable::Zone made{*DnameBuf::from_text(name), {}};
  for (const char* server : servers) made.servers.push_back(*Endpoint::parse(server, 53));
  return made;
}

ServerStatus listening_on(std::vector<std::string> listening) {
  ServerStatus status;
  status.version = "1.2.3";
  status.listening = std::move(listening);
  status.forwarding.push_back(zone(".", {"192.0.2.1", "[2001:db8::1]:5353"}));
  return status;
}

TEST(Banner, SaysWhatIsThere) {
  const ServerStatus status =
      listening_on({"udp://127.0.0.1:1053", "tcp://127.0.0.1:1053", "udp://[::1]:1053", "tcp://[::1]:1053"});
  EXPECT_EQ(banner_text(status, "/run/peregrine/control.sock"),
            "Peregrine 1.2.3 listens on 127.0.0.1:1053 (UDP and TCP)\n"
            "Peregrine 1.2.3 listens on [::1]:1053 (UDP and TCP)\n"
            "forwards . to 192.0.2.1:53 [2001:db8::1]:5353\n"
            "control socket /run/peregrine/control.sock\n"
            "try: dig @127.0.0.1 -p 1053 example.com\n");
  EXPECT_EQ(missing_upstreams(status), "");
}

TEST(Banner, OneTransport) {
  const std::string text = banner_text(listening_on({"tcp://192.0.2.7:53", "udp://192.0.2.8:53"}), "");
  EXPECT_NE(text.find("192.0.2.7:53 (TCP)\n"), text.npos) << text;
  EXPECT_NE(text.find("192.0.2.8:53 (UDP)\n"), text.npos) << text;
  EXPECT_NE(text.find("try: dig @192.0.2.7 +tcp example.com\n"), text.npos) << text;
  EXPECT_EQ(text.find("control socket"), text.npos) << text;
}

TEST(Banner, AWildcardIsAskedOnTheLoopback) {
  EXPECT_NE(
      banner_text(listening_on({"udp://0.0.0.0:5300"}), "").find("try: dig @127.0.0.1 -p 5300 example.com\n"),
      std::string::npos);
  EXPECT_NE(banner_text(listening_on({"udp://[::]:53"}), "").find("try: dig @::1 example.com\n"),
            std::string::npos);
}

TEST(Banner, WithoutUpstreamsItSaysSoAndNamesWhatWorks) {
  ServerStatus status = listening_on({"udp://127.0.0.1:1053"});
  status.forwarding.clear();
  EXPECT_NE(banner_text(status, "").find("try: dig @127.0.0.1 -p 1053 localhost\n"), std::string::npos);
  const std::string missing = missing_upstreams(status);
  EXPECT_NE(missing.find("nothing to forward to"), missing.npos) << missing;
  EXPECT_NE(missing.find("/etc/resolv.conf"), missing.npos) << missing;
  EXPECT_EQ(missing.find('\n'), missing.npos);
}

TEST(Banner, SaysWhatIsResolvedFromTheRoot) {
  ServerStatus status = listening_on({"udp://127.0.0.1:1053"});
  status.recursion = true;
  EXPECT_EQ(banner_text(status, "").find("from the root"), std::string::npos) << "everything is forwarded";
  status.forwarding = {zone("corp.example.", {"192.0.2.1"})};
  EXPECT_NE(banner_text(status, "").find("\nresolves other names from the root\n"), std::string::npos);
  EXPECT_EQ(missing_upstreams(status), "");
  status.forwarding.clear();
  const std::string text = banner_text(status, "");
  EXPECT_NE(text.find("\nresolves names from the root\n"), std::string::npos);
  EXPECT_NE(text.find("try: dig @127.0.0.1 -p 1053 example.com\n"), std::string::npos);
}

TEST(Banner, SomeZonesOnly) {
  ServerStatus status = listening_on({"udp://127.0.0.1:1053"});
  status.forwarding = {zone("corp.example", {"192.0.2.1"})};
  EXPECT_NE(banner_text(status, "").find("try: dig @127.0.0.1 -p 1053 corp.example.\n"), std::string::npos);
  const std::string missing = missing_upstreams(status);
  EXPECT_NE(missing.find("outside these zones"), missing.npos) << missing;
  EXPECT_EQ(missing.find("/etc/resolv.conf"), missing.npos) << "it is not used where there is a [[forward]]";
}

}  // namespace
}  // namespace peregrine
