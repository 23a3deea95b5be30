#include "config/own_addresses.h"

#include <gmock/gmock.h>

#include "config/config_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Endpoint at(const char* text) { return Endpoint::parse(text, 53).value(); }

std::vector<ListenAddress> listening(const std::vector<const char*>& addresses) {
  std::vector<ListenAddress> listen;
  for (const char* address : addresses) listen.push_back({ListenScheme::udp_and_tcp, at(address)});
  return listen;
}

// A host that has these two addresses.
bool is_of_host(const Endpoint& e) {
  return e.address == at("192.0.2.1").address || e.address == at("2001:db8::1").address;
}

TEST(OwnAddresses, AreThoseWithAddressAndPort) {
  const OwnAddresses ours(listening({"192.0.2.1", "[2001:db8::1]:54"}));
  EXPECT_EQ(ours.reached_by(at("192.0.2.1")), at("192.0.2.1"));
  EXPECT_EQ(ours.reached_by(at("[2001:db8::1]:54")), at("[2001:db8::1]:54"));
  EXPECT_FALSE(ours.reached_by(at("192.0.2.1:54")));
  EXPECT_FALSE(ours.reached_by(at("192.0.2.2")));
  EXPECT_FALSE(ours.reached_by(at("127.0.0.1")));
}

TEST(OwnAddresses, AWildcardTakesWhatIsSentToItsFamilyOnThisHost) {
  const auto v4 = listening({"0.0.0.0"}), v6 = listening({"::"});
  EXPECT_EQ(OwnAddresses(v4, is_of_host).reached_by(at("192.0.2.1")), at("0.0.0.0"));
  EXPECT_EQ(OwnAddresses(v6, is_of_host).reached_by(at("2001:db8::1")), at("::"));
  EXPECT_EQ(OwnAddresses(v4).reached_by(at("127.9.9.9")), at("0.0.0.0"));
  EXPECT_EQ(OwnAddresses(v6).reached_by(at("::1")), at("::"));
  for (const char* other : {"192.0.2.2", "192.0.2.1:54", "2001:db8::1", "::1"}) {
    EXPECT_FALSE(OwnAddresses(v4, is_of_host).reached_by(at(other))) << other;
  }
  EXPECT_FALSE(OwnAddresses(v6, is_of_host).reached_by(at("127.0.0.1")));
  EXPECT_FALSE(OwnAddresses(v6, is_of_host).reached_by(at("192.0.2.1")));
  EXPECT_FALSE(OwnAddresses(v4).reached_by(at("192.0.2.1")));  // nothing is known of this host
}

TEST(OwnAddresses, AServerAtTheUnspecifiedAddressIsAtLoopback) {
  EXPECT_EQ(OwnAddresses(listening({"127.0.0.1"})).reached_by(at("0.0.0.0")), at("127.0.0.1"));
  EXPECT_EQ(OwnAddresses(listening({"::"})).reached_by(at("::")), at("::"));
  EXPECT_FALSE(OwnAddresses(listening({"192.0.2.1"})).reached_by(at("0.0.0.0")));
}

TEST(OwnAddresses, EachForwardServerThatIsOneIsNamed) {
  Config config;
  config.server.listen = listening({"0.0.0.0", "127.0.0.1:54"});
  config.forward = {{DnameBuf(), {at("192.0.2.9"), at("192.0.2.1")}}, {DnameBuf(), {at("127.0.0.1:54")}}};
  EXPECT_THAT(forwards_to_itself(config, is_of_host),
              ElementsAre("the forward server 192.0.2.1:53 is our own server.listen address 0.0.0.0:53: "
                          "queries would go round in a loop",
                          "the forward server 127.0.0.1:54 is our own server.listen address 127.0.0.1:54: "
                          "queries would go round in a loop"));
  config.forward.pop_back();
  EXPECT_THAT(forwards_to_itself(config), IsEmpty());
}

}  // namespace
}  // namespace peregrine
