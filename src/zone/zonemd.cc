#include "zone/zonemd.h"

#include <algorithm>
#include <tuple>

#include "crypto/digest.h"
#include "wire/rdata_reader.h"

namespace peregrine {
namespace {

constexpr Type zonemd_type{63};
constexpr uint8_t simple_scheme = 1;
constexpr size_t digest_at = 6;      // behind serial, scheme and algorithm
constexpr size_t least_digest = 12;  // octets (RFC 8976 section 2.2.4)

struct Zonemd {
  uint32_t serial;
  uint8_t scheme, algorithm;
  Bytes digest;
};

std::optional<DigestKind> kind_of(const Zonemd& zonemd) {
  if (zonemd.scheme != simple_scheme) return std::nullopt;
  if (zonemd.algorithm == 1) return DigestKind::sha384;
  return zonemd.algorithm == 2 ? std::optional(DigestKind::sha512) : std::nullopt;
}

std::optional<Zonemd> read_zonemd(Bytes rdata) {
  if (rdata.size() < digest_at + least_digest) return std::nullopt;
  return Zonemd{.serial = load_u32(rdata.data()),
                .scheme = rdata[4],
                .algorithm = rdata[5],
                .digest = rdata.subspan(digest_at)};
}

// RFC 4034 section 6.2.
std::vector<uint8_t> canonical(Type type, Bytes rdata) {
  std::vector<uint8_t> out;
  RdataReader reader(type, rdata);
  while (reader.next()) {
    DnameBuf name;
    if (reader.is_name()) name = reader.name();
    if (reader.lower_names()) name.fold();
    const Bytes octets = reader.is_name() ? name.view().wire() : reader.octets();
    out.insert(out.end(), octets.begin(), octets.end());
  }
  return out;
}

// RFC 8976 section 3.4.1: neither the digests themselves nor what signs them.
bool is_digested(Dname apex, const ZoneRecord& record) {
  if (record.owner.view() != apex) return true;
  return record.type != zonemd_type &&
         (record.type != Type::rrsig || covered_type(record.rdata) != zonemd_type);
}

bool before(const ZoneRecord& a, const ZoneRecord& b) {
  const int order = canonical_compare(a.owner, b.owner);
  if (order != 0) return order < 0;
  return std::tie(a.type, a.rdata) < std::tie(b.type, b.rdata);
}

bool same(const ZoneRecord& a, const ZoneRecord& b) {
  return a.type == b.type && a.rdata == b.rdata && a.owner == b.owner;
}

void add(Digest& digest, const ZoneRecord& record) {
  std::array<uint8_t, max_dname_size + 10> head;
  ByteWriter writer(head);
  DnameBuf owner = record.owner;
  owner.fold();
  writer.put(owner.view().wire());
  writer.u16(static_cast<uint16_t>(record.type));
  writer.u16(static_cast<uint16_t>(Class::in));
  writer.u32(record.ttl);
  writer.u16(static_cast<uint16_t>(record.rdata.size()));
  digest.add(writer.written());
  digest.add(record.rdata);
}

// Of records that are canonical and sorted (section 3.3.1): each once.
std::vector<uint8_t> digest_of(Dname apex, std::span<const ZoneRecord> records, DigestKind kind) {
  Digest digest(kind);
  const ZoneRecord* last = nullptr;
  for (const ZoneRecord& record : records) {
    if (last && same(*last, record)) continue;
    last = &record;
    if (is_digested(apex, record)) add(digest, record);
  }
  return digest.finish();
}

struct Apex {
  std::vector<std::vector<uint8_t>> zonemds;  // each once
  std::vector<uint8_t> soa;
};

Apex apex_of(Dname apex, std::span<const ZoneRecord> records) {
  Apex found;
  for (const ZoneRecord& record : records) {
    if (record.owner.view() != apex) continue;
    if (record.type == zonemd_type && std::ranges::find(found.zonemds, record.rdata) == found.zonemds.end())
      found.zonemds.push_back(record.rdata);
    if (record.type == Type::soa) found.soa = record.rdata;
  }
  return found;
}

// Section 4 step 4: two of one scheme and algorithm count for nothing.
bool is_repeated(const Zonemd& zonemd, const Apex& apex) {
  return std::ranges::count_if(apex.zonemds, [&](const auto& rdata) {
           const auto other = read_zonemd(rdata);
           return other && other->scheme == zonemd.scheme && other->algorithm == zonemd.algorithm;
         }) > 1;
}

}  // namespace

std::expected<ZonemdState, std::string> check_zonemd(Dname apex, std::span<ZoneRecord> records) {
  constexpr size_t soa_numbers_size = 20;
  const Apex found = apex_of(apex, records);
  if (found.zonemds.empty()) return ZonemdState::absent;
  if (found.soa.size() < soa_numbers_size) return std::unexpected("a ZONEMD record, but no SOA");
  const uint32_t serial = load_u32(found.soa.data() + found.soa.size() - soa_numbers_size);

  for (ZoneRecord& record : records) record.rdata = canonical(record.type, record.rdata);
  std::ranges::sort(records, before);
  std::string wrong;
  for (const auto& rdata : found.zonemds) {
    const auto zonemd = read_zonemd(rdata);
    const auto kind = zonemd ? kind_of(*zonemd) : std::nullopt;
    if (!kind) continue;
    if (zonemd->serial != serial) {
      wrong = "the serial of its ZONEMD is " + std::to_string(zonemd->serial) + ", of its SOA " +
              std::to_string(serial);
    } else if (is_repeated(*zonemd, found)) {
      wrong = "two ZONEMD records of one scheme and algorithm";
    } else if (std::ranges::equal(digest_of(apex, records, *kind), zonemd->digest)) {
      return ZonemdState::verified;
    } else {
      wrong = "its ZONEMD does not match: the zone is damaged, or was changed";
    }
  }
  if (!wrong.empty()) return std::unexpected(wrong);
  return ZonemdState::unsupported;
}

}  // namespace peregrine
