#include "resolve/trace.h"

namespace peregrine {

TracePlace TracePlace::add(TraceStep step) const {
  if (!trace_ || trace_->steps_.size() == Trace::most_steps) return {};
  step.parent = trace_->steps_.empty() ? 0 : step_;
  step.at = trace_->clock_.precise() - trace_->began_;
  trace_->steps_.push_back(std::move(step));
  return {trace_, trace_->steps_.size() - 1};
}

void TracePlace::say(std::string_view outcome) const {
  if (!trace_ || trace_->steps_.empty()) return;
  std::string& said = trace_->steps_[step_].outcome;
  if (!said.empty()) said += "; ";
  said += outcome;
}

void TracePlace::replied(Duration rtt) const {
  if (trace_ && !trace_->steps_.empty()) trace_->steps_[step_].rtt = rtt;
}

}  // namespace peregrine
