// Replies for scripted servers, written as text.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer_pool.h"
#include "resolve/fake_network.h"
#include "wire/message_writer.h"
#include "wire/wire_support.h"

namespace peregrine {

// "www.example. 300 A 192.0.2.1". "RRSIG(A)" instead of a type and its rdata stands for a signature that
// covers A. Throws where it cannot be read.
struct Record {
  explicit Record(std::string_view text);
  DnameBuf owner;
  uint32_t ttl = 0;
  Type type = Type::a;
  Octets rdata;
};

struct ReplyScript {
  Rcode rcode = Rcode::noerror;
  std::vector<std::string> answer = {};
  std::vector<std::string> authority = {};
  std::vector<std::string> additional = {};
  bool truncated = false;
  bool authentic = false;
  bool edns = true;  // an OPT, if the query had one
  std::optional<Ede> ede = std::nullopt;
  bool question = true;
};

// A reply to the query with its id and question, letter case included.
Octets reply_to(Bytes query, const ReplyScript& script);
Buffer query_for(std::string_view qname, Type qtype = Type::a);

// A server that always says the same.
FakeServer always(ReplyScript script, Duration delay = std::chrono::milliseconds(10));
FakeServer answering(std::string record, Duration delay = std::chrono::milliseconds(10));
// Over UDP and over TCP.
FakeServer by_transport(FakeServer udp, FakeServer tcp);

Endpoint endpoint(std::string_view text);  // port 53 unless it says another
MessageView parsed(Bytes message);         // throws where it is no message
std::vector<std::string> answer_of(Bytes message);

}  // namespace peregrine
