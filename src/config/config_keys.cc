#include <algorithm>
#include <array>
#include <concepts>
#include <deque>

#include "config/config.h"
#include "config/key_table.h"
#include "config/suggest.h"
#include "config/value_readers.h"

namespace peregrine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr bool live = true;
constexpr bool restart = false;
constexpr int64_t longest_ttl = 0x7fff'ffff;  // RFC 2181 section 8

template <class Field, class Value>
void store(Field& field, Value value) {
  // Numbers fit: the reader's limits are within the field's.
  if constexpr (std::integral<Field> && std::integral<Value>) {
    field = static_cast<Field>(value);
  } else if constexpr (std::integral<Field>) {
    field = static_cast<Field>(value.count());
  } else {
    field = std::move(value);
  }
}

template <auto Section, auto Field, auto Read>
bool take_value(const Row& row, const TomlValue& value, Loading& loading) {
  auto read = Read(value);
  if (!read) {
    loading.complain(value.place, must_be(loading, row.doc, value));
    return false;
  }
  store(loading.config.*Section.*Field, *std::move(read));
  return true;
}

// An override may give one element without brackets.
template <auto Section, auto Field, auto Read>
bool take_list(const Row& row, const TomlValue& value, Loading& loading) {
  const auto* list = value.get<TomlList>();
  if (list == nullptr && value.written.empty()) {
    loading.complain(value.place, must_be(loading, row.doc, value));
    return false;
  }
  auto& field = loading.config.*Section.*Field;
  field.clear();
  bool good = true;
  for (const TomlValue& element : list != nullptr ? std::span(*list) : std::span(&value, 1)) {
    if (auto read = Read(element)) {
      store(field.emplace_back(), *std::move(read));
    } else {
      loading.complain(element.place, bad_element(loading, row.doc, element));
      good = false;
    }
  }
  return good;
}

template <auto Section, auto Field>
bool same(const Row&, const Config& a, const Config& b) {
  return a.*Section.*Field == b.*Section.*Field;
}

bool take_listen(const Row& row, const TomlValue& value, Loading& loading) {
  loading.config.server.listen_is_default = false;
  return take_list<&Config::server, &Config::Server::listen, ReadListen{}>(row, value, loading);
}

bool take_profile(const Row& row, const TomlValue& value, Loading& loading) {
  const auto profile = ReadProfile{}(value);
  if (profile) {
    loading.config.profile = *profile;
  } else {
    loading.complain(value.place, must_be(loading, row.doc, value));
  }
  return profile.has_value();
}

bool take_flag(const Row& row, const TomlValue& value, Loading& loading) {
  const auto on = ReadBoolean{}(value);
  if (on) {
    loading.flags.push_back({*row.flag, *on, loading.origin});
  } else {
    loading.complain(value.place, must_be(loading, row.doc, value));
  }
  return on.has_value();
}

bool same_flag(const Row& row, const Config& a, const Config& b) {
  return a.flags.wanted(*row.flag) == b.flags.wanted(*row.flag);
}

template <auto Section, auto Field, auto Read>
constexpr Row value_row(KeyRow doc) {
  return {doc, take_value<Section, Field, Read>, same<Section, Field>};
}

template <auto Field, auto Read>
constexpr Row server_row(KeyRow doc) {
  return value_row<&Config::server, Field, Read>(doc);
}

template <auto Field, auto Read>
constexpr Row cache_row(KeyRow doc) {
  return value_row<&Config::cache, Field, Read>(doc);
}

template <auto Field, auto Read>
constexpr Row resolver_row(KeyRow doc) {
  return value_row<&Config::resolver, Field, Read>(doc);
}

using Server = Config::Server;
using Cache = Config::Cache;
using Recursion = Config::Recursion;
using Resolver = Config::Resolver;

