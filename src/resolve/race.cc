#include "resolve/race.h"

#include <algorithm>
#include <tuple>

namespace peregrine {

bool Joint::Key::operator<(const Key& other) const {
  if (std::tie(server, qtype) != std::tie(other.server, other.qtype))
    return std::tie(server, qtype) < std::tie(other.server, other.qtype);
  return canonical_compare(qname, other.qname) < 0;
}

Promise<Answered>* Joint::join(const Endpoint& server, const TalkQuestion& question) {
  const auto [at, is_new] = asked_.try_emplace(Key{server, question.qname, question.qtype});
  if (is_new) return nullptr;
  return at->second.emplace_back(std::make_unique<Promise<Answered>>()).get();
}

void Joint::finish(const Endpoint& server, const TalkQuestion& question, const Answered& answered) {
  const auto node = asked_.extract(Key{server, question.qname, question.qtype});
  if (!node) return;
  for (const auto& waiter : node.mapped()) waiter->deliver(answered);
}

Race::Race(Tools tools, const TalkQuestion& question, std::shared_ptr<Budget> budget, TracePlace place,
           std::vector<Endpoint> servers, unsigned round)
    : state_(std::make_shared<State>(tools, question, std::move(budget), place, round)),
      servers_(std::move(servers)) {}

Race::~Race() { state_->over = true; }

Task<std::optional<Race::Outcome>> Race::next() {
  State& state = *state_;
  while (state.done.empty()) {
    const Instant deadline = state.budget->deadline;
    if (now() >= deadline) co_return std::nullopt;
    if (state.running == 0) {
      if (next_ == servers_.size() || state.budget->spent(now())) co_return std::nullopt;
      hedged_ = false;
      start(servers_[next_++], Sharing::yes);
      continue;
    }
    if (!hedged_ && now() >= hedge_at_) hedge();
    state.news.reset();
    state.tools.timers.arm(state.alarm, hedged_ ? deadline : std::min(deadline, hedge_at_));
    co_await state.news;
  }
  Outcome outcome = std::move(state.done.front());
  state.done.erase(state.done.begin());
  co_return outcome;
}

void Race::start(Endpoint server, Sharing sharing) {
  hedge_at_ = now() + state_->tools.talk.upstreams.health(server).mostly_within();
  state_->tools.credit.earn();
  spawn(ask(state_, server, sharing));
}

// Another server where there is one in good order; or the same again: a packet may be lost.
void Race::hedge() {
  hedged_ = true;
  if (state_->budget->packets < 2 || !state_->tools.credit.spend()) return;
  state_->place.remark("no reply yet: asked again");
  const bool has_next =
      next_ < servers_.size() && state_->tools.talk.upstreams.health(servers_[next_]).in_good_order();
  if (has_next) return start(servers_[next_++], Sharing::yes);
  start(servers_[next_ - 1], Sharing::no);
}

Task<void> Race::ask(std::shared_ptr<State> state, Endpoint server, Sharing sharing) {
  ++state->running;
  Joint& joint = state->tools.joint;
  Talk talk(state->tools.talk, state->question, *state->budget, state->place);
  Answered answered = std::unexpected(TalkFailure::silent);
  Promise<Answered>* shared = sharing == Sharing::yes ? joint.join(server, state->question) : nullptr;
  if (shared) {
    state->place.remark("asked already, for another request: " + server.address.to_string());
    answered = co_await *shared;
  } else {
    answered = co_await talk.ask(server, state->round);
    if (sharing == Sharing::yes) joint.finish(server, state->question, answered);
  }
  --state->running;
  // Nobody waits for it any more, but it tells of the server.
  if (state->over && answered) state->tools.talk.upstreams.answered(server, answered->rtt);
  state->done.push_back({server, std::move(answered), talk.last_query()});
  state->news.deliver(true);
}

}  // namespace peregrine
