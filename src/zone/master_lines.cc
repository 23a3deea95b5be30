#include "zone/master_lines.h"

#include <algorithm>

namespace peregrine {
namespace {

constexpr std::string_view blanks = " \t\r";
constexpr std::string_view ends_of_word = " \t\r\n;()\"";

}  // namespace

bool MasterLines::next(MasterEntry& entry) {
  while (!at_end()) {
    entry = {.line = line_, .begins_blank = blanks.contains(text_[at_]), .words = {}};
    take_line(entry);
    if (!entry.words.empty() || entry.fault) return true;
  }
  return false;
}

void MasterLines::take_line(MasterEntry& entry) {
  bool open = false;
  const auto fail = [&](const char* fault) {
    entry.fault = fault;
    skip_line();
  };
  while (!at_end()) {
    const char c = text_[at_];
    if (c == '\n') {
      step();
      if (!open) return;
    } else if (blanks.contains(c)) {
      step();
    } else if (c == ';') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c == '(' || c == ')') {
      if (open == (c == '(')) return fail(open ? "a parenthesis within parentheses" : "a ) without a (");
      open = !open;
      step();
    } else {
      take_word(entry);
      if (entry.fault) return skip_line();
    }
  }
  if (open) entry.fault = "a ( without a )";
}

void MasterLines::take_word(MasterEntry& entry) {
  const size_t start = at_;
  if (text_[at_] == '"') {
    if (!take_quoted()) return static_cast<void>(entry.fault = "a quoted string without an end on its line");
  } else {
    while (!at_end() && !ends_of_word.contains(text_[at_])) {
      const bool escape = text_[at_] == '\\';
      step();
      if (escape && !at_end() && text_[at_] != '\n') step();
    }
    // SVCB parameters are the one place where a quote stands within a word (RFC 9460 section 2.1).
    if (!at_end() && text_[at_] == '"' && text_[at_ - 1] == '=' && !take_quoted())
      return static_cast<void>(entry.fault = "a quoted string without an end on its line");
  }
  entry.words.push_back(text_.substr(start, at_ - start));
}

bool MasterLines::take_quoted() {
  step();
  while (!at_end() && text_[at_] != '"' && text_[at_] != '\n') {
    const bool escape = text_[at_] == '\\';
    step();
    if (escape && !at_end() && text_[at_] != '\n') step();
  }
  if (at_end() || text_[at_] == '\n') return false;
  step();
  return true;
}

void MasterLines::skip_line() {
  at_ = std::min(text_.find('\n', at_), text_.size());
  if (!at_end()) step();
}

}  // namespace peregrine
