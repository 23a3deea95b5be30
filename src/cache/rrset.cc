#include "cache/rrset.h"

#include <algorithm>
#include <array>
#include <limits>

#include "wire/rdata.h"

namespace peregrine {

namespace {

constexpr size_t max_count = std::numeric_limits<uint16_t>::max();

// One RDATA after the other, each behind its size.
class BlobWriter {
 public:
  explicit BlobWriter(MutableBytes out) : out_(out), at_(std::min(sizeof(RrsetBlobHeader), out.size())) {}

  MutableBytes room() const {
    return out_.size() - at_ < sizeof(uint16_t) ? MutableBytes() : out_.subspan(at_ + sizeof(uint16_t));
  }
  void append(size_t rdata_size) {
    const auto size = static_cast<uint16_t>(rdata_size);
    std::memcpy(out_.data() + at_, &size, sizeof size);
    at_ += sizeof size + rdata_size;
  }
  Result<> put(Bytes rdata) {
    if (rdata.size() > max_count) return std::unexpected(Error::limit);
    const MutableBytes to = room();
    if (out_.size() - at_ < sizeof(uint16_t) || to.size() < rdata.size())
      return std::unexpected(Error::no_space);
    if (!rdata.empty()) std::memcpy(to.data(), rdata.data(), rdata.size());
    append(rdata.size());
    return {};
  }
  Result<> put(const RrView& rr) {
    if (out_.size() - at_ < sizeof(uint16_t)) return std::unexpected(Error::no_space);
    const Result<Bytes> rdata = expand_rdata(rr, room().first(std::min(room().size(), max_count)));
    if (!rdata) return std::unexpected(rdata.error());
    append(rdata->size());
    return {};
  }
  Result<Bytes> finish(const RrsetFields& fields, size_t records, size_t signatures) {
    const RrsetBlobHeader header{
        .version = RrsetBlobHeader::layout_version,
        .credibility = static_cast<uint8_t>(fields.credibility),
        .security = static_cast<uint8_t>(fields.security),
        .zero = 0,
        .records = static_cast<uint16_t>(records),
        .signatures = static_cast<uint16_t>(signatures),
        .ttl = fields.ttl,
        .stored_at = static_cast<uint32_t>(std::clamp<int64_t>(fields.stored_at.time_since_epoch().count(), 0,
                                                               std::numeric_limits<uint32_t>::max())),
    };
    if (out_.size() < sizeof header) return std::unexpected(Error::no_space);
    std::memcpy(out_.data(), &header, sizeof header);
    return Bytes(out_.first(at_));
  }

 private:
  MutableBytes out_;
  size_t at_;
};

bool covers(const RrView& rr, Type type) {
  return rr.type == Type::rrsig && rr.rdata.size() >= sizeof(uint16_t) &&
         Type{load_u16(rr.rdata.data())} == type;
}

// The octets behind `count` RDATAs from `at` on; nothing where they do not fit.
std::optional<size_t> after(Bytes blob, size_t at, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (blob.size() - at < sizeof(uint16_t)) return std::nullopt;
    uint16_t size;
    std::memcpy(&size, blob.data() + at, sizeof size);
    at += sizeof size;
    if (blob.size() - at < size) return std::nullopt;
    at += size;
  }
  return at;
}

}  // namespace

std::string_view to_string(Credibility credibility) {
  switch (credibility) {
    case Credibility::additional:
      return "additional";
    case Credibility::answer:
      return "answer";
    case Credibility::zone_glue:
      return "zone_glue";
    case Credibility::authority:
      return "authority";
    case Credibility::authoritative_answer:
      return "authoritative_answer";
    case Credibility::transfer:
      return "transfer";
    case Credibility::zone_file:
      return "zone_file";
  }
  return "";
}

std::string_view to_string(Security security) {
  switch (security) {
    case Security::unchecked:
      return "unchecked";
    case Security::indeterminate:
      return "indeterminate";
    case Security::insecure:
      return "insecure";
    case Security::secure:
      return "secure";
    case Security::bogus:
      return "bogus";
  }
  return "";
}

Result<Bytes> encode_rrset(const RrsetFields& fields, std::span<const Bytes> records,
                           std::span<const Bytes> signatures, MutableBytes out) {
  if (records.size() > max_count || signatures.size() > max_count) return std::unexpected(Error::limit);
  BlobWriter writer(out);
  for (const auto& list : {records, signatures}) {
    for (const Bytes rdata : list) {
      if (const auto put = writer.put(rdata); !put) return std::unexpected(put.error());
    }
  }
  return writer.finish(fields, records.size(), signatures.size());
}

Result<Bytes> encode_rrset(const RrsetSource& source, const RrsetFields& fields, MutableBytes out) {
  BlobWriter writer(out);
  RrsetFields found = fields;
  std::array<size_t, 2> counts{};  // records, signatures
  for (const bool signatures : {false, true}) {
    for (const RrView rr : source.message.section(source.section)) {
      const bool wanted = signatures ? covers(rr, source.type) : rr.type == source.type;
      if (!wanted || rr.rclass != source.rclass || !rr.owner.equals(source.owner)) continue;
      if (const auto put = writer.put(rr); !put) return std::unexpected(put.error());
      found.ttl = std::min(found.ttl, effective_ttl(rr.ttl));
      ++counts[signatures];
    }
  }
  if (counts[0] == 0) return std::unexpected(Error::not_found);
  return writer.finish(found, counts[0], counts[1]);
}

std::optional<RrsetBlob> RrsetBlob::open(Bytes octets) {
  RrsetBlob blob;
  if (octets.size() < sizeof blob.header_) return std::nullopt;
  std::memcpy(&blob.header_, octets.data(), sizeof blob.header_);
  if (blob.header_.version != RrsetBlobHeader::layout_version || blob.header_.zero != 0) return std::nullopt;
  if (blob.credibility() > Credibility::zone_file || blob.security() > Security::bogus) return std::nullopt;
  const auto signatures_at = after(octets, sizeof blob.header_, blob.header_.records);
  if (!signatures_at || after(octets, *signatures_at, blob.header_.signatures) != octets.size())
    return std::nullopt;
  blob.octets_ = octets;
  blob.signatures_at_ = *signatures_at;
  return blob;
}

uint32_t RrsetBlob::ttl_at(WallTime now) const {
  const int64_t age = std::max<int64_t>((now - stored_at()).count(), 0);
  return age < int64_t{ttl()} ? static_cast<uint32_t>(ttl() - age) : 0;
}

bool may_replace(const RrsetBlob& old, WallTime old_expires_at, const RrsetBlob& candidate, Type type,
                 WallTime now) {
  if (candidate.expires_at() <= now) return false;
  if (old_expires_at <= now) return true;

  const bool old_bogus = old.security() == Security::bogus;
  const bool new_bogus = candidate.security() == Security::bogus;
  if (old_bogus != new_bogus) return old_bogus;
  const bool old_secure = old.security() == Security::secure;
  const bool new_secure = candidate.security() == Security::secure;
  if (new_secure && !old_secure) return true;

  if (candidate.credibility() != old.credibility()) return candidate.credibility() > old.credibility();
  if (old_secure && !new_secure) return false;
  return type != Type::ns || candidate.expires_at() <= old_expires_at;
}

}  // namespace peregrine
