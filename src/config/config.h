// The configuration: one TOML file, checked whole, with every key in one table.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/buffer_pool.h"
#include "base/flags.h"
#include "base/ip.h"
#include "base/log.h"
#include "wire/dname.h"

namespace peregrine {

// "udp://", "tcp://" or nothing (both) before an address. Other transports have schemes of their own.
enum class ListenScheme : uint8_t { udp_and_tcp, udp, tcp };
struct ListenAddress {
  ListenScheme scheme = ListenScheme::udp_and_tcp;
  Endpoint at;
  bool operator==(const ListenAddress&) const = default;
};

struct ForwardZone {
  DnameBuf zone;                  // "." for everything
  std::vector<Endpoint> servers;  // port 53 where none is given
  bool first = false;             // of [[forward]]: recursion where they fail
  bool operator==(const ForwardZone&) const = default;
};

// Where something stands in the configuration, for messages. Any two are equal: what is said is the same
// elsewhere.
struct Written {
  std::string source;             // as in ConfigError
  unsigned line = 0, column = 0;  // 0: not in a file
  bool operator==(const Written&) const { return true; }
};

struct LocalRecord {
  std::string text;  // "owner [TTL] [class] type rdata"; checked where zones are made, not here
  Written at;
  bool operator==(const LocalRecord&) const = default;
};

// A zone of one's own: either records or a file.
struct LocalZone {
  DnameBuf zone;
  std::vector<LocalRecord> records{};
  std::string file{};  // a master file's absolute path
  Written at{};
  bool operator==(const LocalZone&) const = default;
};

// How much of a name is shown to servers that only know the way to it (RFC 9156).
enum class QnameMinimisation : uint8_t { off, relaxed, strict };

// What flags.udp_steering goes by.
enum class SteeringKey : uint8_t { flow, cpu };

struct Config {
  Profile profile = Profile::production;
  struct Server {
    std::vector<ListenAddress> listen;  // 127.0.0.1:1053 and [::1]:1053 when not configured
    bool listen_is_default = true;      // then an address that the kernel lacks is skipped, not an error
    unsigned workers = 0;               // 0: one per core that the process may use
    std::string user;                   // drop to this user after binding; empty: stay
    std::string state_dir;              // empty: a directory below /run or $XDG_RUNTIME_DIR
    unsigned batch = 32;                // datagrams taken from the kernel at once
    std::vector<unsigned> cpus;         // for flags.cpu_affinity; empty: in order
    SteeringKey steering = SteeringKey::flow;
    uint64_t receive_buffer = 4 << 20;  // octets, of each listening UDP socket
    unsigned tcp_sessions = 1024;       // per worker
    unsigned tcp_sessions_per_client = 64;
    std::chrono::milliseconds tcp_idle{10'000};
    unsigned drain_seconds = 5;  // how long a stop waits for running resolutions
    bool operator==(const Server&) const = default;
  } server;
  struct Access {
    std::vector<Prefix> allow;  // 127.0.0.0/8 and ::1 when not configured
    bool operator==(const Access&) const = default;
  } access;
  struct Cache {
    uint64_t size = 256ull << 20;  // octets
    std::string file;              // empty: none
    std::chrono::seconds min_ttl{0};
    std::chrono::seconds max_ttl{86'400};
    std::chrono::seconds max_negative_ttl{3'600};
    bool operator==(const Cache&) const = default;
  } cache;
  std::vector<ForwardZone> forward;  // empty, and no recursion: the servers of /etc/resolv.conf, for "."
  struct Recursion {
    bool enabled = true;
    QnameMinimisation qname_minimisation = QnameMinimisation::relaxed;
    std::vector<Endpoint> root_servers;  // empty: those built in
    uint16_t port = 53;                  // of authoritative servers
    bool query_private = false;
    bool verify_glue = false;
    std::string root_hints;  // a master file with other hints than those built in; empty: none
    std::string local_root;  // the root zone's master file (RFC 8806); empty: none
    bool operator==(const Recursion&) const = default;
  } recursion;
  std::vector<ForwardZone> stub;  // zones whose authoritative servers are given
  std::vector<LocalZone> local;
  struct Resolver {
    unsigned queries_in_flight = 8'192;        // resolutions of one worker at a time
    unsigned waiters_per_query = 1'000;        // clients that wait for one resolution
    std::chrono::milliseconds timeout{5'000};  // for a client's query in all
    unsigned udp_sockets = 1'024;              // random source ports of one worker, and family
    bool randomise_case = true;                // 0x20
    bool operator==(const Resolver&) const = default;
  } resolver;
  struct EdnsSettings {
    uint16_t udp_size = 1232;  // octets, at most 1400: what we offer, and the most that we send
    bool operator==(const EdnsSettings&) const = default;
  } edns;
  BufferLimits buffers{};  // what each worker keeps, with flags.thread_local_buffers
  struct Log {
    LogLevel level = LogLevel::info;
    bool operator==(const Log&) const = default;
  } log;
  FlagSet flags;
  bool operator==(const Config&) const = default;
};

// One thing wrong with a configuration, where, and what would be right.
struct ConfigError {
  std::string source;             // the file's name, "--set", "environment"; empty where the message says it
  unsigned line = 0, column = 0;  // 0: not in a file
  std::string message;            // "unknown key server.worker; did you mean server.workers?"
  std::string to_string() const;  // "peregrine.toml:3:1: unknown key ..."
};

// The sources in the order of their precedence, weakest first: file, environment, command line.
struct ConfigSources {
  std::string file_name;                    // for messages
  std::string file_text;                    // TOML, at most 1 MiB; empty for none
  std::optional<ConfigError> unreadable{};  // why there is no file_text though a file was asked for
  // PEREGRINE_SERVER__WORKERS=2 and so on. Names without that prefix are ignored; with it, a name that stands
  // for no key is an error, except PEREGRINE_KERNEL and PEREGRINE_SOAK and what Kubernetes sets for a service
  // of that name.
  std::vector<std::pair<std::string, std::string>> environment;
  // "server.workers=2". Here and in the environment, a value is TOML, or if it is not, a string as it stands;
  // a list may be one element without brackets.
  std::vector<std::string> set;
};

struct LoadedConfig {
  Config config;                    // meaningful only without errors
  std::vector<ConfigError> errors;  // all of them, in order of place
};
// Deterministic, reads nothing but its argument, takes any text. Errors of the file come first, by line and
// column, then those of the environment and of `set` in their order. Where values clash (a forward server
// that is one of our own addresses, say) is complained about only if these values could be read. After 1000
// errors one more says how many are left out.
LoadedConfig load_config(const ConfigSources& sources);
// Reads the file (none if empty) and this process's environment. That the file cannot be read is not an error
// here: load_config reports it.
ConfigSources gather_config_sources(const std::string& file, const std::vector<std::string>& set);

// The keys whose values differ between two configurations and that a running server cannot change.
std::vector<std::string> keys_that_need_a_restart(const Config& running, const Config& wanted);

// One row per key, for documentation, overrides and messages.
struct KeyRow {
  std::string_view key;       // "server.workers"; "forward[].zone" in tables that repeat
  std::string_view form;      // "number", "list of addresses", "size in octets: 256 MiB", ...
  std::string_view built_in;  // the default, as TOML
  std::string_view help;
  bool live;  // whether a reload changes it
};
std::span<const KeyRow> config_keys();

// The nameservers of a resolv.conf's text (man 5 resolv.conf), port 53; lines that cannot be read are
// skipped.
std::vector<Endpoint> parse_resolv_conf(std::string_view text);

}  // namespace peregrine
