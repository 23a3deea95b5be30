// `peregrine serve` as a process of its own.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <fstream>

#include "admin/control_support.h"
#include "cli/cli_support.h"
#include "io/listen.h"

extern char** environ;

namespace peregrine {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// The binary with its standard output and standard error on pipes.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), PEREGRINE_BINARY);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::array<int, 2> out{}, err{};
    EXPECT_EQ(pipe2(out.data(), O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(err.data(), O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
    EXPECT_EQ(posix_spawn(&pid_, PEREGRINE_BINARY, &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    close(err[1]);
    out_ = Fd(out[0]);
    err_ = Fd(err[0]);
  }
  ~Process() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  std::string line() {
    std::string line;
    for (char octet; read(out_.get(), &octet, 1) == 1 && octet != '\n';) line += octet;
    return line;
  }
  void send_signal(int number) { kill(pid_, number); }
  Done wait() {
    Done done{.code = -1, .out = rest(out_), .err = rest(err_)};
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    if (WIFEXITED(status)) done.code = WEXITSTATUS(status);
    return done;
  }

 private:
  static std::string rest(const Fd& fd) {
    std::string all;
    std::array<char, 4096> chunk;
    for (ssize_t n; (n = read(fd.get(), chunk.data(), chunk.size())) > 0;)
      all.append(chunk.data(), static_cast<size_t>(n));
    return all;
  }
  pid_t pid_ = -1;
  Fd out_, err_;
};

class Serve : public testing::Test {
 protected:
  std::string config(const std::string& server_lines) {
    std::ofstream(dir_ / "peregrine.toml")
        << "[server]\nworkers = 1\nstate_dir = \"" << dir_.path() << "/state\"\n"
        << server_lines
        << "[cache]\nsize = \"1 MiB\"\n[resolver]\nudp_sockets = 4\n"
           "[[forward]]\nzone = \".\"\nservers = [\"127.0.0.1:9\"]\n";
    return dir_ / "peregrine.toml";
  }
  const TempDir dir_;
};

constexpr const char* any_port = "listen = [\"127.0.0.1:0\"]\n";

TEST_F(Serve, SaysWhereItListensAnswersAndStopsOnASignal) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Process process({"serve", "--config", config(any_port)});
    const std::string hello = process.line();
    ASSERT_THAT(hello, AllOf(StartsWith("Peregrine "), HasSubstr(" listens on 127.0.0.1:"),
                             HasSubstr("(UDP and TCP)")));
    EXPECT_EQ(process.line(), "forwards . to 127.0.0.1:9");
    EXPECT_EQ(process.line(), "control socket " + dir_ / "state/control.sock");
    const std::string to_try = process.line();
    const size_t at = hello.find("127.0.0.1:");
    const std::string address = hello.substr(at, hello.find(' ', at) - at);
    EXPECT_EQ(to_try, "try: dig @127.0.0.1 -p " + address.substr(address.find(':') + 1) + " example.com");

    const Done answer = run({"query", "localhost", "@" + address});
    EXPECT_EQ(answer.code, 0);
    EXPECT_THAT(answer.out, HasSubstr("localhost.\t"));
    process.send_signal(signal);
    const Done done = process.wait();
    EXPECT_EQ(done.code, 0);
    EXPECT_EQ(done.out, "");
    EXPECT_THAT(done.err, HasSubstr(" info: stopped\n"));
    EXPECT_FALSE(std::filesystem::exists(dir_ / "state/control.sock"));
  }
}

TEST_F(Serve, CtlReloadsAndStopsIt) {
  Process process({"serve", "--config", config(any_port), "--set", "log.level=warning"});
  process.line();
  const std::string state_dir = dir_ / "state";
  while (process.line().find("try:") != 0) {
  }
  const std::string changed = config("listen = [\"127.0.0.1:0\"]\nbatch = 7\n");
  const Done reloaded = run({"ctl", "--config", changed, "reload"});
  EXPECT_EQ(reloaded.out, "reloaded\nserver.batch waits for a restart\n");
  const Done stopped = run({"ctl", "--config", changed, "stop"});
  EXPECT_EQ(stopped.code, 0);
  EXPECT_EQ(stopped.out, "stopping\nstopped\n");
  const Done done = process.wait();
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.err, HasSubstr("warning: server.batch cannot change while running"));
}

TEST_F(Serve, AMistakeIsSaidAndItDoesNotStart) {
  const Done done = Process({"serve", "--config", config("worker = 2\n")}).wait();
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(done.out, "");
  EXPECT_THAT(done.err, StartsWith(dir_ / "peregrine.toml:4:1: unknown key server.worker"));
}

TEST_F(Serve, APortInUseIsOneLine) {
  const Fd holder = open_udp_listener(*Endpoint::parse("127.0.0.1:0", 0), {.reuse_port = false});
  const std::string address = local_endpoint(holder.get()).to_string();
  const Done done = Process({"serve", "--config", config("listen = [\"" + address + "\"]\n")}).wait();
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(done.out, "");
  EXPECT_THAT(done.err, AllOf(StartsWith("peregrine: "), HasSubstr(address), HasSubstr("in use")));
  EXPECT_EQ(std::ranges::count(done.err, '\n'), 1);
}

TEST_F(Serve, AStateDirectoryThatCannotBeMadeIsOneLine) {
  std::ofstream(dir_ / "state") << "a file";
  const Done done = Process({"serve", "--config", config(any_port)}).wait();
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, StartsWith("peregrine: server.state_dir: "));
  EXPECT_EQ(std::ranges::count(done.err, '\n'), 1);
}

TEST_F(Serve, NothingToForwardToIsSaid) {
  Process process({"serve", "--config", config(any_port), "--set", "recursion.enabled=false", "--set",
                   R"(forward=[{zone="a.test",servers=["127.0.0.1:9"]}])"});
  std::string line;
  while (!line.starts_with("try:")) line = process.line();
  EXPECT_THAT(line, HasSubstr(" a.test."));
  process.send_signal(SIGTERM);
  EXPECT_THAT(process.wait().err, HasSubstr("warning: nothing to forward to for names outside these zones"));
}

}  // namespace
}  // namespace peregrine
