// The commands about the cache, against a server whose upstream is this test.
#include "admin/cache_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "admin/control_session.h"
#include "admin/control_support.h"
#include "admin/udp_support.h"
#include "io/listen.h"
#include "wire/message_writer.h"

namespace peregrine {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class CacheCommands : public testing::Test {
 protected:
  // What the server asks, and whom to answer.
  struct Asked {
    std::array<uint8_t, 512> octets;
    size_t size = 0;
    sockaddr_storage from{};
    socklen_t from_size = sizeof from;
  };

  void ask(std::string_view qname) { ask_server(client_, running_.server_url(), qname); }
  Asked receive_at_upstream() {
    Asked asked;
    const ssize_t size = recvfrom(upstream_.get(), asked.octets.data(), asked.octets.size(), 0,
                                  reinterpret_cast<sockaddr*>(&asked.from), &asked.from_size);
    EXPECT_GT(size, 12);
    asked.size = static_cast<size_t>(size);
    return asked;
  }
  // An address, or where `target` is given a CNAME.
  void answer(const Asked& asked, std::string_view target = "") {
    const auto query = MessageView::parse(Bytes(asked.octets).first(asked.size)).value();
    std::array<uint8_t, 512> buffer;
    MessageWriter reply(buffer);
    reply.id(query.header().id());
    reply.qr(true);
    reply.ra(true);
    const Question question = query.question();
    reply.question(question.qname, question.qtype, question.qclass);
    const DnameBuf alias = DnameBuf::from_text(target).value_or(DnameBuf());
    if (!target.empty())
      reply.rr(Section::answer, question.qname, Type::cname, Class::in, 300, alias.view().wire());
    const std::array<uint8_t, 4> address{192, 0, 2, 1};
    reply.rr(Section::answer, target.empty() ? question.qname : alias.view(), Type::a, Class::in, 300,
             address);
    sendto(upstream_.get(), reply.message().data(), reply.size(), 0,
           reinterpret_cast<const sockaddr*>(&asked.from), asked.from_size);
  }
  void receive_at_client() {
    std::array<uint8_t, 512> octets;
    EXPECT_GT(recv(client_.get(), octets.data(), octets.size(), 0), 12);
  }
  void resolve(std::string_view qname, std::string_view target = "") {
    ask(qname);
    answer(receive_at_upstream(), target);
    receive_at_client();
  }

  // The parts of a dump by name, and its last line.
  std::pair<std::vector<json>, json> dump(RawClient& control, const json& more = json::object()) {
    json request{{"command", "cache-dump"}};
    request.update(more);
    control.send(request.dump() + "\n");
    std::vector<json> parts;
    while (true) {
      json line = control.reply();
      if (line.contains("ok") || line.empty()) return {parts, line};
      parts.push_back(std::move(line));
    }
  }
  std::vector<std::string> names(const json& more = json::object()) {
    std::vector<std::string> all;
    RawClient control(running_.socket());
    for (const json& part : dump(control, more).first) all.push_back(part.at("name"));
    return all;
  }
  json send(const json& request) {
    RawClient control(running_.socket());
    control.send(request.dump() + "\n");
    return control.reply();
  }
  json flush(const std::string& name, bool below = false) {
    return send({{"command", "cache-flush"}, {"name", name}, {"below", below}});
  }

  struct Running : RunningServer {
    using RunningServer::RunningServer;
    std::string server_url() {
      if (url.empty()) url = RawClient(socket()).ask("status").at("listening")[0];
      return url;
    }
    std::string url;
  };

  const TempDir dir_;
  const Fd upstream_ = udp_socket(), client_ = udp_socket();
  Running running_{small_config(dir_.path(), {R"(forward=[{zone=".",servers=[")" +
                                              local_endpoint(upstream_.get()).to_string() + "\"]}]"})};
};

TEST_F(CacheCommands, DumpTellsOfEachEntry) {
  resolve("www.Example.com");
  RawClient control(running_.socket());
  const auto [parts, last] = dump(control);
  EXPECT_EQ(last, json::parse(R"({"ok":true,"entries":1})"));
  ASSERT_EQ(parts.size(), 1u);
  const json& entry = parts[0];
  EXPECT_EQ(entry.at("name"), "www.example.com.");
  EXPECT_EQ(entry.at("type"), "A");
  EXPECT_EQ(entry.at("view"), "answer");
  EXPECT_EQ(entry.at("rcode"), "NOERROR");
  EXPECT_EQ(entry.at("flags"), json::array());
  EXPECT_EQ(entry.at("expired"), false);
  EXPECT_LE(entry.at("ttl_s").get<int>(), 300);
  EXPECT_GT(entry.at("ttl_s").get<int>(), 200);
  EXPECT_GE(entry.at("age_s").get<int>(), 0);
  EXPECT_GT(entry.at("octets").get<int>(), 30);
  EXPECT_EQ(RawClient(running_.socket()).ask("status").at("ok"), true);
}

TEST_F(CacheCommands, DumpOfAZone) {
  for (const char* name : {"example.com", "www.example.com", "www.example.net"}) resolve(name);
  EXPECT_THAT(names(), UnorderedElementsAre("example.com.", "www.example.com.", "www.example.net."));
  EXPECT_THAT(names({{"zone", "EXAMPLE.com"}}), UnorderedElementsAre("example.com.", "www.example.com."));
  EXPECT_THAT(names({{"zone", "ample.com"}}), UnorderedElementsAre());
}