// clang-format off
constexpr Row rows[] = {
  {{"profile", "one of \"dev\", \"staging\", \"production\", \"full\"", "\"production\"",
    "The set of defaults for the flags", restart},
   take_profile, [](const Row&, const Config& a, const Config& b) { return a.profile == b.profile; }},

  {{"server.listen", "a list of addresses, such as \"192.0.2.1\", \"[::1]:5353\" or \"udp://127.0.0.1:53\"",
    "[\"127.0.0.1:1053\", \"[::1]:1053\"]",
    "Where queries are taken: UDP and TCP, or one of them with udp:// or tcp://; port 53 where none is given, 0 for "
    "any free port", restart},
   take_listen, same<&Config::server, &Server::listen>},
  server_row<&Server::workers, ReadNumber{0, 1024}>({"server.workers", "a number from 0 to 1024", "0",
    "Worker threads; 0 for one per core that the process may use", restart}),
  server_row<&Server::user, ReadUser{}>({"server.user", "a user's name", "\"\"",
    "The user to become once the sockets are bound; empty to stay", restart}),
  server_row<&Server::state_dir, ReadPath{}>({"server.state_dir", "an absolute path", "\"\"",
    "The directory of the control socket; empty for one below /run or $XDG_RUNTIME_DIR", restart}),
  server_row<&Server::batch, ReadNumber{1, 1024}>({"server.batch", "a number from 1 to 1024", "32",
    "Datagrams taken from the kernel at once", restart}),
  {{"server.cpus", "a list of numbers from 0 to 1023", "[]",
    "The CPUs of the workers, in their order, for flags.cpu_affinity; empty for all in order", restart},
   take_list<&Config::server, &Server::cpus, ReadNumber{0, 1023}>, same<&Config::server, &Server::cpus>},
  server_row<&Server::steering, ReadSteering{}>({"server.steering", "one of \"flow\", \"cpu\"", "\"flow\"",
    "What flags.udp_steering picks a worker by: the client's address and port, or the CPU that the datagram came in on",
    restart}),
  server_row<&Server::receive_buffer, ReadSize{4096, 1 << 30}>({"server.receive_buffer",
    "a size from \"4 KiB\" to \"1 GiB\"", "\"4 MiB\"",
    "What the kernel may hold for each listening UDP socket, each way, while its worker is busy", restart}),
  server_row<&Server::tcp_sessions, ReadNumber{1, 1'000'000}>({"server.tcp_sessions", "a number from 1 to 1000000",
    "1024", "TCP sessions of one worker at a time", live}),
  server_row<&Server::tcp_sessions_per_client, ReadNumber{1, 1'000'000}>({"server.tcp_sessions_per_client",
    "a number from 1 to 1000000", "64",
    "TCP sessions that one IPv4 address or IPv6 /64 may have with one worker", live}),
  server_row<&Server::tcp_idle, ReadDuration<milliseconds>{1, 3'600'000}>({"server.tcp_idle",
    "a duration from \"1ms\" to \"1h\"", "\"10s\"", "A TCP session without a query is closed after this time",
    live}),
  server_row<&Server::drain_seconds, ReadDuration<seconds>{0, 3'600}>({"server.drain",
    "a duration in whole seconds from \"0s\" to \"1h\"", "\"5s\"",
    "How long a stop waits for the resolutions that run", live}),

  {{"access.allow", "a list of address ranges without host bits, such as \"192.0.2.0/24\"",
    "[\"127.0.0.0/8\", \"::1\"]", "The clients that get answers; all others are refused", live},
   take_list<&Config::access, &Config::Access::allow, ReadPrefix{}>, same<&Config::access, &Config::Access::allow>},

  cache_row<&Cache::size, ReadSize{1 << 20, 1ull << 40}>({"cache.size",
    "a size from \"1 MiB\" to \"1 TiB\"", "\"256 MiB\"",
    "Memory for answers, all workers together; at most 64 GiB with flags.lock_free_cache", restart}),
  cache_row<&Cache::file, ReadPath{}>({"cache.file", "an absolute path", "\"\"",
    "Where the cache survives a restart; empty for nowhere. Needs flags.lock_free_cache", restart}),
  cache_row<&Cache::min_ttl, ReadDuration<seconds>{0, longest_ttl}>({"cache.min_ttl",
    "a duration in whole seconds up to 2147483647", "\"0s\"", "Answers are kept for at least this time", live}),
  cache_row<&Cache::max_ttl, ReadDuration<seconds>{0, longest_ttl}>({"cache.max_ttl",
    "a duration in whole seconds up to 2147483647", "\"1d\"", "Answers are kept for at most this time", live}),
  cache_row<&Cache::max_negative_ttl, ReadDuration<seconds>{0, longest_ttl}>({"cache.max_negative_ttl",
    "a duration in whole seconds up to 2147483647", "\"1h\"",
    "Answers that a name or type does not exist are kept for at most this time", live}),

  {{"forward", "a list of tables, each written [[forward]], with zone and servers", "[]",
    "Other resolvers that are asked, by zone; without recursion and any of these the servers of /etc/resolv.conf", live},
   take_forward, [](const Row&, const Config& a, const Config& b) { return a.forward == b.forward; }},
  {{"forward[].zone", "a domain name, such as \"example.com\", or \".\" for everything", "",
    "The queries at or below this name; the longest match decides", live}},
  {{"forward[].servers", "a list of addresses, such as \"192.0.2.53\" or \"[2001:db8::1]:5353\"", "",
    "The servers that these queries are sent to; port 53 where none is given", live}},
  {{"forward[].first", "true or false", "",
    "Whether these queries are resolved by recursion where the servers fail; needs recursion", live}},

  value_row<&Config::recursion, &Recursion::enabled, ReadBoolean{}>({"recursion.enabled", "true or false", "true",
    "Whether names that no [[forward]] has are resolved from the root, and not by the servers of /etc/resolv.conf", live}),
  value_row<&Config::recursion, &Recursion::qname_minimisation, ReadMinimisation{}>({"recursion.qname_minimisation",
    "one of \"off\", \"relaxed\", \"strict\"", "\"relaxed\"",
    "How much of a name is shown to servers that only know the way to it; strict believes them that it does not exist (RFC 9156)",
    live}),
  {{"recursion.root_servers", "a list of addresses, such as \"198.41.0.4\"", "[]",
    "The servers of the root; empty for those built in, which are asked who they are now", live},
   take_list<&Config::recursion, &Recursion::root_servers, ReadServer{}>,
   same<&Config::recursion, &Recursion::root_servers>},
  value_row<&Config::recursion, &Recursion::port, ReadNumber{1, 65'535}>({"recursion.port", "a number from 1 to 65535", "53",
    "The port of authoritative servers, for networks of one's own", live}),
  value_row<&Config::recursion, &Recursion::query_private, ReadBoolean{}>({"recursion.query_private", "true or false", "false",
    "Whether servers at loopback, private and link-local addresses are asked that other servers name", live}),
  value_row<&Config::recursion, &Recursion::verify_glue, ReadBoolean{}>({"recursion.verify_glue", "true or false", "false",
    "Whether addresses that a parent gives of servers outside of the zone that they serve are looked up all the same", live}),
  value_row<&Config::recursion, &Recursion::root_hints, ReadPath{}>({"recursion.root_hints", "an absolute path", "\"\"",
    "A file of root hints, in the form of named.root, instead of those built in; root_servers come first", live}),
  value_row<&Config::recursion, &Recursion::local_root, ReadPath{}>({"recursion.local_root", "an absolute path", "\"\"",
    "The root zone's file, which is asked instead of the root's servers while it is not older than its SOA allows (RFC 8806)",
    live}),
  {{"stub", "a list of tables, each written [[stub]], with zone and servers", "[]",
    "Zones whose authoritative servers are given, whatever their parents say", live},
   take_stub, [](const Row&, const Config& a, const Config& b) { return a.stub == b.stub; }},
  {{"stub[].zone", "a domain name, such as \"example.com\"", "",
    "The queries at or below this name; the longest match of [[stub]] and [[forward]] decides", live}},
  {{"stub[].servers", "a list of addresses, such as \"192.0.2.53\"", "",
    "The zone's authoritative servers; port 53 where none is given", live}},
  {{"local", "a list of tables, each written [[local]], with zone and records or file", "[]",
    "Zones that are answered from here: names of your own", live},
   take_local, [](const Row&, const Config& a, const Config& b) { return a.local == b.local; }},
  {{"local[].zone", "a domain name, such as \"home.example\"", "",
    "The names at or below it are answered from this zone, and nowhere else", live}},
  {{"local[].records", "a list of records, such as \"www A 192.0.2.1\" or \"@ 300 MX 10 mail\"", "",
    "The zone's records: name, TTL if not one hour, type and data", live}},
  {{"local[].file", "an absolute path", "",
    "A master file with the zone's records, instead of records; read at start and at each reload", live}},

  resolver_row<&Resolver::timeout, ReadDuration<milliseconds>{1, 60'000}>({"resolver.timeout",
    "a duration from \"1ms\" to \"1m\"", "\"5s\"", "The time for a client's query in all", live}),
  resolver_row<&Resolver::queries_in_flight, ReadNumber{1, 1'000'000}>({"resolver.queries_in_flight",
    "a number from 1 to 1000000", "8192", "Resolutions of one worker at a time", live}),
  resolver_row<&Resolver::waiters_per_query, ReadNumber{1, 1'000'000}>({"resolver.waiters_per_query",
    "a number from 1 to 1000000", "1000", "Clients that wait for one resolution", live}),
  resolver_row<&Resolver::udp_sockets, ReadNumber{1, 65'535}>({"resolver.udp_sockets",
    "a number from 1 to 65535", "1024", "Sockets on random ports, for each worker and address family", restart}),
  resolver_row<&Resolver::randomise_case, ReadBoolean{}>({"resolver.randomise_case", "true or false", "true",
    "Random letter case in names that are sent (0x20), against forged answers", live}),

  value_row<&Config::edns, &Config::EdnsSettings::udp_size, ReadNumber{512, 1400}>({"edns.udp_size",
    "a number from 512 to 1400", "1232", "Octets: the UDP message size that is offered, and the most that is sent; "
    "above 1400 a path might need fragments (RFC 9715)", live}),
  value_row<&Config::buffers, &BufferLimits::small, ReadNumber{0, 100'000}>({"buffers.small",
    "a number from 0 to 100000", "100", "Free buffers of 512 octets that each worker keeps for their next use", restart}),
  value_row<&Config::buffers, &BufferLimits::medium, ReadNumber{0, 100'000}>({"buffers.medium",
    "a number from 0 to 100000", "50", "The same of 1024 octets", restart}),
  value_row<&Config::buffers, &BufferLimits::large, ReadNumber{0, 100'000}>({"buffers.large",
    "a number from 0 to 100000", "20", "The same of 4096 octets", restart}),
  value_row<&Config::log, &Config::Log::level, ReadLogLevel{}>({"log.level",
    "one of \"debug\", \"info\", \"warning\", \"error\"", "\"info\"", "The least severe messages that are written",
    live}),
};
// clang-format on

