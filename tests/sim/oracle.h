// Judges every reply that a client gets.
#pragma once

#include <set>
#include <string>

#include "cache/answer.h"
#include "sim/queries.h"
#include "sim/stage.h"

namespace peregrine::sim {

class Oracle {
 public:
  struct Rules {
    TtlLimits ttl;
    Duration longest_flight{};    // of a datagram, there and back, in a server's hands included
    bool failure_allowed = true;  // SERVFAIL for a question that has an answer
    bool always_signed = true;    // all servers speak EDNS, so with DO there are signatures
  };
  struct Tally {
    uint64_t true_answers = 0, negative = 0, failures = 0, refused = 0, cut_short = 0, rejected = 0,
             local = 0;
  };
  struct Terms {
    size_t least_limit, most_limit;  // between them was the limit when it was asked for
    Duration delivery{};             // for so long it may have been on its way to a slow reader
  };
  Oracle(Stage& stage, const Truth& truth, const Rules& rules)
      : stage_(stage), truth_(truth), rules_(rules) {}

  // The most octets that we send over UDP, as configured now. Replies begun under an earlier value may tell
  // that.
  void udp_size(uint16_t size);
  void wall_stepped() { wall_stepped_ = true; }
  void failure_allowed(bool yes) { rules_.failure_allowed = yes; }
  // How long the reply to such a query may be.
  size_t limit(const ClientQuery& query, bool over_udp) const;
  // Finds what is wrong with a reply.
  void judge(const ClientQuery& query, Bytes reply, const Terms& terms);
  const Tally& tally() const { return tally_; }

 private:
  std::string judge_form(const ClientQuery& query, const MessageView& reply, size_t limit) const;
  std::string judge_opt(const ClientQuery& query, const MessageView& reply) const;
  std::string judge_answer(const ClientQuery& query, const MessageView& reply, const Terms& terms);
  std::string judge_data(const ClientQuery& query, const MessageView& reply, Duration delivery);
  bool says_with_signatures(const ClientQuery& query, const MessageView& reply,
                            const TrueAnswer& truth) const;
  bool may_fail(const ClientQuery& query) const;
  bool may_be_cut_short(const ClientQuery& query, size_t limit) const;
  struct Span {
    Instant since, until;
    Duration delivery;
  };
  std::string judge_lifetime(const MessageView& reply, const TrueAnswer& truth, Span true_in) const;
  uint32_t kept_for(const TrueAnswer& truth) const;

  Stage& stage_;
  const Truth& truth_;
  Rules rules_;
  uint16_t udp_size_ = 1232;
  std::set<uint16_t> udp_sizes_;
  bool wall_stepped_ = false;
  Tally tally_;
};

}  // namespace peregrine::sim
