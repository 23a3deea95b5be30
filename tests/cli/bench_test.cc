#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/cli_support.h"
#include "io/listen.h"
#include "load/responders.h"

namespace peregrine {
namespace {

using testing::HasSubstr;

// `bench upstream` on a thread and a free port.
class BenchTest : public ::testing::Test {
 public:
  ~BenchTest() override {
    stop_ = true;
    thread_.join();
  }

 protected:
  BenchTest() {
    Fd socket = open_udp_listener(Endpoint::parse("127.0.0.1:0", 0).value(), {.reuse_port = false});
    server_ = local_endpoint(socket.get()).to_string();
    thread_ =
        std::thread([this, s = std::move(socket)]() mutable { run_name_responder(std::move(s), {}, stop_); });
  }
  Done load(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"bench", "load", server_, "--timeout", "30"});
    return run(std::move(arguments));
  }

  std::string server_;

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

TEST_F(BenchTest, AsksEveryNameOnce) {
  const Done done =
      load({"--generate", "500", "--order", "once", "--seconds", "60", "--expect", "name", "--json"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.err, "");
  const auto json = nlohmann::json::parse(done.out);
  EXPECT_EQ(json["sent"], 500);
  EXPECT_EQ(json["answers"], 500);
  EXPECT_FALSE(json.contains("server"));
}

TEST_F(BenchTest, WatchesAProcess) {
  const Done done =
      load({"--generate", "10", "--order", "once", "--seconds", "60", "--pid", std::to_string(getpid())});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("ns of CPU an answer"));
}

TEST_F(BenchTest, TakesNamesFromAFile) {
  const std::string path = ::testing::TempDir() + "bench_names_" + std::to_string(getpid());
  std::ofstream(path) << "www.example.com\nwww.example.net A\n";
  const Done done = load({"--names", path, "--order", "once", "--seconds", "60", "--edns", "0", "--json"});
  std::ofstream(path) << "www..example\n";
  const Done wrong = load({"--names", path});
  std::remove(path.c_str());
  EXPECT_EQ(nlohmann::json::parse(done.out)["answers"], 2);
  EXPECT_EQ(wrong.code, 2);
  EXPECT_EQ(wrong.err, "peregrine: " + path + ": line 1: 'www..example' is not a domain name\n");
}

TEST_F(BenchTest, WrongAnswersFail) {
  const Done done = load({"--generate", "10", "--order", "once", "--seconds", "60", "--expect", "192.0.2.1"});
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.out, HasSubstr("wrong       rdata 10\n"));
  EXPECT_EQ(done.err, "peregrine: no right answer from " + server_ + "\n");
}

TEST_F(BenchTest, SaysWhatItCannotUse) {
  EXPECT_EQ(load({}).err, "peregrine: which names? give --names FILE or --generate N\n");
  EXPECT_EQ(load({"--names", "/nonexistent"}).err, "peregrine: cannot read /nonexistent\n");
  EXPECT_EQ(load({"--names", "x", "--generate", "1"}).code, 2);
  EXPECT_EQ(load({"--generate", "0"}).code, 2);
  EXPECT_EQ(load({"--generate", "1", "--order", "random"}).code, 2);
  EXPECT_EQ(load({"--generate", "1", "--pid", "2147483647"}).err, "peregrine: no process 2147483647\n");
  EXPECT_EQ(load({"--generate", "1", "--expect", "much"}).err,
            "peregrine: 'much' is not question, answer, name, index or an IPv4 address\n");
}

TEST(Bench, OnlyLoopbackServersGetClientsWithAddressesOfTheirOwn) {
  const Done done = run({"bench", "load", "192.0.2.1:53", "--generate", "1", "--clients", "4"});
  EXPECT_EQ(done.code, 2);
  EXPECT_EQ(done.err, "peregrine: --clients needs a server on the IPv4 loopback\n");
}

TEST_F(BenchTest, AsksForAMix) {
  const Done done = load({"--generate", "200", "--order", "once", "--seconds", "60", "--expect", "name",
                          "--nxdomain", "0.5", "--once-share", "0.5", "--json"});
  EXPECT_EQ(done.code, 0) << done.err;
  const auto json = nlohmann::json::parse(done.out);
  EXPECT_GT(json["sent"], 200);
  EXPECT_EQ(json["answers"], json["sent"]);
  EXPECT_GT(json["rcodes"]["NXDOMAIN"], 0);
}

TEST_F(BenchTest, AMixNeedsMadeUpNames) {
  EXPECT_EQ(load({"--names", "x", "--nxdomain", "0.1"}).code, 2);
  EXPECT_EQ(load({"--generate", "1", "--nxdomain", "1.1"}).code, 2);
  EXPECT_EQ(load({"--generate", "1", "--once-first", "5"}).code, 2);
  EXPECT_EQ(load({"--generate", "10", "--first", "5", "--once-share", "0.1", "--once-first", "14"}).err,
            "peregrine: --once-first is the number of a name that --generate asks for more than once\n");
}

TEST(Bench, AsksOverTcp) {
  Fd socket = open_tcp_listener(Endpoint::parse("127.0.0.1:0", 0).value(), {.reuse_port = false});
  const std::string at = local_endpoint(socket.get()).to_string();
  std::atomic<bool> stop = false;
  std::thread echo([&, s = std::move(socket)]() mutable { run_tcp_echo(std::move(s), {}, stop); });
  const Done done =
      run({"bench", "load", at, "--tcp", "--connections", "3", "--queries-per-connection", "50", "--generate",
           "300", "--order", "once", "--seconds", "60", "--timeout", "30", "--expect", "question", "--json"});
  stop = true;
  echo.join();
  EXPECT_EQ(done.code, 0) << done.err;
  const auto json = nlohmann::json::parse(done.out);
  EXPECT_EQ(json["answers"], 300);
  EXPECT_GE(json["connections"]["opened"], 6);
}

TEST(Bench, OverTcpNobodyThereIsAFailure) {
  std::string nobody;
  {
    const Fd closed_again =
        open_tcp_listener(Endpoint::parse("127.0.0.1:0", 0).value(), {.reuse_port = false});
    nobody = local_endpoint(closed_again.get()).to_string();
  }
  const Done done = run({"bench", "load", nobody, "--tcp", "--generate", "1"});
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(done.err, "peregrine: cannot connect to " + nobody + ": Connection refused\n");
}

TEST(Bench, ConnectionsAreThoseOfTcp) {
  EXPECT_EQ(run({"bench", "load", "127.0.0.1", "--generate", "1", "--connections", "2"}).code, 2);
  EXPECT_EQ(run({"bench", "load", "127.0.0.1", "--generate", "1", "--queries-per-connection", "2"}).code, 2);
  EXPECT_EQ(
      run({"bench", "load", "127.0.0.1", "--generate", "1", "--tcp", "--connections", "2", "--sockets", "3"})
          .code,
      2);
}

TEST(Bench, AnAddressMustBeOne) {
  EXPECT_EQ(run({"bench", "load", "nowhere", "--generate", "1"}).code, 2);
  EXPECT_EQ(run({"bench", "echo", "nowhere"}).code, 2);
  EXPECT_EQ(run({"bench", "upstream", "192.0.2.1:5353"}).code, 1);  // not ours
  EXPECT_EQ(run({"bench"}).code, 2);
}

}  // namespace
}  // namespace peregrine