std::vector<Row> rows_with_flags() {
  static std::deque<std::string> names;
  std::vector<Row> all(std::begin(rows), std::end(rows));
  for (const FlagRow& f : flag_rows()) {
    const bool by_default = f.defaults[static_cast<size_t>(Profile::production)];
    const KeyRow doc{names.emplace_back("flags." + std::string(f.name)), "true or false",
                     by_default ? "true" : "false", f.summary, f.scope == FlagScope::live};
    all.push_back({doc, take_flag, same_flag, f.flag});
  }
  return all;
}

constexpr std::string_view leaf(std::string_view key) { return key.substr(key.rfind('.') + 1); }
bool in_repeated_table(std::string_view key) { return key.contains("[]."); }

std::vector<std::string_view> names_of_keys_and_tables() {
  std::vector<std::string_view> names;
  for (const Row& row : key_table()) {
    const std::string_view key = row.doc.key;
    const std::string_view table = key.substr(0, key.find('.'));
    if (is_table_name(table) && std::ranges::find(names, table) == names.end()) names.push_back(table);
    names.push_back(key);
  }
  return names;
}

std::optional<std::string_view> nearest_key(std::string_view unknown) {
  static const std::vector<std::string_view> names = names_of_keys_and_tables();
  const bool repeated = in_repeated_table(unknown);
  const size_t limit = std::clamp<size_t>(unknown.size() / 4, 1, 3);
  size_t best = limit + 1;
  std::optional<std::string_view> nearest;
  std::optional<std::string_view> elsewhere;  // the right name, but in the wrong table, or in none
  for (const std::string_view name : names) {
    if (in_repeated_table(name) != repeated) continue;
    const bool same_leaf = name.contains('.') && leaf(name) == leaf(unknown);
    if (same_leaf && !elsewhere) elsewhere = name;
    const size_t distance = edit_distance(unknown, name, limit);
    if (distance >= best) continue;
    best = distance;
    nearest = name;
  }
  return nearest ? nearest : elsewhere;
}

