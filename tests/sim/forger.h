// A stranger who sends replies in the servers' names without seeing the queries (RFC 5452): each of them has
// something wrong. What they say must never be believed.
#pragma once

#include <array>
#include <set>
#include <utility>
#include <vector>

#include "sim/sim_network.h"
#include "wire/message_writer.h"

namespace peregrine::sim {

// What only forged and needless records carry, in whatever type.
inline constexpr std::array<uint8_t, 4> forged_v4 = {6, 6, 6, 6};
inline constexpr std::array<uint8_t, 16> forged_v6 = {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                                      0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66};
std::vector<uint8_t> forged_rdata(Type type);
bool carries_forged_data(Bytes message);
std::vector<uint8_t> forged_message(const MessageView& query, Dname qname, Type qtype);

// A datagram on its way to the resolver.
struct Flight {
  PortId port;
  Endpoint from;
  std::vector<uint8_t> octets;
};

class Forger {
 public:
  struct Powers {
    bool guesses_all = false;  // the forger sees what was sent: nothing over UDP can stop him
    bool case_matters = true;  // the resolver randomises letter case: all but the case may be guessed right
  };
  Forger(Powers powers, uint64_t seed) : powers_(powers), dice_(seed) {}

  // Something like the reply to `query`, which went from that port to that server.
  Flight forge(PortId port, const Endpoint& server, Bytes query);

 private:
  enum class Flaw : uint8_t {
    id,
    port,
    letter_case,
    qname,
    qtype,
    address,
    server_port,
    no_question,
    not_a_reply,
    none
  };
  void spoil(Flight& forged, Flaw flaw);
  uint16_t wrong_id(PortId port);

  Powers powers_;
  Dice dice_;
  std::set<std::pair<PortId, uint16_t>>
      used_;  // ids that some query had on that port: a guess of them may be right
};

}  // namespace peregrine::sim
