// One question put to servers of one zone, best first. When one takes longer than it mostly does, the next is
// asked beside it ("The Tail at Scale", CACM 2013), and the first reply of use wins. One thread.
#pragma once

#include <compare>
#include <map>
#include <memory>
#include <vector>

#include "resolve/talk.h"

namespace peregrine {

// What came of asking a server.
using Answered = std::expected<Reply, TalkFailure>;

// Who asks a server what another is asking it already waits for that reply: identical queries at once would
// each give a forged reply a chance to match (RFC 5452 section 5).
class Joint {
 public:
  bool is_asked(const Endpoint& server, const TalkQuestion& question) const;
  // Null: nobody asks it; the caller does, and then calls finish().
  Promise<Answered>* join(const Endpoint& server, const TalkQuestion& question);
  // Those that joined resume inside.
  void finish(const Endpoint& server, const TalkQuestion& question, const Answered& answered);

 private:
  struct Key {
    Endpoint server;
    DnameBuf qname;
    Type qtype;
    bool operator<(const Key& other) const;
  };
  using Waiters = std::vector<std::unique_ptr<Promise<Answered>>>;
  std::map<Key, Waiters> asked_;
};

// Bounds second queries to a tenth of all.
class HedgeCredit {
 public:
  void earn() { credit_ = std::min(most, credit_ + 1); }
  bool spend() { return credit_ < price ? false : (credit_ -= price, true); }

 private:
  static constexpr unsigned price = 10, most = 100;
  unsigned credit_ = most;
};

class Race {
 public:
  struct Tools {
    Talk::Tools talk;
    Timers& timers;
    Joint& joint;
    HedgeCredit& credit;
  };
  struct Outcome {
    Endpoint server;
    Answered answered;
    TracePlace query;     // the step of its last query
    bool shared = false;  // asked for another request, which tells of the server's health
  };

  // `servers` best first; `round`: how often they have been asked in vain. Tools outlive the race and what it
  // has begun.
  Race(Tools tools, const TalkQuestion& question, std::shared_ptr<Budget> budget, TracePlace place,
       std::vector<Endpoint> servers, unsigned round);
  ~Race();
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;

  // What came of the next server that is done with. Nothing: of all, or the budget is spent.
  Task<std::optional<Outcome>> next();
  size_t asked() const { return next_; }  // servers

 private:
  // Lives as long as anybody is being asked.
  struct State {
    State(Tools t, const TalkQuestion& q, std::shared_ptr<Budget> b, TracePlace p, unsigned r)
        : tools(t), question(q), budget(std::move(b)), place(p), round(r) {}
    Tools tools;
    TalkQuestion question;
    std::shared_ptr<Budget> budget;
    TracePlace place;
    unsigned round;
    std::vector<Outcome> done{};
    unsigned running = 0;
    bool over = false;
    Promise<bool> news{};  // somebody is done, or it is time to do something
    Timer alarm{[this] { news.deliver(true); }};
  };
  // Whether it may be a query that is under way already.
  enum class Sharing : uint8_t { no, yes };
  static Task<void> ask(std::shared_ptr<State> state, Endpoint server, Sharing sharing,
                        Promise<Answered>* shared);
  Instant now() const { return state_->tools.talk.clock.now(); }
  void start(Endpoint server, Sharing sharing);
  void hedge();
  Instant patience() const;

  std::shared_ptr<State> state_;
  std::vector<Endpoint> servers_;
  size_t next_ = 0;
  bool hedged_ = false;  // beside the server that was begun with last
  bool joined_ = false;  // that server was being asked already
  Instant hedge_at_{};
};

}  // namespace peregrine
