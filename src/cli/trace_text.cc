#include "cli/trace_text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/text.h"

namespace peregrine {
namespace {

using nlohmann::json;

constexpr unsigned most_depth = 64;  // a server's steps have some twenty

// Parameters of ANSI's "select graphic rendition".
constexpr std::string_view bold = "1", dim = "2", red = "31", green = "32", yellow = "33", cyan = "36";

std::string text_of(const json& object, const char* key) {
  return safe_for_terminal(object.at(key).get_ref<const std::string&>());
}

// Empty where there is none.
std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// By the variables that setlocale() would go by.
bool has_utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value(variable(name));
    if (value.empty()) continue;
    std::ranges::transform(value, value.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; });
    return value.contains("utf-8") || value.contains("utf8");
  }
  return false;
}

std::string joined(const json& texts) {
  std::string all;
  for (const json& text : texts)
    all += (all.empty() ? "" : ", ") + safe_for_terminal(text.get_ref<const std::string&>());
  return all;
}

std::string question_of(const json& step) { return text_of(step, "name") + " " + text_of(step, "type"); }

class Tree {
 public:
  explicit Tree(const TreeStyle& style) : style_(style) {}

  std::string text(const json& steps) && {
    out_ = painted(dim, fmt::format("{:>8} {:>8}", "at", "RTT")) + '\n';
    for (const json& step : steps) put(step, "", "", 0);
    return std::move(out_);
  }

 private:
  struct Line {
    std::string_view colour;
    std::string text;
  };

  std::string painted(std::string_view colour, const std::string& text) const {
    return style_.colours && !colour.empty() && !text.empty() ? fmt::format("\x1b[{}m{}\x1b[0m", colour, text)
                                                              : text;
  }

  // `before` goes before the step, `indent` before what is below it.
  void put(const json& step, const std::string& before, const std::string& indent, unsigned depth) {
    const auto rtt = step.find("rtt_ms");
    std::string times = fmt::format("{:>8} ", milliseconds_text(step.at("at_ms").get<double>()));
    if (rtt != step.end())
      times += fmt::format("{:>8}", rtt->is_null() ? "-" : milliseconds_text(rtt->get<double>()));
    const Line line = line_of(step);
    out_ += painted(dim, fmt::format("{:<17}", times)) + "  " + painted(dim, before) +
            painted(line.colour, line.text) + '\n';
    const json& below = step.at("steps");
    if (depth == most_depth) return;
    for (size_t i = 0; i < below.size(); ++i) {
      const bool last = i + 1 == below.size();
      put(below.at(i), indent + (style_.lines ? (last ? "└─ " : "├─ ") : "  "),
          indent + (style_.lines ? (last ? "   " : "│  ") : "  "), depth + 1);
    }
  }

  static Line line_of(const json& step) {
    const std::string kind = text_of(step, "kind"), outcome = text_of(step, "outcome");
    const std::string behind = outcome.empty() ? "" : ": " + outcome;
    if (kind == "quest") return {bold, question_of(step) + behind};
    if (kind == "cached") return {green, "cached: " + question_of(step) + behind};
    if (kind == "zone") return {cyan, "servers of " + text_of(step, "name") + behind};
    if (kind != "query") return {yellow, outcome};
    const std::string server = step.at("server").is_null() ? "?" : text_of(step, "server");
    const bool tcp = text_of(step, "transport") == "tcp";
    return {step.at("rtt_ms").is_null() ? red : "",
            fmt::format("{} at {}{}{}", question_of(step), server, tcp ? " over TCP" : "",
                        outcome.empty() ? ": no reply yet" : behind)};
  }

  const TreeStyle& style_;
  std::string out_;
};

std::string answered_by_text(const json& answered) {
  std::string by = text_of(answered, "by");
  if (by == "root") return "resolved from the servers of the root";
  if (by == "stub" || by == "forward") {
    return fmt::format("{} by the [[{}]] for {} to {}{}", by == "stub" ? "resolved" : "forwarded", by,
                       text_of(answered, "zone"), joined(answered.at("servers")),
                       answered.value("first", false) ? ", then to the root" : "");
  }
  if (by == "cache") {
    return fmt::format("from the cache, where it has been for {} s and may stay for {} s",
                       answered.at("age_s").get<int64_t>(), answered.at("ttl_s").get<int64_t>());
  }
  if (by == "special_name")
    return "answered here, as all names of " + text_of(answered, "zone") + " (RFC 6761, RFC 6303)";
  if (by == "local") return "answered by the [[local]] zone " + text_of(answered, "zone");
  if (by == "minimal_any") return "answered here, as little as may be (RFC 8482)";
  if (by == "refusal") return "refused, whatever the name";
  if (by == "nobody") return "no [[forward]] is for the name, and recursion.enabled is off";
  return by;
}

std::string section_text(const json& records, std::string_view title) {
  if (records.empty()) return {};
  std::string text = fmt::format("\n;; {}\n", title);
  for (const json& record : records) {
    text += fmt::format("{}\t{}\t{}\t{}\t{}\n", text_of(record, "name"), record.at("ttl").get<uint32_t>(),
                        text_of(record, "class"), text_of(record, "type"), text_of(record, "data"));
  }
  return text;
}

std::string extended_error_text(const json& error) {
  if (error.is_null()) return {};
  std::string text = fmt::format(";; extended error {}", error.at("code").get<unsigned>());
  if (const std::string name = text_of(error, "name"); !name.empty()) text += " (" + name + ")";
  if (const std::string why = text_of(error, "text"); !why.empty()) text += ": " + why;
  return text + '\n';
}

}  // namespace

TreeStyle TreeStyle::of(const std::ostream& out) {
  if (&out != &std::cout || isatty(STDOUT_FILENO) != 1) return {};
  return {.lines = has_utf8_locale(), .colours = variable("NO_COLOR").empty()};
}

std::string trace_text(const json& report, const TreeStyle& style) {
  const json &result = report.at("result"), &server = result.at("server");
  const json &answer = result.at("answer"), &authority = result.at("authority");
  return fmt::format(";; {}: {}\n", question_of(report.at("question")),
                     answered_by_text(report.at("answered_by"))) +
         Tree(style).text(report.at("steps")) +
         fmt::format("\n;; {}; {}, {} authority\n", text_of(result, "rcode"),
                     count_text(answer.size(), "answer"), authority.size()) +
         extended_error_text(result.at("extended_error")) + section_text(answer, "answer") +
         section_text(authority, "authority") +
         fmt::format("\n;; {}, {}{}\n", milliseconds_text(report.at("took_ms").get<double>()),
                     count_text(result.at("packets").get<uint64_t>(), "packet"),
                     server.is_null() ? "" : "; answered by " + text_of(result, "server"));
}

}  // namespace peregrine
