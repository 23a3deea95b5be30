// Any text is a configuration or a list of errors, and what has been read without errors can be relied upon.
// The input is the file, then, each after an octet of zero, variables and overrides in turn.
#include "config/config.h"

#include <string>
#include <string_view>

#include "fuzz_input.h"

using namespace peregrine;

static ConfigSources sources_from(std::string_view input) {
  ConfigSources sources;
  sources.file_name = "f";
  const size_t end = input.find('\0');
  sources.file_text = input.substr(0, end);
  bool variable = true;
  for (size_t at = end; at != input.npos; variable = !variable) {
    const size_t next = input.find('\0', at + 1);
    const std::string part(input.substr(at + 1, next == input.npos ? next : next - at - 1));
    at = next;
    if (!variable) {
      sources.set.push_back(part);
      continue;
    }
    const size_t equals = part.find('=');
    if (equals == part.npos) continue;
    sources.environment.emplace_back("PEREGRINE_" + part.substr(0, equals), part.substr(equals + 1));
  }
  return sources;
}

static bool printable(const std::string& text) {
  for (const char c : text) {
    if (c < ' ' || c > '~') return false;
  }
  return true;
}

static void check(const Config& config) {
  require(!config.server.listen.empty());
  require(config.server.workers <= 1024);
  require(config.cache.size >= 1 << 20);
  require(config.cache.min_ttl <= config.cache.max_ttl);
  require(config.edns.udp_size >= 512 && config.edns.udp_size <= 4096);
  for (const ForwardZone& forward : config.forward) require(!forward.servers.empty());
  require(keys_that_need_a_restart(config, config).empty());
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const ConfigSources sources = sources_from(input);
  const LoadedConfig loaded = load_config(sources);
  for (const ConfigError& error : loaded.errors) {
    require(!error.message.empty() && printable(error.to_string()));
  }
  if (loaded.errors.empty()) check(loaded.config);
  require(load_config(sources).errors.size() == loaded.errors.size());
  for (const Endpoint& server : parse_resolv_conf(input)) require(server.port == 53);
  return 0;
}
