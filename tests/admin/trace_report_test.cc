#include "admin/trace_report.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

#include "wire/message_writer.h"

namespace peregrine {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using Kind = TraceStep::Kind;

DnameBuf name(std::string_view text) { return DnameBuf::from_text(text).value(); }

std::vector<TraceStep> some_steps() {
  const Endpoint server = Endpoint::parse("[2001:db8::1]:5300", 53).value();
  return {{.kind = Kind::quest, .parent = 0, .name = name("www.example."), .outcome = "NOERROR"},
          {.kind = Kind::zone, .parent = 0, .name = name("example."), .at = milliseconds(1)},
          {.kind = Kind::query,
           .parent = 1,
           .name = name("www.example."),
           .type = Type::aaaa,
           .at = milliseconds(2),
           .server = server,
           .over_tcp = true,
           .rtt = milliseconds(12),
           .outcome = "the answer"},
          {.kind = Kind::remark, .parent = 1, .outcome = "not asked"},
          {.kind = Kind::query, .parent = 1, .name = name("a."), .server = server},
          {.kind = Kind::cached, .parent = 0, .name = name("b."), .outcome = "data"}};
}

TEST(TraceReport, StepsAreATree) {
  const json steps = report_steps(some_steps());
  ASSERT_EQ(steps.size(), 1u);
  const json& quest = steps[0];
  EXPECT_EQ(quest.at("kind"), "quest");
  EXPECT_EQ(quest.at("name"), "www.example.");
  EXPECT_EQ(quest.at("type"), "A");
  EXPECT_EQ(quest.at("outcome"), "NOERROR");
  ASSERT_EQ(quest.at("steps").size(), 2u);
  const json& zone = quest.at("steps")[0];
  EXPECT_EQ(zone.at("kind"), "zone");
  EXPECT_EQ(zone.at("at_ms"), 1);
  EXPECT_FALSE(zone.contains("type"));
  ASSERT_EQ(zone.at("steps").size(), 3u);
  EXPECT_EQ(zone.at("steps")[0],
            json::parse(R"({"kind":"query","name":"www.example.","type":"AAAA","at_ms":2.0,
    "server":"[2001:db8::1]:5300","transport":"tcp","rtt_ms":12.0,"outcome":"the answer","steps":[]})"));
  EXPECT_EQ(zone.at("steps")[1],
            json::parse(R"({"kind":"remark","at_ms":0.0,"outcome":"not asked","steps":[]})"));
  EXPECT_TRUE(zone.at("steps")[2].at("rtt_ms").is_null());
  EXPECT_EQ(zone.at("steps")[2].at("transport"), "udp");
  EXPECT_EQ(quest.at("steps")[1].at("kind"), "cached");
  EXPECT_EQ(report_steps({}), json::array());
}

Explanation explained() {
  std::array<uint8_t, 512> buffer;
  MessageWriter writer(buffer);
  const DnameBuf owner = name("a\\000b.example.");
  const std::array<uint8_t, 4> address{192, 0, 2, 1};
  const std::array<uint8_t, 3> text{2, 0x1b, 0xff};
  writer.qr(true);
  writer.question(owner, Type::a, Class::in);
  writer.rr(Section::answer, owner, Type::a, Class::in, 300, address);
  writer.rr(Section::authority, owner, Type::txt, Class::in, 60, text);
  Explanation made{.by = Explanation::By::forward,
                   .zone = name("example."),
                   .servers = {Endpoint::parse("192.0.2.53", 53).value()},
                   .steps = some_steps(),
                   .took = milliseconds(15)};
  made.resolution.message.assign(writer.message().begin(), writer.message().end());
  made.resolution.rcode = Rcode::noerror;
  made.resolution.server = made.servers.front();
  made.resolution.upstream_packets = 3;
  return made;
}

TEST(TraceReport, AnExplanation) {
  const ExplainRequest request{.qname = name("a\\000b.example."), .qtype = Type::a, .dnssec_ok = true};
  json report = report_explanation(request, explained());
  EXPECT_EQ(report.at("steps").size(), 1u);
  report.erase("steps");
  EXPECT_EQ(report, json::parse(R"({"ok":true,"fresh":false,"took_ms":15.0,
    "question":{"name":"a\\000b.example.","type":"A","dnssec":true},
    "answered_by":{"by":"forward","zone":"example.","first":false,"servers":["192.0.2.53:53"]},
    "result":{"rcode":"NOERROR","server":"192.0.2.53:53","packets":3,"extended_error":null,
      "answer":[{"name":"a\\000b.example.","ttl":300,"class":"IN","type":"A","data":"192.0.2.1"}],
      "authority":[{"name":"a\\000b.example.","ttl":60,"class":"IN","type":"TXT","data":"\"\\027\\255\""}]}})"));
}

TEST(TraceReport, AFailure) {
  Explanation made{.by = Explanation::By::root};
  made.resolution.ede = Ede::network_error;
  made.resolution.ede_text = "no reply";
  const json report = report_explanation({.qname = name("a.")}, made);
  EXPECT_EQ(report.at("answered_by"), json::parse(R"({"by":"root"})"));
  EXPECT_EQ(report.at("result"),
            json::parse(R"({"rcode":"SERVFAIL","server":null,"packets":0,"answer":[],"authority":[],
    "extended_error":{"code":23,"name":"Network Error","text":"no reply"}})"));
}

TEST(TraceReport, WhoAnswers) {
  const auto answered_by = [](Explanation made) {
    return report_explanation({.qname = name("a.")}, made).at("answered_by");
  };
  using By = Explanation::By;
  EXPECT_EQ(
      answered_by({.by = By::cache, .age = std::chrono::seconds(12), .time_left = std::chrono::seconds(48)}),
      json::parse(R"({"by":"cache","age_s":12,"ttl_s":48})"));
  EXPECT_EQ(answered_by({.by = By::special_name, .zone = name("localhost.")}),
            json::parse(R"({"by":"special_name","zone":"localhost."})"));
  EXPECT_EQ(answered_by({.by = By::stub, .zone = name("corp.")}),
            json::parse(R"({"by":"stub","zone":"corp.","servers":[]})"));
  EXPECT_EQ(answered_by({.by = By::local, .zone = name("lan.")}),
            json::parse(R"({"by":"local","zone":"lan."})"));
  EXPECT_EQ(answered_by({.by = By::refusal}).at("by"), "refusal");
  EXPECT_EQ(answered_by({.by = By::minimal_any}).at("by"), "minimal_any");
  EXPECT_EQ(answered_by({.by = By::nobody}).at("by"), "nobody");
}

}  // namespace
}  // namespace peregrine
