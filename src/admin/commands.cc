#include "admin/commands.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "admin/cache_commands.h"
#include "admin/explain_command.h"
#include "admin/reports.h"
#include "base/guarded.h"

namespace peregrine {
namespace {

using nlohmann::json;

json refusal(std::string why) { return {{"ok", false}, {"error", std::move(why)}}; }

void status(Server& server, const json&, const ControlReply& reply) { reply(report_status(server)); }

void flags(Server& server, const json&, const ControlReply& reply) {
  reply(report_flags(server.config().flags));
}

void reload(Server& server, const json&, const ControlReply& reply) {
  server.reload([reply](const ReloadReport& report) { reply(report_reload(report)); });
}

void stop(Server& server, const json&, const ControlReply& reply) {
  reply({{"ok", true}, {"drain_s", server.config().server.drain_seconds}});
  // Behind the reply in the loop's mailbox, so that it is sent.
  server.loop().post([&server] { server.stop(); });
}

// What each worker knows, collected on the workers' threads. The last one replies.
struct Collected {
  explicit Collected(size_t workers) : waiting(workers), by_worker(workers) {}
  size_t waiting;
  std::vector<std::vector<UpstreamStatus>> by_worker;
};

void upstreams(Server& server, const json&, const ControlReply& reply) {
  const std::vector<WorkerThread*> workers = server.workers();
  if (workers.empty()) return reply(report_upstreams({}));
  auto collected = std::make_shared<Guarded<Collected>>(workers.size());
  for (size_t i = 0; i < workers.size(); ++i) {
    workers[i]->inspect_upstreams([collected, reply, i](std::vector<UpstreamStatus> status) {
      auto all = collected->lock();
      all->by_worker[i] = std::move(status);
      if (--all->waiting == 0) reply(report_upstreams(all->by_worker));
    });
  }
}

constexpr std::array<ControlCommand, 9> commands{{
    {"status", "What the server does and how well", status},
    {"reload", "Take the configuration anew", reload},
    {"stop", "Answer what is under way, then end", stop},
    {"flags", "The feature flags: value, where it came from, whether it is available", flags},
    {"upstreams", "What each worker has learned about the servers that it asks", upstreams},
    {"explain", "Answer \"name\" and \"type\" as a worker would, and tell every step", explain},
    {"cache-stats", "What the cache holds, what was evicted, how old it is", cache_stats},
    {"cache-dump", "Every entry of the cache, or those at or below \"zone\"", cache_dump},
    {"cache-flush", "Forget \"name\", with \"below\" all names below it, too", cache_flush},
}};

std::string known_commands() {
  std::string names;
  for (const ControlCommand& command : commands) {
    if (!names.empty()) names += ", ";
    names += command.name;
  }
  return names;
}

}  // namespace

void ControlReply::operator()(json reply) const { done(std::move(reply)); }

std::span<const ControlCommand> control_commands() { return commands; }

void run_control_request(Server& server, std::string_view line, const ControlReply& reply) {
  const json request = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!request.is_object()) return reply(refusal(R"(not a JSON object such as {"command":"status"})"));
  const auto name = request.find("command");
  if (name == request.end() || !name->is_string()) {
    return reply(refusal("the request has no \"command\" that is a string; known are " + known_commands()));
  }
  const auto* command =
      std::ranges::find(commands, name->get_ref<const std::string&>(), &ControlCommand::name);
  if (command == commands.end()) return reply(refusal("no such command; known are " + known_commands()));
  command->run(server, request, reply);
}

}  // namespace peregrine
