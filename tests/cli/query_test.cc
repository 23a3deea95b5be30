// `peregrine query` against responders that say what a test wants.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/guarded.h"
#include "cli/cli_support.h"
#include "cli/query_exchange.h"
#include "io/listen.h"
#include "wire/message_writer.h"

namespace peregrine {
namespace {

using testing::HasSubstr;
using testing::Not;
using Octets = std::vector<uint8_t>;
using Messages = std::vector<Octets>;

// What to send back for a query: any number of messages.
using Behaviour = std::function<Messages(const MessageView& query, bool over_tcp)>;

// One port of 127.0.0.1, UDP and TCP.
class Responder {
 public:
  explicit Responder(Behaviour behave) : behave_(std::move(behave)) {
    open();
    udp_thread_ = std::thread([this] { serve_udp(); });
    tcp_thread_ = std::thread([this] { serve_tcp(); });
  }
  ~Responder() {
    shutdown(udp_.get(), SHUT_RDWR);
    shutdown(tcp_.get(), SHUT_RDWR);
    udp_thread_.join();
    tcp_thread_.join();
  }
  std::string at() const { return "@" + local_endpoint(udp_.get()).to_string(); }
  size_t query_count() { return queries_.lock()->size(); }
  Octets last_query() { return queries_.lock()->back(); }