std::string must_be_form(const Loading& loading, const KeyRow& key) {
  return loading.name(key.key) + " must be " + std::string(key.form);
}

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

std::span<const Row> key_table() {
  static const std::vector<Row> all = rows_with_flags();
  return all;
}

std::span<const KeyRow> config_keys() {
  static const std::vector<KeyRow> keys = [] {
    std::vector<KeyRow> docs;
    for (const Row& row : key_table()) docs.push_back(row.doc);
    return docs;
  }();
  return keys;
}

const Row* find_row(std::string_view key) {
  const auto found = std::ranges::find(key_table(), key, [](const Row& row) { return row.doc.key; });
  return found == key_table().end() ? nullptr : &*found;
}

bool is_table_name(std::string_view key) {
  return std::ranges::any_of(key_table(), [key](const Row& row) {
    const std::string_view whole = row.doc.key;
    return row.take != nullptr && whole.size() > key.size() && whole.starts_with(key) &&
           whole[key.size()] == '.';
  });
}

std::string environment_name(std::string_view key) {
  std::string name(environment_prefix);
  for (const char c : key) {
    if (c == '.') {
      name += "__";
    } else {
      name += upper(c);
    }
  }
  return name;
}

std::string key_of_environment_name(std::string_view name) {
  name.remove_prefix(environment_prefix.size());
  std::string key;
  while (!name.empty()) {
    const bool dot = name.starts_with("__");
    key += dot ? '.' : lower(name[0]);
    name.remove_prefix(dot ? 2 : 1);
  }
  return key;
}

