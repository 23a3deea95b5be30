// The queries that a generator sends, by index: those of a file, encoded once, or made up from their number,
// so that ten million take no room.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <istream>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "load/names.h"
#include "wire/dname.h"
#include "wire/message_view.h"
#include "wire/types.h"

namespace peregrine {

struct QueryForm {
  uint16_t edns_size = 1232;  // octets that the OPT offers; 0: no OPT
  bool dnssec_ok = false;
};

// Which query is asked: those of the same index are of the same name, or of its twin that does not exist.
struct Drawn {
  uint32_t index = 0;
  bool denied = false;
};

// A query's octets, with id 0.
struct EncodedQuery {
  Bytes message{};
  size_t question_end = 0;
  Dname qname() const {
    return Dname::from_checked(
        message.subspan(header_size, question_end - header_size - 2 * sizeof(uint16_t)));
  }
};

class Queries {
 public:
  using Buffer = std::array<uint8_t, 128>;  // holds any that is made up

  virtual ~Queries() = default;
  virtual uint32_t size() const = 0;  // the indexes that can be drawn more than once are below it
  // Valid while the buffer is not used again.
  virtual EncodedQuery encode(const Drawn& drawn, Buffer& buffer) const = 0;
};

// Has no names that do not exist, and nothing at size() or beyond.
class QueryList final : public Queries {
 public:
  explicit QueryList(const QueryForm& form) : form_(form) {}
  void add(Dname qname, Type qtype);

  uint32_t size() const override { return static_cast<uint32_t>(starts_.size() - 1); }
  EncodedQuery at(size_t index) const;
  EncodedQuery encode(const Drawn& drawn, Buffer&) const override { return at(drawn.index); }

 private:
  QueryForm form_;
  size_t opt_size_ = 0;
  std::vector<uint8_t> octets_;
  std::vector<size_t> starts_{0};
};

// Lines of "NAME [TYPE]"; A where there is no type; # begins a comment. The error says which line is wrong.
std::expected<QueryList, std::string> read_queries(std::istream& in, const QueryForm& form);

// A queries for made-up names.
class MadeUpQueries final : public Queries {
 public:
  struct Numbers {
    uint32_t first = 0;       // the name's number for index 0
    uint32_t count = 0;       // size()
    uint32_t once_first = 0;  // the name's number for index size(), and so on without end
  };
  MadeUpQueries(const Numbers& numbers, const QueryForm& form);

  uint32_t size() const override { return numbers_.count; }
  EncodedQuery encode(const Drawn& drawn, Buffer& buffer) const override;

 private:
  Numbers numbers_;
  std::array<uint8_t, header_size> header_{};
  std::vector<uint8_t> tail_;  // type, class and the OPT
};

}  // namespace peregrine
