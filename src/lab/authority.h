// What each server of a plan replies, octets in, octets out: its zones by RFC 1034 section 4.3.2, and its
// conduct. What takes time or chance (delay, loss) is the responder's. Immutable once made; any number of
// threads may read.
#pragma once

#include <map>
#include <vector>

#include "io/transport.h"
#include "lab/plan.h"

namespace peregrine {

class Authority {
 public:
  explicit Authority(
      InternetPlan plan);  // throws std::invalid_argument for a plan whose records cannot be read

  const InternetPlan& plan() const { return plan_; }
  // The size of the reply in `out`, which has room for any message; 0: silence. A reply over UDP has no more
  // octets than the query allows, and 1,232 at most.
  size_t reply(size_t server, Bytes query, Transport transport, MutableBytes out) const;

 private:
  struct ByOrder {
    bool operator()(const DnameBuf& a, const DnameBuf& b) const { return canonical_compare(a, b) < 0; }
  };
  using Served = std::map<DnameBuf, const Zone*, ByOrder>;

  const Zone* zone_for(const Served& served, const Question& question) const;
  size_t write(size_t server, const MessageView& query, Transport transport, MutableBytes out) const;
  size_t spoil(size_t server, const MessageView& query, Bytes reply, MutableBytes room) const;
  bool is_empty_non_terminal(size_t server, const Question& question) const;

  InternetPlan plan_;
  std::vector<Zone> zones_;
  std::vector<Served> served_;  // of each server
};

}  // namespace peregrine
