#include "admin/control.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>

#include "admin/commands.h"
#include "admin/control_session.h"
#include "admin/control_socket.h"
#include "base/log.h"

namespace peregrine {
namespace {

constexpr std::string_view full_reply = R"({"ok":false,"error":"too many control connections; try again"})"
                                        "\n";

bool out_of_resources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

std::string to_line(const nlohmann::json& reply) {
  // Octets that are no UTF-8, of a file's name say, must not throw.
  return reply.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Between who makes the parts of a reply and the session that sends them: one part at a time, so that a
// slow client costs no memory.
class PartGate {
 public:
  // Waits until the last part has left. False where there is nobody to send to.
  bool enter() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !taken_ || closed_; });
    taken_ = true;
    return !closed_;
  }
  void leave() { change(taken_, false); }
  void close() { change(closed_, true); }

 private:
  void change(bool& what, bool to) {
    {
      const std::lock_guard lock(mutex_);
      what = to;
    }
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool taken_ = false, closed_ = false;
};

}  // namespace

struct ControlServer::State final : Watcher,
                                    ControlSession::Host,
                                    std::enable_shared_from_this<ControlServer::State> {
  State(Server& s, ControlSocket control_socket)
      : server(s), socket(std::move(control_socket)), accept_again([this] { watch(); }) {}
  ~State() override {
    for (const auto& [id, gate] : gates) gate->close();
    server.loop().unwatch(socket.fd());
  }

  void watch() {
    if (!server.loop().watch(socket.fd(), EPOLLIN, *this)) pause();
  }

  // A listener that stays ready would spin.
  void pause() {
    server.loop().unwatch(socket.fd());
    server.loop().timers().arm(accept_again, server.loop().clock().now() + std::chrono::seconds(1));
  }

  void ready(uint32_t) override {
    Fd fd(accept4(socket.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) return out_of_resources(errno) ? pause() : void();
    if (sessions.size() >= max_control_sessions) {
      send(fd.get(), full_reply.data(), full_reply.size(), MSG_NOSIGNAL);
      return;
    }
    const uint64_t id = ++last_id;
    auto session = std::make_unique<ControlSession>(server.loop(), std::move(fd), id, *this);
    sessions.emplace(id, std::move(session)).first->second->start();
  }

  void on_line(uint64_t id, std::string line) override {
    // The reply may come from any thread, and after the session or all of this has gone.
    const auto gate = std::make_shared<PartGate>();
    gates[id] = gate;
    const auto on_loop = [weak = weak_from_this(), &loop = server.loop()](auto then) {
      loop.post([weak, then = std::move(then)] {
        if (const auto state = weak.lock()) then(*state);
      });
    };
    run_control_request(
        server, line,
        {.done =
             [on_loop, id](const nlohmann::json& reply) {
               on_loop([id, line = to_line(reply)](State& state) { state.deliver(id, line); });
             },
         .part =
             [on_loop, id, gate](std::string lines) {
               if (!gate->enter()) return false;
               on_loop([id, gate, lines = std::move(lines)](State& state) {
                 state.deliver_part(id, lines, gate);
               });
               return true;
             }});
  }

  void deliver(uint64_t id, const std::string& line) {
    gates.erase(id);
    if (const auto found = sessions.find(id); found != sessions.end()) found->second->reply(line);
  }

  void deliver_part(uint64_t id, const std::string& lines, const std::shared_ptr<PartGate>& gate) {
    const auto found = sessions.find(id);
    if (found == sessions.end()) return gate->close();
    found->second->reply_part(lines, [gate] { gate->leave(); });
  }

  void on_end(uint64_t id) override {
    if (const auto gate = gates.extract(id)) gate.mapped()->close();
    sessions.erase(id);
  }

  Server& server;
  ControlSocket socket;
  Timer accept_again;
  std::unordered_map<uint64_t, std::unique_ptr<ControlSession>> sessions;
  std::unordered_map<uint64_t, std::shared_ptr<PartGate>> gates;  // of the requests that are under way
  uint64_t last_id = 0;
};

ControlServer::ControlServer(Server& server) {
  auto socket = ControlSocket::open(control_socket_path(server.state_dir()));
  if (!socket) {
    log_warning(socket.error() + "; running without one");
    return;
  }
  state_ = std::make_shared<State>(server, *std::move(socket));
  state_->watch();
}

ControlServer::~ControlServer() = default;

std::string ControlServer::path() const { return state_ ? state_->socket.path() : std::string(); }

}  // namespace peregrine
