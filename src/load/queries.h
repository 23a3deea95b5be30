// The queries that a generator sends: encoded once, sent many times with new ids.
#pragma once

#include <cstdint>
#include <expected>
#include <istream>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "wire/dname.h"
#include "wire/types.h"

namespace peregrine {

struct QueryForm {
  uint16_t edns_size = 1232;  // octets that the OPT offers; 0: no OPT
  bool dnssec_ok = false;
};

class QueryList {
 public:
  explicit QueryList(const QueryForm& form) : form_(form) {}
  void add(Dname qname, Type qtype);

  size_t size() const { return starts_.size() - 1; }
  Bytes message(size_t index) const {
    return Bytes(octets_).subspan(starts_[index], starts_[index + 1] - starts_[index]);
  }
  size_t question_end(size_t index) const { return message(index).size() - opt_size_; }
  Dname qname(size_t index) const;

 private:
  QueryForm form_;
  size_t opt_size_ = 0;
  std::vector<uint8_t> octets_;
  std::vector<size_t> starts_{0};
};

// Lines of "NAME [TYPE]"; A where there is no type; # begins a comment. The error says which line is wrong.
std::expected<QueryList, std::string> read_queries(std::istream& in, const QueryForm& form);

// A queries for `count` made-up names below bench.example., of the lengths that names have; the same for the
// same `first`, and different for different indexes.
QueryList generate_queries(uint32_t first, uint32_t count, const QueryForm& form);
DnameBuf generated_name(uint32_t index);

// The address that NameResponder answers with: 10.0.0.0/8, from the name's octets without their case.
uint32_t address_of_name(Dname qname);

}  // namespace peregrine
