#include "resolve/race.h"

#include <algorithm>
#include <tuple>

namespace peregrine {

bool Joint::Key::operator<(const Key& other) const {
  if (std::tie(server, qtype) != std::tie(other.server, other.qtype))
    return std::tie(server, qtype) < std::tie(other.server, other.qtype);
  return canonical_compare(qname, other.qname) < 0;
}

bool Joint::is_asked(const Endpoint& server, const TalkQuestion& question) const {
  return asked_.contains(Key{server, question.qname, question.qtype});
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
    if (!hedged_ && now() >= hedge_at_) {
      hedge();
      continue;
    }
    state.news.reset();
    state.tools.timers.arm(state.alarm, hedged_ ? deadline : std::min(deadline, hedge_at_));
    co_await state.news;
  }
  Outcome outcome = std::move(state.done.front());
  state.done.erase(state.done.begin());
  co_return outcome;
}

void Race::start(Endpoint server, Sharing sharing) {
  State& state = *state_;
  hedge_at_ = now() + state.tools.talk.upstreams.health(server).mostly_within();
  Promise<Answered>* shared =
      sharing == Sharing::yes ? state.tools.joint.join(server, state.question) : nullptr;
  joined_ = shared != nullptr;
  if (!shared) state.tools.credit.earn();
  spawn(ask(state_, server, sharing, shared));
}

// Another server where there is one in good order; or the same again, by who asked it: a packet may be lost.
void Race::hedge() {
  State& state = *state_;
  hedged_ = true;
  if (state.budget->packets < 2) return;
  const bool has_next =
      next_ < servers_.size() && state.tools.talk.upstreams.health(servers_[next_]).in_good_order();
  if (!has_next && joined_) return;
  const bool is_free = has_next && state.tools.joint.is_asked(servers_[next_], state.question);
  if (!is_free && !state.tools.credit.spend()) return;
  state.place.remark("no reply yet: asked again");
  if (has_next) return start(servers_[next_++], Sharing::yes);
  start(servers_[next_ - 1], Sharing::no);
}

Task<void> Race::ask(std::shared_ptr<State> state, Endpoint server, Sharing sharing,
                     Promise<Answered>* shared) {
  ++state->running;
  Talk talk(state->tools.talk, state->question, *state->budget, state->place);
  Answered answered = std::unexpected(TalkFailure::silent);
  bool is_own = !shared;
  if (shared) {
    if (state->place)
      state->place.remark("asked already, for another request: " + server.address.to_string());
    answered = co_await *shared;
    // What the other request lacked, this one may have.
    is_own = !answered && answered.error() == TalkFailure::shortage;
  }
  if (is_own) answered = co_await talk.ask(server, state->round);
  if (!shared && sharing == Sharing::yes) state->tools.joint.finish(server, state->question, answered);
  --state->running;
  // Nobody waits for it any more, but it tells of the server.
  if (state->over && answered && is_own) state->tools.talk.upstreams.answered(server, answered->rtt);
  state->done.push_back({server, std::move(answered), talk.last_query(), !is_own});
  state->news.deliver(true);
}

}  // namespace peregrine
