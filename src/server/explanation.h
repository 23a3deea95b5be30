// Why a question gets the answer that it gets: who answers it, and every step to the answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "resolve/resolution.h"
#include "resolve/trace.h"

namespace peregrine {

struct ExplainRequest {
  DnameBuf qname;
  Type qtype = Type::a;
  bool dnssec_ok = false;
  bool fresh = false;  // as if nothing were cached; nothing of it is kept
};

struct Explanation {
  enum class By : uint8_t {
    refusal,       // a type that nobody may ask for
    minimal_any,   // RFC 8482
    cache,         // the whole answer is there, ready to be sent
    special_name,  // answered here and nowhere else; `zone` says which
    local,         // the [[local]] `zone`, and what it leads to
    forward,       // the servers of the [[forward]] `zone`
    stub,          // the servers of the [[stub]] `zone`, and what they lead to
    root,          // the servers of the root, and what they lead to
    nobody,        // neither a [[forward]] nor recursion
  };
  By by = By::nobody;
  DnameBuf zone{};
  bool first = false;  // the [[forward]] has first = true: then recursion, where its servers fail
  std::vector<Endpoint> servers{};            // of a [[forward]], of a [[stub]]
  std::chrono::seconds age{0}, time_left{0};  // By::cache
  std::vector<TraceStep> steps{};             // the first is the question
  Resolution resolution{};                    // its message may be empty, and may have an OPT
  Duration took{};
};

}  // namespace peregrine
