#include "admin/cache_reports.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "cache/answer.h"
#include "cache/delegation.h"
#include "cache/key.h"
#include "cache/restored_entry.h"
#include "cache/rrset.h"

namespace peregrine {
namespace {

using nlohmann::json;

constexpr std::array<const char*, 4> view_names{"answer", "rrset", "delegation", "denial"};

void add_answer(json& report, uint8_t key_flags, Bytes octets) {
  json flags = json::array();
  if (key_flags & AnswerKey::dnssec_ok_flag) flags.push_back("DO");
  if (key_flags & AnswerKey::checking_disabled_flag) flags.push_back("CD");
  if (const auto blob = AnswerBlob::open(octets)) {
    if (blob->authentic()) flags.push_back("AD");
    report["rcode"] = to_string(blob->rcode());
  }
  report["flags"] = std::move(flags);
}

void add_rrset(json& report, Bytes octets) {
  const auto blob = RrsetBlob::open(octets);
  if (!blob) return;
  report["credibility"] = to_string(blob->credibility());
  report["security"] = to_string(blob->security());
}

}  // namespace

json report_store(const StoreStats& stats) {
  return {{"entries", stats.entries},
          {"octets", stats.octets},
          {"capacity", stats.capacity},
          {"octets_live", stats.octets_live},
          {"octets_dead", stats.octets_dead},
          {"octets_index", stats.octets_index},
          {"inserted", stats.inserted},
          {"replaced", stats.replaced},
          {"removed", stats.removed},
          {"refused", stats.refused},
          {"evicted", stats.evicted},
          {"evicted_cold", stats.evicted_cold},
          {"evicted_crowded", stats.evicted_crowded},
          {"expired", stats.expired},
          {"moved", stats.moved}};
}

json report_entry(const StoredEntry& entry, WallTime now) {
  const auto key = KeyParts::read(entry.key.octets);
  if (!key || static_cast<size_t>(key->view) >= view_names.size()) return nullptr;
  const auto stored = stored_at(entry);
  json report{{"name", key->owner.to_string()},
              {"type", to_string(key->type)},
              {"view", view_names[static_cast<size_t>(key->view)]},
              {"ttl_s", std::max<int64_t>((entry.lifetime.expires_at - now).count(), 0)},
              {"expired", !entry.lifetime.fresh(now)},
              {"age_s", stored ? std::max<int64_t>((now - *stored).count(), 0) : -1},
              {"octets", entry.key.octets.size() + entry.blob.size()},
              {"frequency", entry.frequency}};
  if (key->rclass != Class::in) report["class"] = to_string(key->rclass);
  if (key->realm != 0 && key->view == KeyView::answer) report["realm"] = key->realm;
  if (key->view == KeyView::answer) add_answer(report, key->flags, entry.blob);
  if (key->view == KeyView::rrset) add_rrset(report, entry.blob);
  return report;
}

void CacheCensus::add(const StoredEntry& entry) {
  const auto key = KeyParts::read(entry.key.octets);
  if (!key || static_cast<size_t>(key->view) >= views_.size()) return;
  ++entries_;
  expired_ += !entry.lifetime.fresh(now_);
  ++views_[static_cast<size_t>(key->view)];
  const auto stored = stored_at(entry);
  if (!stored) return;
  const auto* limit = std::ranges::upper_bound(age_limits, (now_ - *stored).count());
  ++ages_[static_cast<size_t>(limit - age_limits.begin())];
}

json CacheCensus::report() const {
  json views = json::object(), ages = json::array();
  for (size_t i = 0; i < views_.size(); ++i) views[view_names[i]] = views_[i];
  for (size_t i = 0; i < ages_.size(); ++i) {
    ages.push_back(
        {{"below_s", i < age_limits.size() ? json(age_limits[i]) : json()}, {"entries", ages_[i]}});
  }
  return {
      {"entries", entries_}, {"expired", expired_}, {"views", std::move(views)}, {"ages", std::move(ages)}};
}

}  // namespace peregrine
