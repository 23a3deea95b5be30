// The steps of one resolution as a tree, for people and their tools: what was looked for and why, which
// servers were asked, what each said, and what was refused. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "wire/dname.h"
#include "wire/types.h"

namespace peregrine {

struct TraceStep {
  enum class Kind : uint8_t {
    quest,   // a name and a type that are looked for: the client's question, an alias's target, a server's
             // address
    cached,  // found in the cache
    zone,    // servers of the zone `name` are asked
    query,   // one packet to one server, and what came of it
    remark,  // a decision: an address not asked, a limit reached
  };
  Kind kind = Kind::remark;
  size_t parent = 0;  // index of a step before; the first step is its own
  DnameBuf name{};
  Type type = Type::a;
  Duration at{};                     // since the resolution began
  std::optional<Endpoint> server{};  // query
  bool over_tcp = false;             // query
  std::optional<Duration> rtt{};     // query, where there was a reply
  std::string outcome{};             // in words; empty: nothing came of it yet
};

class Trace {
 public:
  // A resolution does no more than its budget allows; what is beyond this is left out.
  static constexpr size_t most_steps = 4096;

  // The clock outlives it.
  explicit Trace(Clock& clock) : clock_(clock), began_(clock.precise()) {}
  const std::vector<TraceStep>& steps() const { return steps_; }

 private:
  friend class TracePlace;
  Clock& clock_;
  Instant began_;
  std::vector<TraceStep> steps_;
};

// A step that others can be put below; or nowhere, where nobody wants to know: then nothing is done.
class TracePlace {
 public:
  TracePlace() = default;
  // Where the first step goes. May be null.
  explicit TracePlace(Trace* trace) : trace_(trace) {}

  explicit operator bool() const { return trace_ != nullptr; }
  TracePlace add(TraceStep step) const;
  TracePlace quest(Dname name, Type type) const {
    return trace_ ? add({.kind = TraceStep::Kind::quest, .name = DnameBuf(name), .type = type})
                  : TracePlace();
  }
  void remark(std::string text) const {
    if (trace_) add({.kind = TraceStep::Kind::remark, .outcome = std::move(text)});
  }
  // Said of the step itself; what is said later comes behind a semicolon.
  void say(std::string_view outcome) const;
  void replied(Duration rtt) const;

 private:
  TracePlace(Trace* trace, size_t step) : trace_(trace), step_(step) {}
  Trace* trace_ = nullptr;
  size_t step_ = 0;
};

}  // namespace peregrine
