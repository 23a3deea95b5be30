#include "admin/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <latch>

#include "admin/commands.h"
#include "admin/control_session.h"
#include "admin/control_support.h"
#include "admin/udp_support.h"
#include "io/listen.h"
#include "server/version.h"
#include "wire/message_writer.h"

namespace peregrine {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

class ControlTest : public testing::Test {
 protected:
  const TempDir dir_;
};

TEST_F(ControlTest, Status) {
  const RunningServer running(small_config(dir_.path()));
  EXPECT_EQ(running.socket(), dir_ / "control.sock");
  const json reply = RawClient(running.socket()).ask("status");
  EXPECT_EQ(reply.at("ok"), true);
  EXPECT_EQ(reply.at("version"), version);
  EXPECT_EQ(reply.at("pid"), getpid());
  EXPECT_GE(reply.at("uptime_s").get<double>(), 0);
  EXPECT_EQ(reply.at("profile"), "production");
  EXPECT_EQ(reply.at("state_dir"), dir_.path());
  EXPECT_EQ(reply.at("workers"), 1);
  EXPECT_EQ(reply.at("generation"), 1);
  ASSERT_THAT(reply.at("listening"), SizeIs(2));
  EXPECT_THAT(reply.at("listening")[0].get<std::string>(), HasSubstr("udp://127.0.0.1:"));
  EXPECT_THAT(reply.at("listening")[1].get<std::string>(), HasSubstr("tcp://127.0.0.1:"));
  EXPECT_EQ(reply.at("forwarding"), json::parse(R"([{"zone":".","servers":["127.0.0.1:9"]}])"));
  EXPECT_THAT(reply.at("counters"), SizeIs(counter_count));
  for (const CounterRow& row : counter_rows()) EXPECT_EQ(reply.at("counters").at(std::string(row.name)), 0);
  EXPECT_EQ(reply.at("cache").at("capacity"), 1 << 20);
  EXPECT_EQ(reply.at("cache").at("entries"), 0);
  EXPECT_EQ(reply.at("resolved").at("p50_ms"), 0);
}

TEST_F(ControlTest, Flags) {
  const RunningServer running(small_config(dir_.path(), {"flags.batched_io=false", "flags.io_uring=true"}));
  const json flags = RawClient(running.socket()).ask("flags").at("flags");
  ASSERT_EQ(flags.size(), flag_count);
  for (const FlagRow& row : flag_rows()) EXPECT_EQ(flags[static_cast<size_t>(row.flag)].at("name"), row.name);
  const json& batched = flags[static_cast<size_t>(Flag::batched_io)];
  EXPECT_EQ(batched.at("on"), false);
  EXPECT_EQ(batched.at("wanted"), false);
  EXPECT_EQ(batched.at("origin"), "command-line");
  EXPECT_EQ(batched.at("scope"), "process");
  EXPECT_EQ(batched.at("unavailable"), "");
  const json& uring = flags[static_cast<size_t>(Flag::io_uring)];
  EXPECT_EQ(uring.at("wanted"), true);
  EXPECT_EQ(uring.at("on"), unavailable(Flag::io_uring).empty());
  EXPECT_EQ(uring.at("unavailable"), unavailable(Flag::io_uring));
}

// Asks the server one question over UDP; `upstream` says that the name does not exist.
void resolve_once(const std::string& server_url, const Fd& upstream) {
  const Fd client = udp_socket();
  ask_server(client, server_url, "absent.example");

  sockaddr_storage from{};
  socklen_t from_size = sizeof from;
  std::array<uint8_t, 512> message;
  const ssize_t size = recvfrom(upstream.get(), message.data(), message.size(), 0,
                                reinterpret_cast<sockaddr*>(&from), &from_size);
  ASSERT_GT(size, 12);
  message[2] |= 0x80;  // QR
  message[3] = 0x83;   // RA, NXDOMAIN
  sendto(upstream.get(), message.data(), static_cast<size_t>(size), 0,
         reinterpret_cast<const sockaddr*>(&from), from_size);
  ASSERT_GT(recv(client.get(), message.data(), message.size(), 0), 12);
  EXPECT_EQ(message[3] & 15, 3);
}

TEST_F(ControlTest, Upstreams) {
  const Fd upstream = udp_socket();
  const std::string address = local_endpoint(upstream.get()).to_string();
  const RunningServer running(small_config(
      dir_.path(), {"server.workers=2", R"(forward=[{zone=".",servers=[")" + address + "\"]}]"}));
  RawClient client(running.socket());
  EXPECT_EQ(client.ask("upstreams"), json::parse(R"({"ok":true,"upstreams":[]})"));

