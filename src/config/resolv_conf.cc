#include <algorithm>

#include "config/config.h"

namespace peregrine {
namespace {

constexpr std::string_view blanks = " \t\r";
constexpr uint16_t dns_port = 53;

std::optional<Endpoint> nameserver(std::string_view line) {
  constexpr std::string_view keyword = "nameserver";
  if (!line.starts_with(keyword)) return std::nullopt;
  line.remove_prefix(keyword.size());
  const size_t start = line.find_first_not_of(blanks);
  if (start == 0 || start == line.npos) return std::nullopt;
  line.remove_prefix(start);
  const std::string_view text = line.substr(0, line.find_first_of(" \t\r;#"));
  // Ports and brackets are no part of this file's syntax, though an Endpoint could read them.
  if (!IpAddress::parse(text.substr(0, text.find('%')))) return std::nullopt;
  const auto endpoint = Endpoint::parse(text, dns_port);
  if (!endpoint) return std::nullopt;
  return *endpoint;
}

}  // namespace

std::vector<Endpoint> parse_resolv_conf(std::string_view text) {
  std::vector<Endpoint> servers;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (auto server = nameserver(text.substr(0, end))) servers.push_back(*server);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return servers;
}

}  // namespace peregrine