 private:
  void open() {
    const Endpoint any_port = *Endpoint::parse("127.0.0.1:0", 0);
    sockaddr_storage address{};
    while (true) {
      udp_ = Fd(socket(AF_INET, SOCK_DGRAM, 0));
      tcp_ = Fd(socket(AF_INET, SOCK_STREAM, 0));
      socklen_t size = any_port.to_sockaddr(address);
      if (bind(udp_.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) continue;
      size = local_endpoint(udp_.get()).to_sockaddr(address);
      if (bind(tcp_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0) break;
    }
    ASSERT_EQ(listen(tcp_.get(), 8), 0);
  }

  Messages replies(Bytes query, bool over_tcp) {
    queries_.lock()->emplace_back(query.begin(), query.end());
    const auto view = MessageView::parse(query);
    return view ? behave_(*view, over_tcp) : Messages{};
  }

  void serve_udp() {
    while (true) {
      std::array<uint8_t, 4096> buffer;
      sockaddr_storage from{};
      socklen_t from_size = sizeof from;
      const ssize_t size = recvfrom(udp_.get(), buffer.data(), buffer.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from), &from_size);
      if (size <= 0) return;
      for (const Octets& reply : replies(Bytes(buffer).first(static_cast<size_t>(size)), false)) {
        sendto(udp_.get(), reply.data(), reply.size(), 0, reinterpret_cast<const sockaddr*>(&from),
               from_size);
      }
    }
  }

  void serve_tcp() {
    while (true) {
      const Fd client(accept(tcp_.get(), nullptr, nullptr));
      if (!client) return;
      std::array<uint8_t, 4096> buffer;
      const ssize_t size = recv(client.get(), buffer.data(), buffer.size(), 0);
      if (size <= 2) continue;
      for (const Octets& reply : replies(Bytes(buffer).first(static_cast<size_t>(size)).subspan(2), true)) {
        Octets framed(2);
        store_u16(framed.data(), static_cast<uint16_t>(reply.size()));
        framed.insert(framed.end(), reply.begin(), reply.end());
        // In two parts: the reader must put them together.
        send(client.get(), framed.data(), 5, MSG_NOSIGNAL);
        send(client.get(), framed.data() + 5, framed.size() - 5, MSG_NOSIGNAL);
      }
    }
  }

  Behaviour behave_;
  Guarded<std::vector<Octets>> queries_;
  Fd udp_, tcp_;
  std::thread udp_thread_, tcp_thread_;
};

struct Reply {
  uint16_t id_offset = 0;  // added to the id
  Rcode rcode = Rcode::noerror;
  bool truncated = false, with_answer = true;
};

Octets make_reply(const MessageView& query, const Reply& reply) {
  std::array<uint8_t, 1024> buffer;
  MessageWriter writer(buffer);
  writer.id(static_cast<uint16_t>(query.header().id() + reply.id_offset));
  writer.qr(true);
  writer.tc(reply.truncated);
  writer.rcode(reply.rcode);
  const Question question = query.question();
  writer.question(question.qname, question.qtype, question.qclass);
  const std::array<uint8_t, 4> address{192, 0, 2, 1};
  if (reply.with_answer) writer.rr(Section::answer, question.qname, Type::a, Class::in, 60, address);
  return {writer.message().begin(), writer.message().end()};
}

Behaviour always(const Reply& reply) {
  return [reply](const MessageView& query, bool) { return Messages{make_reply(query, reply)}; };
}

TEST(Query, PrintsTheReply) {
  const Responder responder(always({}));
  const Done done = run({"query", "www.example.com", responder.at()});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.err, "");
  EXPECT_THAT(done.out, HasSubstr(";; NOERROR, id "));
  EXPECT_THAT(done.out, HasSubstr(";; question: www.example.com. IN A\n"));
  EXPECT_THAT(done.out, HasSubstr("\nwww.example.com.\t60\tIN\tA\t192.0.2.1\n"));
  EXPECT_THAT(done.out, HasSubstr(" from " + responder.at().substr(1) + " over UDP, 49 octets\n"));
}

TEST(Query, SendsWhatItIsTold) {
  Responder responder(always({}));
  EXPECT_EQ(run({"query", responder.at(), "example.com", "type65", "--dnssec"}).code, 0);
  const Octets with_dnssec = responder.last_query();
  const auto first = MessageView::parse(with_dnssec);
  ASSERT_TRUE(first && first->edns());
  EXPECT_EQ(first->question().qtype, Type::https);
  EXPECT_TRUE(first->edns()->dnssec_ok);
  EXPECT_EQ(first->edns()->udp_size, 1232);
  EXPECT_TRUE(first->header().rd());

  EXPECT_EQ(run({"query", "example.com", "mx", responder.at()}).code, 0);
  const Octets plain = responder.last_query();
  const auto second = MessageView::parse(plain);
  ASSERT_TRUE(second && second->edns());
  EXPECT_EQ(second->question().qtype, Type::mx);
  EXPECT_FALSE(second->edns()->dnssec_ok);
}

TEST(Query, AnAddressAloneAsksForItsName) {
  Responder responder(always({}));
  const auto asked = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"query", responder.at()});
    run(words);
    const Octets query = responder.last_query();
    const Question question = MessageView::parse(query)->question();
    return question.qname.to_string() + " " + to_string(question.qtype);
  };
  EXPECT_EQ(asked({"192.0.2.17"}), "17.2.0.192.in-addr.arpa. PTR");
  EXPECT_EQ(asked({"2001:db8::1a"}),
            "a.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR");
  EXPECT_EQ(asked({"192.0.2.17", "TXT"}), "192.0.2.17. TXT");
}

TEST(Query, OtherRcodesGiveOne) {
  for (const Rcode rcode : {Rcode::nxdomain, Rcode::servfail, Rcode::refused}) {
    const Responder responder(always({.rcode = rcode, .with_answer = false}));
    const Done done = run({"query", "example.com", responder.at()});
    EXPECT_EQ(done.code, 1);
    EXPECT_THAT(done.out, HasSubstr(";; " + to_string(rcode)));
  }
}

TEST(Query, AsksAgainOverTcpWhatIsTruncated) {
  const Responder responder([](const MessageView& query, bool over_tcp) {
    return Messages{make_reply(query, {.truncated = !over_tcp, .with_answer = over_tcp})};
  });
  const Done done = run({"query", "example.com", responder.at()});
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.out, HasSubstr(";; truncated over UDP, asked again over TCP\n"));
  EXPECT_THAT(done.out, HasSubstr("192.0.2.1"));
  EXPECT_THAT(done.out, HasSubstr(" over TCP, "));
}