  resolve_once(client.ask("status").at("listening")[0], upstream);
  const json upstreams = client.ask("upstreams").at("upstreams");
  ASSERT_THAT(upstreams, SizeIs(1));
  EXPECT_EQ(upstreams[0].at("server"), address);
  EXPECT_LT(upstreams[0].at("worker").get<unsigned>(), 2u);
  EXPECT_GT(upstreams[0].at("srtt_ms").get<double>(), 0);
  EXPECT_EQ(upstreams[0].at("failures"), 0);
  EXPECT_EQ(upstreams[0].at("resting"), false);
  const json status = client.ask("status");
  EXPECT_EQ(status.at("counters").at("udp_queries"), 1);
  EXPECT_GT(status.at("resolved").at("p99_ms").get<double>(), 0);
}

TEST_F(ControlTest, Reload) {
  const ConfigSources first = small_config(dir_.path());
  const ConfigSources second = small_config(dir_.path(), {"server.workers=3", "cache.max_ttl=60s"});
  const RunningServer running(first, [second] { return load_config(second); });
  RawClient client(running.socket());
  EXPECT_EQ(client.ask("reload"),
            json::parse(R"({"ok":true,"errors":[],"need_restart":["server.workers"]})"));
  const json status = client.ask("status");
  EXPECT_EQ(status.at("generation"), 2);
  EXPECT_EQ(status.at("counters").at("reloads"), 1);
  EXPECT_EQ(status.at("workers"), 1);
}

TEST_F(ControlTest, ReloadWithMistakesChangesNothing) {
  LogRecorder log;
  const ConfigSources wrong = small_config(dir_.path(), {"server.worker=3", "cache.max_ttl=never"});
  const RunningServer running(small_config(dir_.path()), [wrong] { return load_config(wrong); });
  RawClient client(running.socket());
  const json reply = client.ask("reload");
  EXPECT_EQ(reply.at("ok"), false);
  EXPECT_THAT(reply.at("error").get<std::string>(), HasSubstr("not taken"));
  ASSERT_THAT(reply.at("errors"), SizeIs(2));
  EXPECT_THAT(reply.at("errors")[0].get<std::string>(), HasSubstr("server.workers"));
  EXPECT_EQ(client.ask("status").at("generation"), 1);
}

TEST_F(ControlTest, ReloadOfWhatIsNoUtf8) {
  LogRecorder log;
  const RunningServer running(small_config(dir_.path()), [] {
    LoadedConfig wrong;
    wrong.errors.push_back({.source = "", .message = "cannot read \xff\xfe\n\x1b[2J"});
    return wrong;
  });
  RawClient client(running.socket());
  EXPECT_THAT(client.ask("reload").at("errors"), SizeIs(1));
  EXPECT_EQ(client.ask("status").at("ok"), true);
}

TEST_F(ControlTest, AReplyToAClientThatHasGoneIsForgotten) {
  std::latch loading(1), gone(1);
  const ConfigSources sources = small_config(dir_.path());
  const RunningServer running(sources, [&, sources] {
    loading.count_down();
    gone.wait();
    return load_config(sources);
  });
  {
    RawClient client(running.socket());
    client.send("{\"command\":\"reload\"}\n");
    loading.wait();
  }
  RawClient other(running.socket());
  EXPECT_EQ(other.ask("status").at("generation"), 1);  // the loop goes on while the loader is busy
  gone.count_down();
  while (other.ask("status").at("generation") == 1) std::this_thread::yield();
}

TEST_F(ControlTest, StopRepliesFirst) {
  RunningServer running(small_config(dir_.path()));
  const std::string path = running.socket();
  RawClient client(path);
  EXPECT_EQ(client.ask("stop").at("ok"), true);
  running.join();
  EXPECT_EQ(client.line(), "(closed)");
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ControlTest, EveryCommandOfTheTableHasHelpAndAnswers) {
  for (const ControlCommand& command : control_commands()) {
    SCOPED_TRACE(command.name);
    EXPECT_FALSE(command.help.empty());
    RunningServer running(small_config(dir_.path()));
    RawClient client(running.socket());
    client.send(json{{"command", command.name}, {"name", "example.com"}}.dump() + "\n");
    EXPECT_EQ(client.reply().at("ok"), true);
  }
}

