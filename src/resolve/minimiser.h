// QNAME minimisation: a server is shown no more of a name than it needs to say who serves the next zone
// (RFC 9156).
#pragma once

#include <cstdint>

#include "wire/dname.h"
#include "wire/types.h"

namespace peregrine {

enum class Minimisation : uint8_t {
  off,
  relaxed,  // a name that is said not to exist is asked for whole all the same: some servers are wrong there
  strict,   // it is believed (RFC 8020)
};

class Minimiser {
 public:
  Minimiser(Dname qname, Type qtype, Minimisation mode) : qname_(qname), qtype_(qtype), mode_(mode) {}

  struct Ask {
    Dname name;
    Type type;
    bool whole;  // the question itself
  };
  // What to ask servers of `zone`, which the name is at or below. The name lives as long as qname does.
  Ask next(Dname zone);
  // No zone cut at what was asked last: more of the name is shown.
  void deeper() { shown_ = asked_; }
  // From now on the whole name is asked for.
  void give_up() { mode_ = Minimisation::off; }
  bool believes_denial() const { return mode_ == Minimisation::strict; }

 private:
  // RFC 9156 section 2.3: at most so many queries, the first of them by one label each.
  static constexpr unsigned most_queries = 10;
  static constexpr unsigned one_label_queries = 4;

  Dname qname_;
  Type qtype_;
  Minimisation mode_;
  unsigned shown_ = 0;  // labels of the name that servers know already
  unsigned asked_ = 0;
  unsigned queries_ = 0;
};

}  // namespace peregrine
