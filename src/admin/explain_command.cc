#include "admin/explain_command.h"

#include <expected>
#include <nlohmann/json.hpp>

#include "admin/trace_report.h"

namespace peregrine {
namespace {

using nlohmann::json;

json refusal(std::string why) { return {{"ok", false}, {"error", std::move(why)}}; }

struct Wanted {
  ExplainRequest request;
  size_t worker = 0;
};

// The value of an optional key, or what it is without it.
template <class T>
std::expected<T, std::string> value_of(const json& request, const char* key, T without) {
  const auto found = request.find(key);
  if (found == request.end()) return without;
  if constexpr (std::is_same_v<T, bool>) {
    if (found->is_boolean()) return found->get<bool>();
  } else {
    if (found->is_number_unsigned()) return found->get<T>();
  }
  return std::unexpected(std::string("\"") + key + "\" is not what it has to be");
}

std::expected<Type, std::string> type_in(const json& request) {
  const auto found = request.find("type");
  if (found == request.end()) return Type::a;
  const auto type = found->is_string() ? parse_type(found->get_ref<const std::string&>()) : std::nullopt;
  if (!type) return std::unexpected("\"type\" is not a type such as A or AAAA");
  return *type;
}

std::expected<Wanted, std::string> read_request(const json& request, size_t workers) {
  const auto name_text = request.find("name");
  const auto name = name_text != request.end() && name_text->is_string()
                        ? DnameBuf::from_text(name_text->get_ref<const std::string&>())
                        : std::unexpected(Error::bad_text);
  if (!name) return std::unexpected("the request has no \"name\" that is a domain name");
  const auto type = type_in(request);
  if (!type) return std::unexpected(type.error());
  const auto dnssec = value_of(request, "dnssec", false);
  if (!dnssec) return std::unexpected(dnssec.error());
  const auto fresh = value_of(request, "fresh", false);
  if (!fresh) return std::unexpected(fresh.error());
  const auto worker = value_of<size_t>(request, "worker", 0);
  if (!worker) return std::unexpected(worker.error());
  if (*worker >= workers)
    return std::unexpected("there is no such worker; they are 0 to " + std::to_string(workers - 1));
  return Wanted{.request = {.qname = *name, .qtype = *type, .dnssec_ok = *dnssec, .fresh = *fresh},
                .worker = *worker};
}

json reply_of(const Wanted& wanted, const std::optional<Explanation>& explanation) {
  if (!explanation) return refusal("too many names are being explained; try again");
  json report = report_explanation(wanted.request, *explanation);
  report["worker"] = wanted.worker;
  return report;
}

}  // namespace

void explain(Server& server, const json& request, const ControlReply& reply) {
  const std::vector<WorkerThread*> workers = server.workers();
  const auto wanted = read_request(request, workers.size());
  if (!wanted) return reply(refusal(wanted.error()));
  workers[wanted->worker]->explain(wanted->request, [wanted = *wanted, reply, &loop = server.loop()](
                                                        std::optional<Explanation> explanation) {
    // Thousands of steps take a while to write down: not on the worker's thread.
    loop.post(
        [wanted, reply, explanation = std::move(explanation)] { reply(reply_of(wanted, explanation)); });
  });
}

}  // namespace peregrine
