// A resolution and its answer as text for people: a tree of the steps, the records below it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <ostream>
#include <string>

namespace peregrine {

struct TreeStyle {
  bool lines = false;    // box characters, in UTF-8; else steps are only indented
  bool colours = false;  // those of ANSI terminals
  // Plain where there is no terminal behind `out`. Colours unless NO_COLOR is set (no-color.org).
  static TreeStyle of(const std::ostream& out);
};

// Of what report_explanation() makes (admin/trace_report.h), control characters escaped. Throws
// nlohmann::json::exception where it has not that form.
std::string trace_text(const nlohmann::json& report, const TreeStyle& style);

}  // namespace peregrine
