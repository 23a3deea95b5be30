#include <gmock/gmock.h>

#include "config/config.h"

namespace peregrine {
namespace {

std::vector<std::string> servers(std::string_view text) {
  std::vector<std::string> all;
  for (const Endpoint& server : parse_resolv_conf(text)) all.push_back(server.to_string());
  return all;
}

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ResolvConf, GivesNameserversInTheirOrder) {
  EXPECT_THAT(servers("search example.com\n"
                      "nameserver 192.0.2.2\n"
                      "nameserver\t2001:db8::53\n"
                      "options edns0\n"
                      "nameserver   192.0.2.1"),
              ElementsAre("192.0.2.2:53", "[2001:db8::53]:53", "192.0.2.1:53"));
}

TEST(ResolvConf, SkipsComments) {
  EXPECT_THAT(servers("# nameserver 192.0.2.1\n; nameserver 192.0.2.2\n#nameserver 192.0.2.3\n"), IsEmpty());
  EXPECT_THAT(servers("nameserver 192.0.2.4 # ours\nnameserver 192.0.2.5;old\nnameserver 192.0.2.6\tx\n"),
              ElementsAre("192.0.2.4:53", "192.0.2.5:53", "192.0.2.6:53"));
}

TEST(ResolvConf, SkipsWhatItCannotRead) {
  EXPECT_THAT(servers("nameserver\nnameserver \nnameserver x\nnameserver 192.0.2\nnameserver192.0.2.1\n"
                      "nameservers 192.0.2.1\nname 192.0.2.1\nnameserver 192.0.2.1:5353\nnameserver [::1]\n"
                      "nameserver 192.0.2.7\n"),
              ElementsAre("192.0.2.7:53"));
}

TEST(ResolvConf, TakesCarriageReturnsAndNoFinalNewline) {
  EXPECT_THAT(servers("nameserver 192.0.2.1\r\nnameserver 192.0.2.2\r"),
              ElementsAre("192.0.2.1:53", "192.0.2.2:53"));
  EXPECT_THAT(servers(""), IsEmpty());
  EXPECT_THAT(servers("\n\n"), IsEmpty());
}

TEST(ResolvConf, KeepsTheScopeOfALinkLocalAddress) {
  const auto found = parse_resolv_conf("nameserver fe80::1%lo\nnameserver fe80::2%7\n");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_NE(found[0].scope, 0u);
  EXPECT_EQ(found[1].scope, 7u);
}

}  // namespace
}  // namespace peregrine
