// Is a reply right? A fast wrong answer is a loss.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "load/query_list.h"
#include "wire/message_view.h"

namespace peregrine {

enum class Verdict : uint8_t {
  right,
  malformed,  // no message, no reply, or octets behind it
  question,   // not the one that was asked, letter case included
  truncated,
  rcode,  // not NOERROR
  empty,  // no RR in the answer section
  rdata,  // no A record with the address expected
};
inline constexpr size_t verdict_count = 7;
std::string_view to_string(Verdict verdict);

// What is expected of the replies.
class Expectation {
 public:
  enum class Kind : uint8_t {
    question,  // QR and the question, whatever the rest is: for an echo
    answer,    // NOERROR and at least one RR in the answer section
    address,   // that, and an A record with the address that belongs to the query
  };
  static Expectation question() { return Expectation(Kind::question, {}); }
  static Expectation answer() { return Expectation(Kind::answer, {}); }
  static Expectation address_of_name(const QueryList& queries);   // what NameResponder gives
  static Expectation address_of_index(const QueryList& queries);  // 10.0.0.0/8 and the query's index
  static Expectation address(const QueryList& queries, uint32_t address);

  // `reply` has the right id.
  Verdict judge(Bytes reply, const QueryList& queries, uint32_t index) const;

 private:
  Expectation(Kind kind, std::vector<uint32_t> addresses) : kind_(kind), addresses_(std::move(addresses)) {}
  Kind kind_;
  std::vector<uint32_t> addresses_;  // by the query's index
};

}  // namespace peregrine