TEST_F(CacheCommands, FlushOfANameOrOfAllBelow) {
  for (const char* name : {"example.com", "www.example.com", "a.www.example.com"}) resolve(name);
  resolve("alias.example.net", "www.example.com");
  EXPECT_EQ(flush("WWW.example.com"),
            json::parse(R"({"ok":true,"name":"WWW.example.com.","below":false,"removed":2})"));
  EXPECT_THAT(names(), UnorderedElementsAre("example.com.", "a.www.example.com."));
  resolve("www.example.com");  // is asked for again
  EXPECT_EQ(flush("example.com", true).at("removed"), 3);
  EXPECT_EQ(flush(".", true).at("removed"), 0);
}

TEST_F(CacheCommands, WhatWasUnderWayDuringAFlushIsAnsweredAndNotKept) {
  ask("www.example.com");
  const Asked asked = receive_at_upstream();
  EXPECT_EQ(flush("www.example.com").at("removed"), 0);
  answer(asked);
  receive_at_client();
  EXPECT_THAT(names(), UnorderedElementsAre());
  resolve("www.example.com");
  EXPECT_THAT(names(), UnorderedElementsAre("www.example.com."));
}

TEST_F(CacheCommands, Stats) {
  resolve("www.example.com");
  ask("www.example.com");
  receive_at_client();
  const json stats = RawClient(running_.socket()).ask("cache-stats");
  EXPECT_EQ(stats.at("ok"), true);
  EXPECT_EQ(stats.at("hits"), 1);
  EXPECT_EQ(stats.at("misses"), 1);
  EXPECT_EQ(stats.at("store").at("entries"), 1);
  EXPECT_EQ(stats.at("store").at("capacity"), 1 << 20);
  EXPECT_GT(stats.at("store").at("octets_live"), 0);
  const json& census = stats.at("census");
  EXPECT_EQ(census.at("entries"), 1);
  EXPECT_EQ(census.at("expired"), 0);
  EXPECT_EQ(census.at("views"), json::parse(R"({"answer":1,"rrset":0,"delegation":0,"denial":0})"));
  EXPECT_EQ(census.at("ages")[0], json::parse(R"({"below_s":60,"entries":1})"));
  EXPECT_EQ(census.at("ages").back().at("below_s"), nullptr);
}

TEST_F(CacheCommands, WrongRequestsAreRefused) {
  const std::vector<json> wrong = {
      {{"command", "cache-flush"}},
      {{"command", "cache-flush"}, {"name", 5}},
      {{"command", "cache-flush"}, {"name", "a..b"}},
      {{"command", "cache-flush"}, {"name", std::string(300, 'x')}},
      {{"command", "cache-flush"}, {"name", ""}},
      {{"command", "cache-flush"}, {"name", "example.com"}, {"below", "yes"}},
      {{"command", "cache-dump"}, {"zone", nullptr}},
      {{"command", "cache-dump"}, {"zone", "a b"}},
  };
  for (const json& request : wrong) {
    const json reply = send(request);
    EXPECT_EQ(reply.at("ok"), false) << request;
    EXPECT_FALSE(reply.at("error").get<std::string>().empty());
  }
}

// A dump larger than what sockets hold, whose client takes nothing: it holds up no other command but dumps,
// and is forgotten when the client goes.
TEST_F(CacheCommands, ASlowReaderOfADumpIsInNobodysWay) {
  constexpr int entries = 4000;
  for (int i = 0; i < entries; ++i)
    resolve("a-rather-long-name-number-" + std::to_string(i) + ".example.com");
  {
    RawClient slow(running_.socket());
    slow.send("{\"command\":\"cache-dump\"}\n");
    EXPECT_EQ(slow.reply().at("type"), "A") << "it has begun";
    EXPECT_THAT(send({{"command", "cache-dump"}}).at("error").get<std::string>(), HasSubstr("under way"));
    EXPECT_EQ(send({{"command", "cache-stats"}}).at("ok"), true);
    EXPECT_EQ(flush("a-rather-long-name-number-0.example.com").at("removed"), 1);
    EXPECT_THAT(send({{"command", "cache-dump"}}).at("error").get<std::string>(), HasSubstr("under way"))
        << "the flush waited until the slow client was given up";
  }
  while (send({{"command", "cache-dump"}, {"zone", "none.example"}}).at("ok") == false)
    std::this_thread::yield();
  EXPECT_EQ(names().size(), entries - 1);
}

// The server ends although a dump waits for its client.
TEST_F(CacheCommands, TheServerEndsDuringADump) {
  for (int i = 0; i < 4000; ++i) resolve("a-rather-long-name-number-" + std::to_string(i) + ".example.com");
  RawClient slow(running_.socket());
  slow.send("{\"command\":\"cache-dump\"}\n");
  EXPECT_EQ(slow.reply().at("type"), "A");
  EXPECT_EQ(RawClient(running_.socket()).ask("stop").at("ok"), true);
  running_.join();
}

}  // namespace
}  // namespace peregrine
