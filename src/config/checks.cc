#include "config/checks.h"

#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "config/own_addresses.h"

namespace peregrine {
namespace {

struct CanonicalOrder {
  bool operator()(Dname a, Dname b) const { return canonical_compare(a, b) < 0; }
};

constexpr unsigned udp_bit = 1;
constexpr unsigned tcp_bit = 2;

unsigned transports(ListenScheme scheme) {
  switch (scheme) {
    case ListenScheme::udp_and_tcp:
      return udp_bit | tcp_bit;
    case ListenScheme::udp:
      return udp_bit;
    case ListenScheme::tcp:
      return tcp_bit;
  }
  return 0;
}

class Checks {
 public:
  Checks(const Config& config, const GivenKeys& given, const ComplainAbout& complain)
      : config_(config), given_(given), complain_(complain) {}

  void run() const {
    check_listen();
    check_ttls();
    check_zones("forward", config_.forward);
    check_zones("stub", config_.stub);
    check_twice("local", config_.local);
    check_below_local("forward", config_.forward);
    check_below_local("stub", config_.stub);
    check_first();
  }

 private:
  const Given* find(std::string_view key) const {
    const auto found = given_.find(key);
    return found == given_.end() ? nullptr : &found->second;
  }

  bool is_bad(std::string_view key) const {
    const Given* given = find(key);
    return given != nullptr && !given->good;
  }

  // Of a list that was read whole, so its values and the configuration's correspond.
  static Place element(const TomlValue& list, size_t i) {
    const auto* elements = list.get<TomlList>();
    return elements != nullptr ? elements->at(i).place : list.place;
  }

  void check_listen() const {
    const Given* given = find("server.listen");
    if (given == nullptr || !given->good) return;
    const auto& listen = config_.server.listen;
    if (listen.empty()) complain_(*given, given->value->place, "server.listen has no address");
    std::map<Endpoint, unsigned> seen;
    std::map<Endpoint, unsigned> within;  // by the wildcard address that includes them
    for (size_t i = 0; i < listen.size(); ++i) {
      const Endpoint at = listen[i].at;
      if (at.port == 0) continue;  // each gets a port of its own
      const unsigned wanted = transports(listen[i].scheme);
      const Endpoint wildcard = wildcard_for(at);
      const std::string has = "server.listen has " + at.to_string();
      if ((seen[at] & wanted) != 0) {
        complain_(*given, element(*given->value, i), has + " twice");
      } else if (at == wildcard && (within[at] & wanted) != 0) {
        complain_(*given, element(*given->value, i), has + ", which includes another of its addresses");
      } else if (at != wildcard && (seen[wildcard] & wanted) != 0) {
        complain_(*given, element(*given->value, i), has + ", which " + wildcard.to_string() + " includes");
      }
      seen[at] |= wanted;
      if (at != wildcard) within[wildcard] |= wanted;
    }
  }

  void check_ttls() const {
    const Given* least = find("cache.min_ttl");
    const Given* most = find("cache.max_ttl");
    if (config_.cache.min_ttl <= config_.cache.max_ttl) return;
    if (is_bad("cache.min_ttl") || is_bad("cache.max_ttl")) return;
    // Whichever came last is where the two began to clash. With the defaults they do not.
    const Given* last =
        least == nullptr || (most != nullptr && place_of(*most) > place_of(*least)) ? most : least;
    if (last == nullptr) return;
    complain_(*last, last->value->place,
              "cache.min_ttl, " + std::to_string(config_.cache.min_ttl.count()) +
                  " s, is over cache.max_ttl, " + std::to_string(config_.cache.max_ttl.count()) + " s");
  }

  static std::pair<size_t, Place> place_of(const Given& given) { return {given.source, given.value->place}; }

  // [[forward]] or [[stub]].
  void check_zones(std::string_view key, const std::vector<ForwardZone>& zones) const {
    check_twice(key, zones);
    const Given* given = find(key);
    if (given != nullptr && given->good && !is_bad("server.listen")) check_loops(key, *given, zones);
  }

  // The local zone answers for all that it holds: what is below it would never be asked.
  void check_below_local(std::string_view key, const std::vector<ForwardZone>& zones) const {
    const Given* given = find(key);
    if (given == nullptr || !given->good || is_bad("local")) return;
    for (size_t i = 0; i < zones.size(); ++i) {
      const Dname zone = zones[i].zone;
      for (const LocalZone& local : config_.local) {
        if (!zone.is_at_or_below(local.zone)) continue;
        complain_(*given, element(*given->value, i),
                  std::string(key) + " has the zone " + zone.to_string() + ", which the local zone " +
                      local.zone.to_string() + " answers for");
      }
    }
  }

  void check_first() const {
    const Given* given = find("forward");
    if (given == nullptr || !given->good || config_.recursion.enabled || is_bad("recursion.enabled")) return;
    for (size_t i = 0; i < config_.forward.size(); ++i) {
      if (config_.forward[i].first)
        complain_(*given, element(*given->value, i), "forward with first = true needs recursion.enabled");
    }
  }

  template <class Zone>
  void check_twice(std::string_view key, const std::vector<Zone>& zones) const {
    const Given* given = find(key);
    if (given == nullptr || !given->good) return;
    std::set<Dname, CanonicalOrder> seen;
    for (size_t i = 0; i < zones.size(); ++i) {
      const Dname zone = zones[i].zone;
      if (seen.insert(zone).second) continue;
      complain_(*given, element(*given->value, i),
                std::string(key) + " has the zone " + zone.to_string() + " twice");
    }
  }

  void check_loops(std::string_view key, const Given& given, const std::vector<ForwardZone>& zones) const {
    const auto& tables = *given.value->get<TomlList>();
    const OwnAddresses ours(config_.server.listen);
    for (size_t i = 0; i < zones.size(); ++i) {
      for (size_t j = 0; j < zones[i].servers.size(); ++j) {
        const Endpoint& server = zones[i].servers[j];
        const auto listen = ours.reached_by(server);
        if (listen) complain_(given, server_place(tables.at(i), j), loop_error(key, server, *listen));
      }
    }
  }

  static Place server_place(const TomlValue& zone, size_t i) {
    for (const TomlMember& member : *zone.get<TomlTable>()) {
      if (member.key == "servers") return element(member.value, i);
    }
    return zone.place;
  }

  const Config& config_;
  const GivenKeys& given_;
  const ComplainAbout& complain_;
};

}  // namespace

void check_together(const Config& config, const GivenKeys& given, const ComplainAbout& complain) {
  Checks(config, given, complain).run();
}

}  // namespace peregrine
