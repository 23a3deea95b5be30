// Text for people: numbers with units, tables, and what came from elsewhere made safe for a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace peregrine {

// Control characters (those of UTF-8's second block too) as \xHH: nothing can move the cursor, or begin a
// line.
std::string safe_for_terminal(std::string_view text);

std::string octets_text(uint64_t octets);      // "512 octets", "1.5 KiB", "256 MiB"
std::string milliseconds_text(double millis);  // "0.21 ms", "12.3 ms", "1.25 s"
std::string uptime_text(double seconds);       // "12 s", "3 min 5 s", "4 h 10 min", "12 d 3 h"
std::string count_text(uint64_t count, std::string_view what);  // "1 worker", "2 workers"

// Columns as wide as their widest cell, two blanks apart, no blanks at the end of a line; the first row is
// the heading.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace peregrine
