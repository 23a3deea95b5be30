#include "load/responders.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "load/load_support.h"
#include "wire/message_writer.h"

namespace peregrine {
namespace {

class Upstream : public ::testing::Test {
 protected:
  Upstream() {
    sockaddr_storage to;
    const socklen_t size = server_.at.to_sockaddr(to);
    EXPECT_EQ(connect(socket_.get(), reinterpret_cast<sockaddr*>(&to), size), 0);
  }

  MessageView ask(const char* name, Type qtype) {
    std::array<uint8_t, 512> query;
    MessageWriter writer(query);
    writer.id(77);
    writer.rd(true);
    writer.question(DnameBuf::from_text(name).value(), qtype, Class::in);
    send(socket_.get(), query.data(), writer.size(), 0);
    const ssize_t got = recv(socket_.get(), reply_.data(), reply_.size(), 0);
    return MessageView::parse(Bytes(reply_).first(static_cast<size_t>(got))).value();
  }

 private:
  Running server_{run_name_responder};
  Fd socket_{socket(AF_INET, SOCK_DGRAM, 0)};
  std::array<uint8_t, 512> reply_;
};

TEST_F(Upstream, HasAnAddressForEveryName) {
  const MessageView reply = ask("www.example.net", Type::a);
  EXPECT_EQ(reply.header().id(), 77);
  EXPECT_EQ(reply.rcode(), Rcode::noerror);
  EXPECT_EQ(reply.header().count(Section::answer), 1);
  EXPECT_EQ(ask("www.example.net", Type::aaaa).header().count(Section::answer), 0);
  EXPECT_EQ(ask("none.bench.example", Type::a).header().count(Section::answer), 1);
}

TEST_F(Upstream, DeniesWhatIsBelowNone) {
  for (Type qtype : {Type::a, Type::aaaa}) {
    const MessageView reply = ask("www.None.bench.example", qtype);
    EXPECT_EQ(reply.rcode(), Rcode::nxdomain);
    EXPECT_EQ(reply.header().count(Section::answer), 0);
    ASSERT_EQ(reply.header().count(Section::authority), 1);
    for (const RrView rr : reply.section(Section::authority)) {
      EXPECT_EQ(rr.type, Type::soa);
      EXPECT_EQ(rr.ttl, 3600u);
      EXPECT_EQ(load_u32(&rr.rdata[rr.rdata.size() - 4]), 3600u);
    }
  }
}

}  // namespace
}  // namespace peregrine
