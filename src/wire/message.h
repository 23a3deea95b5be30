// A DNS message that owns its parts: the baseline of the flag zero_copy_parsing, and for who changes messages
// or keeps them longer than the buffer that they came in. MessageView is the same without copies; each
// accepts what the other does and tells the same of it. RFC 1035 section 4, RFC 6891 section 6.1.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/message_view.h"

namespace peregrine {

class MessageWriter;

class Message {
 public:
  struct Record {
    DnameBuf owner;
    Type type{};
    Class rclass{};
    uint32_t ttl = 0;            // as on the wire: see effective_ttl()
    bool well_formed = false;    // the rdata is what its type allows
    std::vector<uint8_t> rdata;  // its names expanded; where it is not well formed, as it was found
  };

  // Copies out of `message`, which need not outlive it. Memory and time are linear in the message's size.
  // The errors of MessageView::parse, for the same messages.
  static Result<Message> parse(Bytes message);

  const Header& header() const { return header_; }
  bool has_question() const { return qname_.has_value(); }
  // Only if has_question(). Its name is a view of this message.
  Question question() const& { return {*qname_, qtype_, qclass_}; }
  Question question() const&& = delete;
  size_t question_end() const { return question_end_; }  // offset in the octets that were parsed
  // Its options are a view of this message.
  std::optional<Edns> edns() const&;
  std::optional<Edns> edns() const&& = delete;
  Rcode rcode() const;  // with the OPT's upper bits
  bool has_trailing_octets() const { return has_trailing_octets_; }
  // Of answer, authority or additional. The OPT is among them.
  const std::vector<Record>& section(Section s) const { return sections_[static_cast<size_t>(s) - 1]; }

  // Adds all of it to `writer`, which must be new, and returns the size. What a header has beside its fields
  // (the Z bit) and trailing octets are left out. bad_rdata: a record is not well formed; no_space
  Result<size_t> write(MessageWriter& writer) const;

 private:
  class Parser;

  Header header_;
  std::optional<DnameBuf> qname_;
  Type qtype_{};
  Class qclass_{};
  size_t question_end_ = header_size;
  std::array<std::vector<Record>, 3> sections_;
  std::optional<Edns> edns_;  // but for its options
  std::vector<uint8_t> options_;
  bool has_trailing_octets_ = false;
};

}  // namespace peregrine
