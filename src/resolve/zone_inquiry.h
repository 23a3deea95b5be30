// One question put to the servers of one zone, best first, until one of them says something of use. Addresses
// of servers that came without glue are looked up when those at hand do not help.
#pragma once

#include <set>
#include <vector>

#include "resolve/recursor.h"

namespace peregrine {

class ZoneInquiry {
 public:
  ZoneInquiry(Recursor& recursor, Recursor::JobPtr job, Recursor::QuestPtr quest, Delegation zone,
              const Minimiser::Ask& ask);

  // A reading that is neither lame nor empty, unless nobody says more.
  Task<Recursor::Found> run();

 private:
  // Addresses of a name server that are being looked up, A and AAAA side by side.
  struct AddressLookup {
    std::vector<IpAddress> found;
    unsigned running = 0;
    Promise<bool> news;  // one of them has ended
  };
  static Task<void> look_up(Recursor* recursor, Recursor::JobPtr job, Recursor::QuestPtr quest,
                            std::shared_ptr<AddressLookup> lookup);

  // RFC 9609 section 3.
  bool is_priming() const { return qname_.view().is_root() && question_.qtype == Type::ns; }
  bool spent() const { return job_->budget.spent(recursor_.tools_.clock.now()); }
  std::vector<IpAddress> known_addresses(Dname server) const;
  void add_known_addresses();
  bool may_be_asked(const IpAddress& address) const;
  void add_unverified();
  bool is_believed(const NameServer& glue) const;
  void add(std::span<const IpAddress> addresses, uint16_t port = 0);
  Task<std::optional<Recursor::Found>> ask_all();
  Task<bool> find_more_addresses();
  bool begin_lookup();
  std::optional<Recursor::Found> take(const Race::Outcome& outcome);
  Result<Reading> read(const MessageView& reply, TracePlace query) const;
  Recursor::Found failure() const;

  Recursor& recursor_;
  Recursor::JobPtr job_;
  Recursor::QuestPtr quest_;
  Delegation zone_;
  DnameBuf qname_;
  TalkQuestion question_;
  TracePlace place_;
  std::vector<DnameBuf> names_;  // of servers whose addresses are not known
  std::shared_ptr<AddressLookup> lookup_;
  std::vector<IpAddress> unverified_;
  std::vector<Endpoint> untried_, silent_;
  std::set<Endpoint> seen_;
  unsigned round_ = 0;
  size_t asked_ = 0;
  bool had_reply_ = false;
  std::optional<Reading> last_resort_;
  std::optional<Endpoint> last_resort_server_;
};

// Whether a server that others name may be asked there: not this machine, nor a private network.
bool is_public(const IpAddress& address);

}  // namespace peregrine
