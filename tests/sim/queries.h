// What simulated clients ask, and what each must get.
#pragma once

#include <vector>

#include "sim/stage.h"
#include "sim/truth.h"

namespace peregrine::sim {

enum class Expect : uint8_t {
  truth,  // what Truth says, or that it could not be found out
  rcode,  // that rcode and no records
  local,  // an answer that needs no server
  silence,
};

struct ClientQuery {
  std::vector<uint8_t> octets{};
  Expect expect = Expect::truth;
  Rcode rcode = Rcode::noerror;                  // Expect::rcode, Expect::local
  bool keeps_question = true, keeps_opt = true;  // what of it the reply has, if it was there
  DnameBuf qname{};
  Type qtype = Type::a;
  uint16_t id = 0;
  bool rd = true, cd = false, edns = false, dnssec_ok = false;
  size_t udp_size = 512;  // what the OPT offers
};

class QueryMaker {
 public:
  QueryMaker(const Truth& truth, uint64_t seed);
  // Mostly sound ones for names of the truth, few of them often.
  ClientQuery any();
  ClientQuery sound();
  // The cache asked for one name; upstream servers must not be.
  ClientQuery cached(unsigned rank, Type qtype, bool dnssec_ok, bool cd);
  static std::span<const Type> types();

 private:
  DnameBuf popular_name();
  void choose_header(ClientQuery& query);
  void choose_edns(ClientQuery& query);
  std::vector<uint8_t> options();
  std::vector<uint8_t> encode(const ClientQuery& query);
  ClientQuery unsound();
  ClientQuery special();

  const Truth& truth_;
  Dice dice_;
  std::vector<uint32_t> weights_;  // running sums, by rank
};

}  // namespace peregrine::sim
