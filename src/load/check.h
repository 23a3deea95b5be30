// Is a reply right? A fast wrong answer is a loss.
#pragma once

#include <cstdint>
#include <string_view>

#include "load/queries.h"

namespace peregrine {

enum class Verdict : uint8_t {
  right,
  malformed,  // no message, no reply, or octets behind it
  question,   // not the one that was asked, letter case included
  truncated,
  rcode,  // not NOERROR; of a name that does not exist, not NXDOMAIN
  empty,  // no RR in the answer section
  rdata,  // no A record with the address expected; of a name that does not exist, any record
};
inline constexpr size_t verdict_count = 7;
std::string_view to_string(Verdict verdict);

// What is expected of the replies. A name that is_denied() is expected not to exist, but by question().
class Expectation {
 public:
  static Expectation question() { return {Kind::question, 0}; }  // QR and the question: for an echo
  static Expectation answer() { return {Kind::answer, 0}; }      // NOERROR and at least one RR as the answer
  // That, and an A record with an address:
  static Expectation address_of_name() { return {Kind::name, 0}; }    // which the upstream gives
  static Expectation address_of_index() { return {Kind::index, 0}; }  // 10.0.0.0/8 and the query's index
  static Expectation address(uint32_t address) { return {Kind::address, address}; }

  // `reply` has the right id; `index` is that of the query.
  Verdict judge(Bytes reply, const EncodedQuery& query, uint32_t index) const;

 private:
  enum class Kind : uint8_t { question, answer, name, index, address };
  Expectation(Kind kind, uint32_t address) : kind_(kind), address_(address) {}
  bool is_expected(const MessageView& reply, const EncodedQuery& query, uint32_t index) const;

  Kind kind_;
  uint32_t address_;
};

}  // namespace peregrine
