// The command "explain", against a server whose upstream is this test.
#include "admin/explain_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "admin/control_support.h"
#include "admin/udp_support.h"
#include "io/listen.h"
#include "wire/message_writer.h"

namespace peregrine {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class ExplainCommand : public testing::Test {
 protected:
  json explain(json request) {
    request["command"] = "explain";
    RawClient control(running_.socket());
    control.send(request.dump() + "\n");
    return control.reply();
  }
  std::string error(const json& request) {
    const json reply = explain(request);
    EXPECT_EQ(reply.at("ok"), false);
    return reply.value("error", "");
  }
  // An address for the next question that comes to the upstream.
  void answer_one() {
    std::array<uint8_t, 512> octets;
    sockaddr_storage from{};
    socklen_t from_size = sizeof from;
    const ssize_t size = recvfrom(upstream_.get(), octets.data(), octets.size(), 0,
                                  reinterpret_cast<sockaddr*>(&from), &from_size);
    ASSERT_GT(size, 12);
    const auto query = MessageView::parse(Bytes(octets).first(static_cast<size_t>(size))).value();
    std::array<uint8_t, 512> buffer;
    MessageWriter reply(buffer);
    reply.id(query.header().id());
    reply.qr(true);
    reply.ra(true);
    const Question question = query.question();
    reply.question(question.qname, question.qtype, question.qclass);
    const std::array<uint8_t, 4> address{192, 0, 2, 1};
    reply.rr(Section::answer, question.qname, Type::a, Class::in, 300, address);
    sendto(upstream_.get(), reply.message().data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from),
           from_size);
  }

  const TempDir dir_;
  const Fd upstream_ = udp_socket();
  const std::string address_ = local_endpoint(upstream_.get()).to_string();
  const RunningServer running_{small_config(
      dir_.path(), {"server.workers=2", R"(forward=[{zone=".",servers=[")" + address_ + "\"]}]"})};
};

TEST_F(ExplainCommand, WhatIsForwardedThenCachedThenFresh) {
  const auto explain_answered = [&](const json& request) {
    std::thread upstream([this] { answer_one(); });
    json reply = explain(request);
    upstream.join();
    return reply;
  };
  const json first = explain_answered({{"name", "www.example.com"}});
  EXPECT_EQ(first.at("ok"), true);
  EXPECT_EQ(first.at("worker"), 0);
  EXPECT_EQ(first.at("question"), json::parse(R"({"name":"www.example.com.","type":"A","dnssec":false})"));
  EXPECT_EQ(first.at("answered_by").at("by"), "forward");
  EXPECT_EQ(first.at("answered_by").at("servers"), json::array({address_}));
  EXPECT_EQ(first.at("result").at("server"), address_);
  EXPECT_EQ(first.at("result").at("packets"), 1);
  const json& zone = first.at("steps").at(0).at("steps").at(0);
  EXPECT_EQ(zone.at("name"), ".");
  EXPECT_EQ(zone.at("steps").at(0).at("server"), address_);

  const json second = explain({{"name", "www.example.com"}, {"worker", 1}});
  EXPECT_EQ(second.at("worker"), 1);
  EXPECT_EQ(second.at("answered_by").at("by"), "cache");
  EXPECT_LE(second.at("answered_by").at("ttl_s"), 300);
  EXPECT_EQ(second.at("result").at("packets"), 0);
  EXPECT_EQ(second.at("result").at("answer").at(0).at("data"), "192.0.2.1");

  const json third = explain_answered({{"name", "www.example.com"}, {"fresh", true}});
  EXPECT_EQ(third.at("answered_by").at("by"), "forward");
  EXPECT_EQ(third.at("fresh"), true);
}

TEST_F(ExplainCommand, WhatIsAnsweredHere) {
  const json reply = explain({{"name", "localhost"}, {"type", "AAAA"}});
  EXPECT_EQ(reply.at("answered_by").at("by"), "special_name");
  EXPECT_EQ(reply.at("result").at("answer").at(0).at("data"), "::1");
}

TEST_F(ExplainCommand, WhatIsNoRequestIsSaid) {
  EXPECT_THAT(error(json::object()), HasSubstr("no \"name\" that is a domain name"));
  EXPECT_THAT(error({{"name", "a..b"}}), HasSubstr("no \"name\" that is a domain name"));
  EXPECT_THAT(error({{"name", 7}}), HasSubstr("no \"name\" that is a domain name"));
  EXPECT_THAT(error({{"name", "a"}, {"type", "NOTYPE"}}), HasSubstr("\"type\" is not a type"));
  EXPECT_THAT(error({{"name", "a"}, {"type", 1}}), HasSubstr("\"type\" is not a type"));
  EXPECT_THAT(error({{"name", "a"}, {"fresh", 1}}), HasSubstr("\"fresh\" is not"));
  EXPECT_THAT(error({{"name", "a"}, {"dnssec", "yes"}}), HasSubstr("\"dnssec\" is not"));
  EXPECT_THAT(error({{"name", "a"}, {"worker", 2}}), HasSubstr("they are 0 to 1"));
  EXPECT_THAT(error({{"name", "a"}, {"worker", -1}}), HasSubstr("\"worker\" is not"));
}

}  // namespace
}  // namespace peregrine
