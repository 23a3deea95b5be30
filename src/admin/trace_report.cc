#include "admin/trace_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "wire/rdata.h"

namespace peregrine {
namespace {

using nlohmann::json;

double in_milliseconds(Duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

const char* name_of(TraceStep::Kind kind) {
  switch (kind) {
    case TraceStep::Kind::quest:
      return "quest";
    case TraceStep::Kind::cached:
      return "cached";
    case TraceStep::Kind::zone:
      return "zone";
    case TraceStep::Kind::query:
      return "query";
    case TraceStep::Kind::remark:
      return "remark";
  }
  return "";
}

const char* name_of(Explanation::By by) {
  switch (by) {
    case Explanation::By::refusal:
      return "refusal";
    case Explanation::By::minimal_any:
      return "minimal_any";
    case Explanation::By::cache:
      return "cache";
    case Explanation::By::special_name:
      return "special_name";
    case Explanation::By::local:
      return "local";
    case Explanation::By::forward:
      return "forward";
    case Explanation::By::stub:
      return "stub";
    case Explanation::By::root:
      return "root";
    case Explanation::By::nobody:
      return "nobody";
  }
  return "";
}

json report_step(const TraceStep& step) {
  using Kind = TraceStep::Kind;
  json report{{"kind", name_of(step.kind)},
              {"at_ms", in_milliseconds(step.at)},
              {"outcome", step.outcome},
              {"steps", json::array()}};
  if (step.kind == Kind::remark) return report;
  report["name"] = step.name.to_string();
  if (step.kind == Kind::zone) return report;
  report["type"] = to_string(step.type);
  if (step.kind != Kind::query) return report;
  report["server"] = step.server ? json(step.server->to_string()) : json();
  report["transport"] = step.over_tcp ? "tcp" : "udp";
  report["rtt_ms"] = step.rtt ? json(in_milliseconds(*step.rtt)) : json();
  return report;
}

json report_answered_by(const Explanation& explanation) {
  using By = Explanation::By;
  const By by = explanation.by;
  json report{{"by", name_of(by)}};
  if (by == By::cache) {
    report["age_s"] = explanation.age.count();
    report["ttl_s"] = explanation.time_left.count();
  }
  const bool has_servers = by == By::forward || by == By::stub;
  if (has_servers || by == By::special_name || by == By::local) report["zone"] = explanation.zone.to_string();
  if (!has_servers) return report;
  if (by == By::forward) report["first"] = explanation.first;
  json& servers = report["servers"] = json::array();
  for (const Endpoint& server : explanation.servers) servers.push_back(server.to_string());
  return report;
}

json report_record(const RrView& rr, MutableBytes scratch) {
  const auto rdata = expand_rdata(rr, scratch);
  return {{"name", rr.owner.expand().to_string()},
          {"ttl", rr.ttl},
          {"class", to_string(rr.rclass)},
          {"type", to_string(rr.type)},
          {"data", rdata ? rdata_to_text(rr.type, *rdata) : std::string()}};
}

json report_section(const MessageView& message, Section section) {
  std::vector<uint8_t> scratch(max_message_size);
  json list = json::array();
  for (const RrView& rr : message.section(section)) list.push_back(report_record(rr, scratch));
  return list;
}

json report_extended_error(const Resolution& resolution) {
  if (!resolution.ede) return nullptr;
  return {{"code", static_cast<unsigned>(*resolution.ede)},
          {"name", to_string(*resolution.ede)},
          {"text", resolution.ede_text}};
}

json report_result(const Resolution& resolution) {
  const auto message = MessageView::parse(resolution.message);
  const auto section = [&](Section which) {
    return message ? report_section(*message, which) : json::array();
  };
  return {{"rcode", to_string(resolution.rcode)},
          {"server", resolution.server ? json(resolution.server->to_string()) : json()},
          {"packets", resolution.upstream_packets},
          {"extended_error", report_extended_error(resolution)},
          {"answer", section(Section::answer)},
          {"authority", section(Section::authority)}};
}

}  // namespace

json report_steps(std::span<const TraceStep> steps) {
  std::vector<json> made;
  made.reserve(steps.size());
  for (const TraceStep& step : steps) made.push_back(report_step(step));
  // A step stands behind the one that it belongs to: from the last on, each has all of its own, the last of
  // them first.
  json top = json::array();
  for (size_t i = steps.size(); i-- > 0;) {
    std::ranges::reverse(made[i]["steps"].get_ref<json::array_t&>());
    json& above = steps[i].parent < i ? made[steps[i].parent]["steps"] : top;
    above.push_back(std::move(made[i]));
  }
  std::ranges::reverse(top.get_ref<json::array_t&>());
  return top;
}

json report_explanation(const ExplainRequest& request, const Explanation& explanation) {
  return {{"ok", true},
          {"question",
           {{"name", request.qname.to_string()},
            {"type", to_string(request.qtype)},
            {"dnssec", request.dnssec_ok}}},
          {"fresh", request.fresh},
          {"answered_by", report_answered_by(explanation)},
          {"took_ms", in_milliseconds(explanation.took)},
          {"steps", report_steps(explanation.steps)},
          {"result", report_result(explanation.resolution)}};
}

}  // namespace peregrine
