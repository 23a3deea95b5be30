// Real packets: what NSD answered (make_packets.py), and the queries.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace peregrine::bench {

// By the name of its file without .hex: query, referral, ... Throws where there is none, or where it cannot
// be parsed.
std::vector<uint8_t> packet(std::string_view name);

// That answer as the forwarder takes it: what belongs to the question, without OPT. Throws where nothing
// does.
std::vector<uint8_t> answer_of(std::string_view name);

// The blob that the cache keeps of that answer, stored at `stored_at`. Throws where it is none to be kept.
std::vector<uint8_t> cached(std::string_view name, WallTime stored_at);

}  // namespace peregrine::bench
