// A master file cut into entries: what stands on one line, or on several between parentheses (RFC 1035
// section 5.1).
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace peregrine {

struct MasterEntry {
  unsigned line = 0;                    // where it begins, from 1
  bool begins_blank = false;            // the owner is left out
  std::vector<std::string_view> words;  // as written, with quotes and escapes
  const char* fault = nullptr;          // what is wrong with it, the words are not all then
};

class MasterLines {
 public:
  explicit MasterLines(std::string_view text) : text_(text) {}
  // Entries that are not empty; false at the end.
  bool next(MasterEntry& entry);

 private:
  bool at_end() const { return at_ == text_.size(); }
  void take_line(MasterEntry& entry);
  void take_word(MasterEntry& entry);
  bool take_quoted();
  void skip_line();
  void step() { line_ += text_[at_++] == '\n'; }

  std::string_view text_;
  size_t at_ = 0;
  unsigned line_ = 1;
};

}  // namespace peregrine
