// Puts a plan together: who serves which zone is said once, and the records of delegations, glue and servers
// follow.
#pragma once

#include <deque>
#include <map>

#include "base/random.h"
#include "lab/plan.h"

namespace peregrine {

enum class Reach : uint8_t { v4, v6, both };

class PlanBuilder {
 public:
  struct Host {
    std::string name;  // absolute, of an NS record
    size_t server;
  };
  struct Draft {
    std::string apex, shape;
    std::vector<Host> hosts;         // those of its own NS records
    std::vector<Host> parent_hosts;  // those of the parent's: the same unless changed
    std::vector<std::string> records;
    bool resolves = true;
    Draft& add(std::string record) { return records.push_back(std::move(record)), *this; }
    Draft& add_all(std::string_view lines);  // one record a line
    Draft& broken() { return resolves = false, *this; }
  };

  explicit PlanBuilder(const PlanOptions& options);

  size_t server(const Conduct& conduct = {}, Reach reach = Reach::both);
  // References stay good. The hosts' addresses come into the zone that their names are in, and into the
  // parent's as glue if their names are at or below the apex: all other delegations are without.
  Draft& zone(std::string apex, std::string shape, std::vector<Host> hosts);
  // With ns1.APEX and so on, one for each server.
  Draft& zone_at(std::string apex, std::string shape, const std::vector<size_t>& servers);

  Random& random() { return random_; }
  std::string v4();  // an address that records may have; never one of a server, nor the lie
  std::string v6();

  InternetPlan finish() &&;

 private:
  Draft* holder(std::string_view name, bool strictly_above);
  void delegate(const Draft& child);
  void put_addresses(Draft& into, const Host& host);

  PlanOptions options_;
  Random random_;
  std::vector<PlannedServer> servers_;
  std::deque<Draft> drafts_;
  std::map<std::string, Draft*, std::less<>> by_apex_;
};

}  // namespace peregrine