TEST(Query, AsksOverTcpAtOnce) {
  const Responder responder([](const MessageView& query, bool over_tcp) {
    return Messages(over_tcp ? 1 : 0, make_reply(query, {}));
  });
  const Done done = run({"query", "--tcp", "example.com", responder.at()});
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.out, HasSubstr(" over TCP, "));
  EXPECT_THAT(done.out, Not(HasSubstr("truncated")));
}

TEST(Query, IgnoresWhatIsNoReplyToIt) {
  const Responder responder([](const MessageView& query, bool) {
    Octets other_question = make_reply(query, {});
    other_question[13] ^= 1;
    Octets query_itself = make_reply(query, {});
    query_itself[2] &= 0x7f;
    return Messages{make_reply(query, {.id_offset = 1}),
                    Octets{1, 2, 3},
                    Octets{},
                    other_question,
                    query_itself,
                    make_reply(query, {})};
  });
  const Done done = run({"query", "example.com", responder.at()});
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.out, HasSubstr(";; 5 datagrams ignored: no reply to this query\n"));
}

TEST(Query, SendsAgainWhatWasLost) {
  Responder responder([seen = 0](const MessageView& query, bool) mutable {
    return ++seen == 1 ? Messages{} : Messages{make_reply(query, {})};
  });
  EXPECT_EQ(run({"query", "example.com", responder.at(), "--timeout", "3"}).code, 0);
  EXPECT_GE(responder.query_count(), 2u);
}

TEST(Query, SilenceIsTwo) {
  const Responder responder([](const MessageView&, bool) { return Messages{}; });
  const Done done = run({"query", "example.com", responder.at(), "--timeout", "0.05"});
  EXPECT_EQ(done.code, 2);
  EXPECT_EQ(done.out, "");
  EXPECT_EQ(done.err, "peregrine: no reply from " + responder.at().substr(1) + " within 50 ms\n");
}

TEST(Query, ForgedRepliesOnlyAreTwo) {
  const Responder responder(always({.id_offset = 1}));
  for (const char* transport : {"--timeout=0.05", "--tcp"}) {
    const Done done = run({"query", "example.com", responder.at(), transport});
    EXPECT_EQ(done.code, 2);
    EXPECT_EQ(done.out, "");
    EXPECT_THAT(done.err, HasSubstr("no reply to this query"));
  }
}

TEST(Query, ATcpReplyThatIsCutIsTwo) {
  const Responder responder([](const MessageView&, bool) { return Messages{}; });
  const Done done = run({"query", "--tcp", "example.com", responder.at()});
  EXPECT_EQ(done.code, 2);
  EXPECT_THAT(done.err, HasSubstr("closed the TCP connection"));
}

TEST(Query, APortWithoutServerIsTwo) {
  const Fd bound = open_tcp_listener(*Endpoint::parse("127.0.0.1:0", 0), {.reuse_port = false});
  const std::string address = local_endpoint(bound.get()).to_string();
  const Done done = run({"query", "example.com", "@" + address});  // nobody has it for UDP
  EXPECT_EQ(done.code, 2);
  EXPECT_EQ(done.err, "peregrine: " + address + ": Connection refused; is a server running there?\n");
}

TEST(Query, WrongUsageIsTwo) {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"@192.0.2.1"},
                                                       {"a", "A", "b"},
                                                       {"a", "NOTYPE"},
                                                       {"a", "A", "A", "A"},
                                                       {"a", "@192.0.2.1", "@192.0.2.2"},
                                                       {"a", "@"},
                                                       {"a", "@ns.example"},
                                                       {"a", "@192.0.2.1:0"},
                                                       {"a", "@192.0.2.1:99999"},
                                                       {"a..b"},
                                                       {std::string(64, 'x')},
                                                       {"a", "--timeout", "0"},
                                                       {"a", "--timeout", "soon"},
                                                       {"a", "--nonsense"},
                                                       {"+trace"},
                                                       {"a", "+nonsense"},
                                                       {"a", "+json"},
                                                       {"a", "--json", "@192.0.2.1"},
                                                       {"a", "--root", "192.0.2.1"},
                                                       {"a", "--port", "5300", "@192.0.2.1"},
                                                       {"a", "+trace", "--port", "0"},
                                                       {"a", "+trace", "--tcp"},
                                                       {"a", "+trace", "--root", "ns.example"},
                                                       {"a", "+trace", "--root", "192.0.2.1", "@192.0.2.2"}};
  for (std::vector<std::string> arguments : wrong) {
    arguments.insert(arguments.begin(), "query");
    SCOPED_TRACE(testing::PrintToString(arguments));
    const Done done = run(arguments);
    EXPECT_EQ(done.code, 2);
    EXPECT_EQ(done.out, "");
    EXPECT_THAT(done.err, testing::StartsWith("peregrine: "));
  }
}

