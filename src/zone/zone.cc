#include "zone/zone.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "wire/rdata.h"

namespace peregrine {
namespace {

std::string_view next_word(std::string_view& text) {
  const size_t first = std::min(text.find_first_not_of(" \t"), text.size());
  const size_t last = std::min(text.find_first_of(" \t", first), text.size());
  const std::string_view word = text.substr(first, last - first);
  text.remove_prefix(last);
  return word;
}

std::string_view trimmed(std::string_view text) {
  const size_t first = std::min(text.find_first_not_of(" \t"), text.size());
  const size_t last = text.find_last_not_of(" \t\r");
  return last == std::string_view::npos ? std::string_view() : text.substr(first, last + 1 - first);
}

// Of one RRset: with the least that a record takes in a message (RFC 1035 section 4.1.3) no more fit.
constexpr size_t most_records = 65'535 / 12;

bool is_single(Type type) { return type == Type::cname || type == Type::soa; }

// Those that the zone itself reads.
bool is_one_name(Type type) { return type == Type::cname || type == Type::dname || type == Type::ns; }

}  // namespace

const Zone::Set* Zone::Node::find(Type type) const {
  const auto found = std::ranges::find(sets, type, &Set::type);
  return found == sets.end() || found->records.empty() ? nullptr : &*found;
}

Zone::Set& Zone::set_of(Node& node, Type type, uint32_t ttl) {
  const auto found = std::ranges::find(node.sets, type, &Set::type);
  if (found == node.sets.end()) return node.sets.emplace_back(Set{type, ttl, {}, {}});
  found->ttl = std::min(found->ttl, ttl);  // RFC 2181 section 5.2
  return *found;
}

Result<> Zone::add(Dname owner, Type type, uint32_t ttl, Bytes rdata) {
  if (!holds(owner)) return std::unexpected(Error::not_found);
  const auto name = Dname::parse(rdata);
  if (is_one_name(type) && (!name || name->size() != rdata.size())) return std::unexpected(Error::bad_rdata);
  Node& node = nodes_[DnameBuf(owner)];
  std::vector<uint8_t> octets(rdata.begin(), rdata.end());
  if (type == Type::rrsig) {
    const auto covered = covered_type(rdata);
    if (!covered) return std::unexpected(Error::bad_rdata);
    Set& signed_set = set_of(node, *covered, ttl);
    if (signed_set.signatures.size() == most_records) return std::unexpected(Error::limit);
    if (std::ranges::find(signed_set.signatures, octets) == signed_set.signatures.end())
      signed_set.signatures.push_back(std::move(octets));
    return {};
  }
  const auto excludes = [](Type a, Type b) {
    return a == Type::cname && b != Type::nsec && b != Type::cname;
  };
  for (const Set& set : node.sets) {
    if (!set.records.empty() && (excludes(set.type, type) || excludes(type, set.type)))
      return std::unexpected(Error::bad_rdata);
  }
  Set& set = set_of(node, type, ttl);
  if (std::ranges::find(set.records, octets) != set.records.end()) return {};
  if (is_single(type) && !set.records.empty()) return std::unexpected(Error::bad_rdata);
  if (set.records.size() == most_records) return std::unexpected(Error::limit);
  set.records.push_back(std::move(octets));
  return {};
}

Result<> Zone::add_line(std::string_view line) {
  const auto owner = DnameBuf::from_text(next_word(line), apex_);
  const std::string_view ttl_text = next_word(line);
  const auto type = parse_type(next_word(line));
  uint32_t ttl = 0;
  const auto read = std::from_chars(ttl_text.data(), ttl_text.data() + ttl_text.size(), ttl);
  if (!owner || !type || ttl_text.empty() || read.ec != std::errc() ||
      read.ptr != ttl_text.data() + ttl_text.size())
    return std::unexpected(Error::bad_text);
  std::array<uint8_t, max_message_size> buffer;
  const auto rdata = rdata_from_text(*type, trimmed(line), apex_, buffer);
  if (!rdata) return std::unexpected(rdata.error());
  return add(*owner, *type, ttl, *rdata);
}

const Zone::Node* Zone::find(Dname name) const {
  const auto found = nodes_.find(DnameBuf(name));
  return found == nodes_.end() ? nullptr : &found->second;
}

// Names below follow their ancestor in canonical order (RFC 4034 section 6.1).
bool Zone::exists(Dname name) const {
  const auto found = nodes_.lower_bound(DnameBuf(name));
  return found != nodes_.end() && found->first.view().is_at_or_below(name);
}

std::span<const std::vector<uint8_t>> Zone::records(Dname owner, Type type) const {
  const Node* node = find(owner);
  const Set* set = node ? node->find(type) : nullptr;
  return set ? std::span<const std::vector<uint8_t>>(set->records) : std::span<const std::vector<uint8_t>>();
}

std::vector<DnameBuf> Zone::delegations() const {
  std::vector<DnameBuf> cuts;
  for (const auto& [name, node] : nodes_) {
    if (!(name == apex_) && node.find(Type::ns)) cuts.push_back(name);
  }
  return cuts;
}

Zone::Nodes::const_iterator Zone::covering(Dname name) const {
  auto at = nodes_.upper_bound(DnameBuf(name));
  while (at != nodes_.begin()) {
    --at;
    if (at->second.find(Type::nsec)) return at;
  }
  return nodes_.end();
}

std::optional<Dname> Zone::cut(Dname name, bool at_name) const {
  const unsigned all = name.label_count();
  for (unsigned labels = apex_.view().label_count() + 1; labels <= all; ++labels) {
    if (labels == all && !at_name) break;
    const Node* node = find(name.suffix(labels));
    if (node && node->find(Type::ns)) return name.suffix(labels);
  }
  return std::nullopt;
}

}  // namespace peregrine
