#include "lab/plan_files.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace peregrine {
namespace {

using Json = nlohmann::ordered_json;

Json as_json(const Conduct& conduct) {
  Json told = Json::object();
  if (conduct.delay != Duration{}) {
    told["delay_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(conduct.delay).count();
  }
  if (conduct.loss != 0) told["loss"] = conduct.loss;
  for (const ConductRow& row : conduct_rows())
    if (conduct.*row.part) told[std::string(row.name)] = true;
  return told;
}

Json as_json(const PlannedServer& server) {
  Json addresses = Json::array();
  for (const IpAddress& address : server.addresses) addresses.push_back(address.to_string());
  return {{"addresses", addresses}, {"conduct", as_json(server.conduct)}};
}

Json as_json(const PlannedZone& zone) {
  return {{"apex", zone.apex},       {"shape", zone.shape},     {"resolves", zone.resolves},
          {"file", file_name(zone)}, {"servers", zone.servers}, {"records", zone.records}};
}

std::string root_hints(const InternetPlan& plan) {
  std::ostringstream text;
  char letter = 'a';
  for (const IpAddress& address : plan.roots()) {
    const char* type = address.family() == Family::v4 ? "A" : "AAAA";
    text << ". 86400 NS " << letter << ".hints.\n"
         << letter << ".hints. 86400 " << type << ' ' << address.to_string() << '\n';
    ++letter;
  }
  return text.str();
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  if (!(file << text).flush()) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace

std::string file_name(const PlannedZone& zone) { return zone.apex == "." ? "root.zone" : zone.apex + "zone"; }

std::string master_file(const PlannedZone& zone) {
  std::string text = "; " + zone.shape + "\n$ORIGIN " + zone.apex + "\n";
  for (const std::string& record : zone.records) text += record + "\n";
  return text;
}

std::string plan_as_json(const InternetPlan& plan, uint16_t port) {
  Json servers = Json::array(), zones = Json::array(), roots = Json::array();
  for (const IpAddress& address : plan.roots()) roots.push_back(address.to_string());
  for (const PlannedServer& server : plan.servers) servers.push_back(as_json(server));
  for (const PlannedZone& zone : plan.zones) zones.push_back(as_json(zone));
  const Json all{
      {"seed", plan.seed}, {"port", port}, {"roots", roots}, {"servers", servers}, {"zones", zones}};
  return all.dump(1) + "\n";
}

void write_plan(const InternetPlan& plan, uint16_t port, const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw std::runtime_error("cannot make " + folder + ": " + error.message());
  const std::filesystem::path path(folder);
  for (const PlannedZone& zone : plan.zones) write_file(path / file_name(zone), master_file(zone));
  write_file(path / "root.hints", root_hints(plan));
  write_file(path / "plan.json", plan_as_json(plan, port));
}

}  // namespace peregrine