TEST_F(ControlTest, WhatIsNoRequestGetsAnErrorAndTheConnectionGoesOn) {
  const RunningServer running(small_config(dir_.path()));
  RawClient client(running.socket());
  std::string deep_object;
  for (int i = 0; i < 10'000; ++i) deep_object += "{\"a\":";
  const std::vector<std::string> lines = {
      "",
      "\r",
      "status",
      "{",
      "[]",
      "null",
      "17",
      "\"status\"",
      "{}",
      "{\"command\":null}",
      "{\"command\":5}",
      "{\"command\":[\"status\"]}",
      "{\"command\":\"Status\"}",
      "{\"command\":\"stop \"}",
      "{\"command\":\"\"}",
      "{\"command\":\"status\"} trailing",
      "{\"command\":\"\xff\xfe\"}",
      "{\"command\":\"status\\u0000\"}",
      std::string("{\"command\":\"sta\0tus\"}", 21),
      std::string(100, '\0'),
      "GET / HTTP/1.1\r",
      std::string(60'000, '['),
      deep_object,
      "{\"command\":" + std::string(50'000, '[') + std::string(50'000, ']') + "}",
      "{\"command\":" + std::string(30'000, '[') + std::string(30'000, ']') + "}",
      "{\"command\":1" + std::string(60'000, '0') + "}",
      "{\"a\":\"" + std::string(60'000, 'x')};
  for (const std::string& line : lines) {
    if (line.size() > max_control_line) continue;
    SCOPED_TRACE(line.substr(0, 40));
    ASSERT_TRUE(client.send(line + "\n"));
    const json reply = client.reply();
    EXPECT_EQ(reply.at("ok"), false);
    EXPECT_FALSE(reply.at("error").get<std::string>().empty());
    EXPECT_LT(reply.dump().size(), 300u) << "what a client sends is not sent back";
  }
  EXPECT_EQ(client.ask("status").at("ok"), true);
}

TEST_F(ControlTest, UnknownKeysOfARequestAreIgnored) {
  const RunningServer running(small_config(dir_.path()));
  RawClient client(running.socket());
  client.send(" { \"id\" : 1 , \"command\" : \"status\" } \r\n");
  EXPECT_EQ(client.reply().at("ok"), true);
}

TEST_F(ControlTest, RequestsInOneWriteAreAnsweredInOrder) {
  const RunningServer running(small_config(dir_.path()));
  RawClient client(running.socket());
  client.send(
      "{\"command\":\"flags\"}\n{\"command\":\"none\"}\n{\"command\":\"upstreams\"}\n{\"command\":"
      "\"status\"}");
  client.end_sending();
  EXPECT_TRUE(client.reply().contains("flags"));
  EXPECT_TRUE(client.reply().contains("error"));
  EXPECT_TRUE(client.reply().contains("upstreams"));
  EXPECT_TRUE(client.reply().contains("version"));
  EXPECT_EQ(client.line(), "(closed)");
}

TEST_F(ControlTest, ALineThatIsTooLongEndsTheConnection) {
  const RunningServer running(small_config(dir_.path()));
  RawClient client(running.socket());
  client.send(std::string(1 << 20, 'x'));
  EXPECT_EQ(client.reply().at("ok"), false);
  EXPECT_EQ(client.line(), "(closed)");
  EXPECT_EQ(RawClient(running.socket()).ask("status").at("ok"), true);
}

TEST_F(ControlTest, ConnectionsAreBounded) {
  const RunningServer running(small_config(dir_.path()));
  std::vector<RawClient> clients;
  for (size_t i = 0; i < max_control_sessions; ++i) {
    clients.emplace_back(running.socket());
    EXPECT_EQ(clients.back().ask("status").at("ok"), true);
  }
  RawClient refused(running.socket());
  EXPECT_THAT(refused.reply().at("error").get<std::string>(), HasSubstr("too many"));
  EXPECT_EQ(refused.line(), "(closed)");

  clients.erase(clients.begin());
  EXPECT_EQ(clients.back().ask("status").at("ok"), true);  // by now the loop has seen the first one go
  EXPECT_EQ(RawClient(running.socket()).ask("status").at("ok"), true);
}

TEST_F(ControlTest, TheSecondServerOfADirectoryDoesWithout) {
  const RunningServer first(small_config(dir_.path()));
  LogRecorder log;
  const RunningServer second(small_config(dir_.path()));
  EXPECT_EQ(second.socket(), "");
  EXPECT_THAT(log.lines(), ElementsAre(Pair(LogLevel::warning, HasSubstr("server.state_dir"))));
  EXPECT_EQ(RawClient(first.socket()).ask("status").at("ok"), true);
}

TEST_F(ControlTest, TheSocketIsForItsOwner) {
  const RunningServer running(small_config(dir_ / "state"));
  struct stat status{};
  ASSERT_EQ(stat((dir_ / "state/control.sock").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  ASSERT_EQ(stat((dir_ / "state").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
}

}  // namespace
}  // namespace peregrine