TEST(QueryTrace, PrintsTheWayAndTheAnswer) {
  const Responder root(always({}));
  const std::string address = root.at().substr(1);
  for (const std::vector<std::string>& way : {std::vector<std::string>{"+trace", root.at()},
                                              {"--trace", "--root", address},
                                              {"+trace", "--root", address + "," + address}}) {
    std::vector<std::string> arguments{"query", "host"};
    arguments.insert(arguments.end(), way.begin(), way.end());
    const Done done = run(arguments);
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr(";; host. A: resolved from the servers of the root\n"));
    EXPECT_THAT(done.out, HasSubstr(" servers of .\n"));
    EXPECT_THAT(done.out, HasSubstr(" host. A at " + address + ": the answer\n"));
    EXPECT_THAT(done.out, HasSubstr("\n;; answer\nhost.\t60\tIN\tA\t192.0.2.1\n"));
  }
}

TEST(QueryTrace, TheQuestionMayFollowTheRoot) {
  const Responder root(always({}));
  const std::string address = root.at().substr(1);
  const Done done = run({"query", "+trace", "--root", address, "host", "A"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr(";; host. A: resolved from the servers of the root\n"));
}

TEST(QueryTrace, AsJson) {
  const Responder root(always({}));
  const Done done = run({"query", "+trace", "+json", "host", root.at()});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out.find('\n'), done.out.size() - 1);
  const auto report = nlohmann::json::parse(done.out);
  EXPECT_EQ(report.at("answered_by").at("by"), "root");
  EXPECT_EQ(report.at("fresh"), true);
  const auto& query = report.at("steps").at(0).at("steps").at(0).at("steps").at(0);
  EXPECT_EQ(query.at("server"), root.at().substr(1));
  EXPECT_EQ(query.at("transport"), "udp");
  EXPECT_GT(query.at("rtt_ms").get<double>(), 0);
  EXPECT_EQ(report.at("result").at("answer").at(0).at("data"), "192.0.2.1");
}

TEST(QueryTrace, TruncationIsAStep) {
  const Responder root([](const MessageView& query, bool over_tcp) {
    return Messages{make_reply(query, {.truncated = !over_tcp, .with_answer = over_tcp})};
  });
  const Done done = run({"query", "+trace", "host", root.at()});
  EXPECT_THAT(done.out, HasSubstr(root.at().substr(1) + ": truncated\n"));
  EXPECT_THAT(done.out, HasSubstr(root.at().substr(1) + " over TCP: the answer\n"));
}

TEST(QueryTrace, OtherAnswersAreOneAndNoneIsTwo) {
  const Responder denies(always({.rcode = Rcode::nxdomain, .with_answer = false}));
  EXPECT_EQ(run({"query", "+trace", "host", denies.at()}).code, 1);
  const Responder refuses(always({.rcode = Rcode::refused, .with_answer = false}));
  const Done refused = run({"query", "+trace", "host", refuses.at(), "--timeout", "1"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.out, HasSubstr(": REFUSED\n"));
  EXPECT_THAT(refused.out, HasSubstr(";; SERVFAIL; "));
  const Responder silent([](const MessageView&, bool) { return Messages{}; });
  const Done nothing = run({"query", "+trace", "host", silent.at(), "--timeout", "0.2"});
  EXPECT_EQ(nothing.code, 2);
  EXPECT_THAT(nothing.out, HasSubstr("        -      host. A at " + silent.at().substr(1) + ": timeout\n"));
}

}  // namespace
}  // namespace peregrine
