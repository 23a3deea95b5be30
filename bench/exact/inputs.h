// What the benchmarks work on: a thousand names that a busy resolver knows, the queries for them, and their
// answers.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/ip.h"
#include "cache/answer.h"
#include "server/cookies.h"
#include "wire/dname.h"

namespace peregrine::exact {

inline constexpr unsigned name_count = 1000;

enum class Opt : uint8_t { none, edns, dnssec_ok, cookie };  // cookie: with a server cookie that is good

DnameBuf name(unsigned index);                       // 0..name_count-1
std::vector<std::vector<uint8_t>> queries(Opt opt);  // for the A records of all names, RD set
std::vector<uint8_t> answer(Dname qname);            // one A record, TTL 300
// The blob of an answer of `records` A records, TTL 300 at `stored_at`.
std::vector<uint8_t> blob_of(unsigned records, WallTime stored_at);
AnswerKey key(Dname qname, Opt opt, const HashSecret& secret);  // of the query with `opt`
HashSecret fixed_secret();
CookieSecrets fixed_cookie_secrets();
Endpoint client();  // who asks

}  // namespace peregrine::exact