std::string key_part(std::string_view name) {
  constexpr size_t longest = 64;
  constexpr std::string_view bare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  const bool quoted = name.empty() || name.find_first_not_of(bare) != name.npos;
  const std::string text = printable(name.substr(0, longest)) + (name.size() > longest ? "..." : "");
  return quoted ? "\"" + text + "\"" : text;
}

std::string Loading::name(std::string_view key) const {
  if (origin == Origin::environment && !in_repeated_table(key)) return environment_name(key);
  return std::string(key);
}

std::string must_be(const Loading& loading, const KeyRow& key, const TomlValue& value) {
  return must_be_form(loading, key) + ", not " + shown(value);
}

std::string bad_element(const Loading& loading, const KeyRow& key, const TomlValue& element) {
  return must_be_form(loading, key) + "; " + shown(element) + " is not one";
}

std::string unknown_key(const Loading& loading, std::string_view key) {
  std::string message = "unknown key " + loading.name(key);
  if (const auto nearest = nearest_key(key)) message += "; did you mean " + loading.name(*nearest) + "?";
  return message;
}

std::vector<std::string> keys_that_need_a_restart(const Config& running, const Config& wanted) {
  std::vector<std::string> keys;
  for (const Row& row : key_table()) {
    const bool changed = row.same != nullptr && !row.same(row, running, wanted);
    if (changed && !row.doc.live) keys.emplace_back(row.doc.key);
  }
  return keys;
}

}  // namespace peregrine
