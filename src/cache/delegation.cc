#include "cache/delegation.h"

#include <algorithm>
#include <array>
#include <limits>

#include "wire/rdata.h"

namespace peregrine {

namespace {

constexpr size_t address_size(uint8_t family) { return family == 4 ? 4 : family == 6 ? 16 : 0; }

bool is_glue(const RrView& rr, const DelegationSource& source) {
  if (rr.rclass != source.rclass) return false;
  return (rr.type == Type::a && rr.rdata.size() == 4) || (rr.type == Type::aaaa && rr.rdata.size() == 16);
}

void put_address(ByteWriter& out, const RrView& rr) {
  out.u8(rr.type == Type::a ? 4 : 6);
  out.put(rr.rdata);
}

// One server with what glue it has among the first of the additional section.
void put_server(ByteWriter& out, Dname name, const DelegationSource& source) {
  std::array<std::optional<RrView>, max_glue_per_server> glue;
  size_t count = 0, seen = 0;
  uint32_t ttl = std::numeric_limits<uint32_t>::max();
  if (name.is_at_or_below(source.bailiwick)) {
    for (const RrView rr : source.referral.section(Section::additional)) {
      if (count == glue.size() || seen++ == max_glue_seen) break;
      if (!rr.owner.equals(name) || !is_glue(rr, source)) continue;
      ttl = std::min(ttl, effective_ttl(rr.ttl));
      glue[count++].emplace(rr);
    }
  }
  out.put(name.wire());
  std::array<uint8_t, sizeof ttl> little_endian;
  std::memcpy(little_endian.data(), &ttl, sizeof ttl);
  out.put(little_endian);
  out.u8(static_cast<uint8_t>(count));
  for (size_t i = 0; i < count; ++i) put_address(out, *glue[i]);
}

// The server at the reader's place; nothing where there is none.
std::optional<DelegationServer> read_server(Bytes blob, ByteReader& in) {
  const auto name = Dname::parse(blob.subspan(in.offset()));
  if (!name) return std::nullopt;
  in.take(name->size());
  DelegationServer server{.name = *name, .glue_ttl = 0, .glue = {}};
  const Bytes ttl = in.take(sizeof server.glue_ttl);
  if (in.ok()) std::memcpy(&server.glue_ttl, ttl.data(), sizeof server.glue_ttl);
  const unsigned count = in.u8();
  const size_t first = in.offset();
  for (unsigned i = 0; i < count; ++i) {
    const size_t size = address_size(in.u8());
    if (size == 0) return std::nullopt;
    in.take(size);
  }
  if (!in.ok()) return std::nullopt;
  server.glue = blob.subspan(first, in.offset() - first);
  return server;
}

}  // namespace

Result<Bytes> encode_delegation(const DelegationSource& source, WallTime now, uint32_t ttl_cap,
                                MutableBytes out) {
  if (out.size() < sizeof(DelegationBlobHeader)) return std::unexpected(Error::no_space);
  ByteWriter servers(out.subspan(sizeof(DelegationBlobHeader)));
  uint32_t ttl = ttl_cap;
  uint8_t count = 0;
  for (const RrView rr : source.referral.section(source.section)) {
    if (count == max_delegation_servers) break;
    if (rr.type != Type::ns || rr.rclass != source.rclass || !rr.owner.equals(source.cut)) continue;
    const Result<DnameBuf> name = target_of(rr);
    if (!name) continue;
    put_server(servers, *name, source);
    ttl = std::min(ttl, effective_ttl(rr.ttl));
    ++count;
  }
  if (count == 0) return std::unexpected(Error::not_found);
  if (!servers.ok()) return std::unexpected(Error::no_space);
  const DelegationBlobHeader header{
      .version = DelegationBlobHeader::layout_version,
      .servers = count,
      .zero = 0,
      .ttl = ttl,
      .stored_at = static_cast<uint32_t>(
          std::clamp<int64_t>(now.time_since_epoch().count(), 0, std::numeric_limits<uint32_t>::max()))};
  std::memcpy(out.data(), &header, sizeof header);
  return Bytes(out.first(sizeof header + servers.size()));
}

void DelegationServer::for_each_address(FunctionRef<void(const IpAddress&)> visit) const {
  for (Bytes left = glue; !left.empty();) {
    const size_t size = address_size(left[0]);
    if (size == 4) {
      std::array<uint8_t, 4> v4;
      std::memcpy(v4.data(), &left[1], v4.size());
      visit(IpAddress::v4(v4));
    } else {
      std::array<uint8_t, 16> v6;
      std::memcpy(v6.data(), &left[1], v6.size());
      visit(IpAddress::v6(v6));
    }
    left = left.subspan(1 + size);
  }
}

std::optional<DelegationBlob> DelegationBlob::open(Bytes octets) {
  DelegationBlob blob;
  if (octets.size() < sizeof blob.header_) return std::nullopt;
  std::memcpy(&blob.header_, octets.data(), sizeof blob.header_);
  if (blob.header_.version != DelegationBlobHeader::layout_version || blob.header_.zero != 0)
    return std::nullopt;
  ByteReader in(octets, sizeof blob.header_);
  for (unsigned i = 0; i < blob.header_.servers; ++i) {
    if (!read_server(octets, in)) return std::nullopt;
  }
  if (!in.at_end()) return std::nullopt;
  blob.octets_ = octets;
  return blob;
}

void DelegationBlob::for_each_server(FunctionRef<void(const DelegationServer&)> visit) const {
  ByteReader in(octets_, sizeof header_);
  for (unsigned i = 0; i < header_.servers; ++i) visit(*read_server(octets_, in));
}

}  // namespace peregrine
