#include "cli/trace_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <nlohmann/json.hpp>

namespace peregrine {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

json query(const char* server, const char* outcome, json rtt = 12.3) {
  return {{"kind", "query"}, {"name", "com."},     {"type", "A"},
          {"at_ms", 0.1},    {"server", server},   {"transport", "udp"},
          {"rtt_ms", rtt},   {"outcome", outcome}, {"steps", json::array()}};
}

using Steps = std::vector<json>;

json zone(Steps steps, const char* outcome = "") {
  return {{"kind", "zone"}, {"name", "."}, {"at_ms", 0}, {"outcome", outcome}, {"steps", std::move(steps)}};
}

json quest(Steps steps, const char* outcome = "NOERROR") {
  return {{"kind", "quest"}, {"name", "www.example.com."}, {"type", "A"},
          {"at_ms", 0},      {"outcome", outcome},         {"steps", std::move(steps)}};
}

json remark(const char* text) {
  return {{"kind", "remark"}, {"at_ms", 1250.0}, {"outcome", text}, {"steps", json::array()}};
}

json report(Steps steps, json answered_by = {{"by", "root"}}) {
  return {{"question", {{"name", "www.example.com."}, {"type", "A"}, {"dnssec", false}}},
          {"answered_by", std::move(answered_by)},
          {"took_ms", 41.2},
          {"steps", std::move(steps)},
          {"result",
           {{"rcode", "NOERROR"},
            {"server", "192.0.2.53:53"},
            {"packets", 2},
            {"extended_error", nullptr},
            {"answer",
             {{{"name", "www.example.com."},
               {"ttl", 300},
               {"class", "IN"},
               {"type", "A"},
               {"data", "192.0.2.1"}}}},
            {"authority", json::array()}}}};
}

TEST(TraceText, ATreeAndTheRecordsBelowIt) {
  const Steps steps = {
      quest({zone({query("198.41.0.4:53", "timeout", nullptr), query("192.5.6.30:53", "a referral to com.")}),
             zone({remark("not asked: 10.0.0.1 is a private address")}, "no answer")})};
  EXPECT_EQ(trace_text(report(steps), {}),
            ";; www.example.com. A: resolved from the servers of the root\n"
            "      at      RTT\n"
            "    0 ms           www.example.com. A: NOERROR\n"
            "    0 ms             servers of .\n"
            "  0.1 ms        -      com. A at 198.41.0.4:53: timeout\n"
            "  0.1 ms  12.3 ms      com. A at 192.5.6.30:53: a referral to com.\n"
            "    0 ms             servers of .: no answer\n"
            "  1.25 s               not asked: 10.0.0.1 is a private address\n"
            "\n;; NOERROR; 1 answer, 0 authority\n"
            "\n;; answer\n"
            "www.example.com.\t300\tIN\tA\t192.0.2.1\n"
            "\n;; 41.2 ms, 2 packets; answered by 192.0.2.53:53\n");
}

TEST(TraceText, BoxCharacters) {
  const Steps steps = {quest(
      {zone({query("198.41.0.4:53", ""), query("192.5.6.30:53", "the answer")}), zone({remark("last")})})};
  const std::string text = trace_text(report(steps), {.lines = true});
  EXPECT_THAT(text, HasSubstr("  ├─ servers of .\n"));
  EXPECT_THAT(text, HasSubstr("  │  ├─ com. A at 198.41.0.4:53: no reply yet\n"));
  EXPECT_THAT(text, HasSubstr("  │  └─ com. A at 192.5.6.30:53: the answer\n"));
  EXPECT_THAT(text, HasSubstr("  └─ servers of .\n"));
  EXPECT_THAT(text, HasSubstr("     └─ last\n"));
}

TEST(TraceText, Colours) {
  json cached = quest({}, "the whole answer");
  cached["kind"] = "cached";
  const Steps steps = {quest({cached, remark("refused"), query("192.0.2.53:53", "timeout", nullptr)})};
  const std::string text = trace_text(report(steps), {.colours = true});
  EXPECT_THAT(text, HasSubstr("\x1b[32mcached: www.example.com. A: the whole answer\x1b[0m\n"));
  EXPECT_THAT(text, HasSubstr("\x1b[33mrefused\x1b[0m\n"));
  EXPECT_THAT(text, HasSubstr("\x1b[31mcom. A at 192.0.2.53:53: timeout\x1b[0m\n"));
  EXPECT_THAT(trace_text(report(steps), {}), Not(HasSubstr("\x1b")));
}

TEST(TraceText, OverTcpAndFromNobody) {
  json tcp = query("192.0.2.53:53", "the answer"), nobody = query("", "x");
  tcp["transport"] = "tcp";
  nobody["server"] = nullptr;
  const std::string text = trace_text(report({tcp, nobody}), {});
  EXPECT_THAT(text, HasSubstr("com. A at 192.0.2.53:53 over TCP: the answer\n"));
  EXPECT_THAT(text, HasSubstr("com. A at ?: x\n"));
}

TEST(TraceText, WhoAnswers) {
  const auto first_line = [](json by) {
    const std::string text = trace_text(report({}, std::move(by)), {});
    return text.substr(0, text.find('\n'));
  };
  const std::string what = ";; www.example.com. A: ";
  const json servers = {"192.0.2.53:53", "192.0.2.54:53"};
  EXPECT_EQ(first_line({{"by", "forward"}, {"zone", "."}, {"servers", servers}}),
            what + "forwarded by the [[forward]] for . to 192.0.2.53:53, 192.0.2.54:53");
  EXPECT_EQ(first_line({{"by", "forward"}, {"zone", "a."}, {"servers", {"192.0.2.53:53"}}, {"first", true}}),
            what + "forwarded by the [[forward]] for a. to 192.0.2.53:53, then to the root");
  EXPECT_EQ(first_line({{"by", "stub"}, {"zone", "corp."}, {"servers", servers}}),
            what + "resolved by the [[stub]] for corp. to 192.0.2.53:53, 192.0.2.54:53");
  EXPECT_EQ(first_line({{"by", "cache"}, {"age_s", 12}, {"ttl_s", 288}}),
            what + "from the cache, where it has been for 12 s and may stay for 288 s");
  EXPECT_EQ(first_line({{"by", "special_name"}, {"zone", "localhost."}}),
            what + "answered here, as all names of localhost. (RFC 6761, RFC 6303)");
  EXPECT_EQ(first_line({{"by", "local"}, {"zone", "lan."}}), what + "answered by the [[local]] zone lan.");
  EXPECT_EQ(first_line({{"by", "minimal_any"}}), what + "answered here, as little as may be (RFC 8482)");
  EXPECT_EQ(first_line({{"by", "refusal"}}), what + "refused, whatever the name");
  EXPECT_EQ(first_line({{"by", "nobody"}}),
            what + "no [[forward]] is for the name, and recursion.enabled is off");
  EXPECT_EQ(first_line({{"by", "a newer way"}}), what + "a newer way");
}

TEST(TraceText, AnExtendedError) {
  json failed = report({});
  failed["result"]["rcode"] = "SERVFAIL";
  failed["result"]["server"] = nullptr;
  failed["result"]["answer"] = json::array();
  failed["result"]["extended_error"] = {{"code", 23}, {"name", "Network Error"}, {"text", "no reply"}};
  EXPECT_THAT(trace_text(failed, {}), HasSubstr(";; SERVFAIL; 0 answers, 0 authority\n"
                                                ";; extended error 23 (Network Error): no reply\n"
                                                "\n;; 41.2 ms, 2 packets\n"));
}

TEST(TraceText, NothingMovesTheCursor) {
  json evil = report({quest({query("\x1b[2J", "\nforged"), remark("\r\x07")}, "\xc2\x9b")});
  evil["question"]["name"] = "\x1b]0;title.";
  evil["result"]["answer"][0]["data"] = "\"\x1b[31m\"";
  const std::string text = trace_text(evil, {});
  for (const char c : text) EXPECT_TRUE(c == '\n' || c == '\t' || static_cast<unsigned char>(c) >= 0x20);
  EXPECT_THAT(text, StartsWith(";; \\x1b]0;title. A: "));
  EXPECT_THAT(text, HasSubstr("\\x0aforged"));
  EXPECT_THAT(text, HasSubstr("\\xc2\\x9b"));
}

TEST(TraceText, IsAsDeepAsAScreenAndNoDeeper) {
  Steps steps = {remark("the deepest")};
  for (int i = 0; i < 500; ++i) steps = Steps{zone(std::move(steps))};
  const std::string text = trace_text(report(steps), {});
  EXPECT_THAT(text, Not(HasSubstr("the deepest")));
  EXPECT_LT(text.size(), 20'000u);
}

TEST(TraceText, AnotherFormIsAnException) {
  EXPECT_THROW(trace_text(json::object(), {}), json::exception);
  EXPECT_THROW(trace_text(report({json::object()}), {}), json::exception);
  json no_list = report({quest({})});
  no_list["steps"][0]["steps"] = "none";
  EXPECT_THROW(trace_text(no_list, {}), json::exception);
}

TEST(TreeStyle, IsPlainWhereThereIsNoTerminal) {
  const std::ostringstream out;
  EXPECT_FALSE(TreeStyle::of(out).lines);
  EXPECT_FALSE(TreeStyle::of(out).colours);
}

}  // namespace
}  // namespace peregrine
