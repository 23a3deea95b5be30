// A server with a control socket on a thread of its own, and a client that may say anything to it.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "admin/control.h"
#include "admin/control_socket.h"
#include "support/log_recorder.h"
#include "support/temp_dir.h"

namespace peregrine {

// One worker on a free port of 127.0.0.1, forwarding to port 9 there unless `extra` says otherwise.
inline ConfigSources small_config(const std::string& state_dir, std::vector<std::string> extra = {}) {
  ConfigSources sources;
  sources.set = {"server.listen=127.0.0.1:0",
                 "server.workers=1",
                 "server.state_dir=" + state_dir,
                 "server.drain=0s",
                 "resolver.udp_sockets=4",
                 "cache.size=1 MiB",
                 "log.level=warning",
                 "resolver.timeout=2s",
                 R"(forward=[{zone=".",servers=["127.0.0.1:9"]}])"};
  sources.set.insert(sources.set.end(), extra.begin(), extra.end());
  return sources;
}

inline Config loaded(const ConfigSources& sources) {
  LoadedConfig result = load_config(sources);
  for (const ConfigError& error : result.errors) ADD_FAILURE() << error.to_string();
  return std::move(result.config);
}

class RunningServer {
 public:
  // `loader` is what a reload calls; without one it gives the same configuration again.
  explicit RunningServer(const ConfigSources& sources, Server::Loader loader = {})
      : server_(std::make_unique<Server>(
            loaded(sources), loader ? loader : [sources] { return load_config(sources); })),
        control_(std::make_unique<ControlServer>(*server_)),
        thread_([this] { server_->run(); }) {}

  ~RunningServer() {
    server_->loop().post([this] { server_->stop(); });
    join();
  }
  // Returns when run() has, and ends all.
  void join() {
    if (thread_.joinable()) thread_.join();
    control_.reset();
  }
  std::string socket() const { return control_->path(); }
  const Server& server() const { return *server_; }

 private:
  std::unique_ptr<Server> server_;
  std::unique_ptr<ControlServer> control_;
  std::thread thread_;
};

// A client that sends any octets and waits for lines without a limit of its own: the test's is enough.
class RawClient {
 public:
  explicit RawClient(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_un address = *unix_address(path);
    EXPECT_EQ(connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << path;
  }
  // False where the server has closed.
  bool send(std::string_view octets) {
    while (!octets.empty()) {
      const ssize_t size = ::send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
      if (size < 0) return false;
      octets.remove_prefix(static_cast<size_t>(size));
    }
    return true;
  }
  void end_sending() { shutdown(fd_.get(), SHUT_WR); }
  // Without its newline; "(closed)" where there is none any more.
  std::string line() {
    while (true) {
      if (const size_t end = in_.find('\n'); end != in_.npos) {
        std::string line = in_.substr(0, end);
        in_.erase(0, end + 1);
        return line;
      }
      char chunk[4096];
      const ssize_t size = recv(fd_.get(), chunk, sizeof chunk, 0);
      if (size <= 0) return "(closed)";
      in_.append(chunk, static_cast<size_t>(size));
    }
  }
  nlohmann::json reply() {
    const std::string text = line();
    nlohmann::json reply = nlohmann::json::parse(text, nullptr, false);
    EXPECT_TRUE(reply.is_object()) << text;
    return reply.is_object() ? reply : nlohmann::json::object();
  }
  nlohmann::json ask(const std::string& command) {
    send(nlohmann::json{{"command", command}}.dump() + "\n");
    return reply();
  }

 private:
  Fd fd_;
  std::string in_;
};

}  // namespace peregrine
