#include "cache/answer.h"

#include <algorithm>
#include <limits>

#include "wire/rdata.h"

namespace peregrine {

namespace {

using std::chrono::seconds;

enum class Outcome { data, no_data, unclear };

// Whether an RR of the QTYPE stands at the end of the CNAME chain. Chains in order take one pass over the
// section; the others one for each step back, and so few that a message made to be slow stays cheap.
Outcome outcome_of(const MessageView& answer) {
  constexpr int max_passes = 8;
  Question question = answer.question();
  DnameBuf name(question.qname);
  for (int pass = 0; pass < max_passes; ++pass) {
    bool moved = false;
    for (RrView rr : answer.section(Section::answer)) {
      bool wanted = question.qtype == Type::any || rr.type == question.qtype;
      if (!wanted && rr.type != Type::cname) continue;
      if (rr.rclass != question.qclass || !rr.owner.equals(name)) continue;
      if (wanted) return Outcome::data;
      Result<DnameBuf> target = target_of(rr);
      if (!target) return Outcome::unclear;
      name = *target;
      moved = true;
    }
    if (!moved) return Outcome::no_data;
  }
  return Outcome::unclear;
}

// RFC 2308 section 5: the lesser of the SOA's TTL and its MINIMUM. Nothing without a sound SOA.
std::optional<uint32_t> negative_ttl(const MessageView& answer) {
  std::optional<uint32_t> least;
  for (RrView rr : answer.section(Section::authority)) {
    if (rr.type != Type::soa || rr.rclass != answer.question().qclass) continue;
    Result<SoaNumbers> soa = soa_numbers(rr);
    if (!soa) return std::nullopt;
    uint32_t ttl = std::min(effective_ttl(rr.ttl), effective_ttl(soa->minimum));
    least = std::min(ttl, least.value_or(ttl));
  }
  return least;
}

bool may_keep(const MessageView& answer) {
  if (!answer.has_question() || answer.header().tc() || answer.header().opcode() != Opcode::query)
    return false;
  Question question = answer.question();
  if (question.qclass == Class::any || question.qclass == Class::none) return false;
  if (is_meta(question.qtype) && question.qtype != Type::any) return false;
  return answer.rcode() == Rcode::noerror || answer.rcode() == Rcode::nxdomain;
}

uint32_t to_u32(int64_t v) {
  return static_cast<uint32_t>(std::clamp<int64_t>(v, 0, std::numeric_limits<uint32_t>::max()));
}

constexpr size_t offset_size = 2;

size_t rr_count(const Header& header) {
  return size_t{header.count(Section::answer)} + header.count(Section::authority) +
         header.count(Section::additional);
}

size_t end_of(const RrView& rr) { return rr.rdata_offset() + rr.rdata.size(); }
size_t ttl_offset(const RrView& rr) { return rr.rdata_offset() - 6; }

// The fields that come from the message; bad_message where it has what a blob cannot hold.
Result<AnswerBlobHeader> header_for(const MessageView& answer, const BlobFields& fields) {
  if (!answer.has_question()) return std::unexpected(Error::bad_message);
  size_t end = answer.question_end();
  for (Section section : {Section::answer, Section::authority, Section::additional}) {
    for (RrView rr : answer.section(section)) {
      if (is_meta(rr.type)) return std::unexpected(Error::bad_message);
      end = end_of(rr);
    }
  }
  if (end > std::numeric_limits<uint16_t>::max()) return std::unexpected(Error::bad_message);

  const Header& header = answer.header();
  AnswerBlobHeader blob{
      .version = AnswerBlobHeader::layout_version,
      .extended_rcode = fields.extended_rcode,
      .reply = {},
      .tail_size = static_cast<uint16_t>(end - answer.question_end()),
      .policy_generation = fields.policy_generation,
      .stored_at = to_u32(fields.stored_at.time_since_epoch().count()),
  };
  constexpr uint16_t kept = HeaderBits::ad | HeaderBits::rcode;
  const unsigned flags = HeaderBits::qr | HeaderBits::ra | (header.flags() & kept);
  store_u64(blob.reply.data(), uint64_t{flags} << 48 | (header.counts() & record_counts));
  return blob;
}

}  // namespace

std::optional<seconds> time_to_keep(const MessageView& answer, const TtlLimits& limits) {
  if (!may_keep(answer)) return std::nullopt;
  Outcome outcome = answer.rcode() == Rcode::nxdomain ? Outcome::no_data : outcome_of(answer);
  if (outcome == Outcome::unclear) return std::nullopt;

  uint32_t ttl = std::numeric_limits<uint32_t>::max();
  for (RrView rr : answer.section(Section::answer)) ttl = std::min(ttl, effective_ttl(rr.ttl));
  if (outcome == Outcome::data) return std::min(std::max(seconds{ttl}, limits.floor), limits.cap);

  std::optional<uint32_t> negative = negative_ttl(answer);
  if (!negative) return std::nullopt;
  seconds keep{std::min(ttl, *negative)};
  return std::min({std::max(keep, limits.floor), limits.negative_cap, limits.cap});
}

Result<Bytes> encode_answer(const MessageView& answer, const BlobFields& fields, MutableBytes out) {
  Result<AnswerBlobHeader> header = header_for(answer, fields);
  if (!header) return std::unexpected(header.error());
  size_t tail_at = sizeof(*header) + offset_size * rr_count(answer.header());
  size_t size = tail_at + header->tail_size;
  if (size > out.size()) return std::unexpected(Error::no_space);

  size_t question_end = answer.question_end();
  std::memcpy(out.data(), &*header, sizeof(*header));
  std::memcpy(out.data() + tail_at, answer.bytes().data() + question_end, header->tail_size);

  uint8_t* offsets = out.data() + sizeof(*header);
  uint32_t floor = to_u32(fields.floor.count());
  uint32_t keep = to_u32(fields.keep.count());
  for (Section section : {Section::answer, Section::authority, Section::additional}) {
    for (RrView rr : answer.section(section)) {
      auto offset = static_cast<uint16_t>(ttl_offset(rr) - question_end);
      std::memcpy(offsets, &offset, offset_size);
      offsets += offset_size;
      store_u32(out.data() + tail_at + offset, std::min(std::max(effective_ttl(rr.ttl), floor), keep));
    }
  }
  return Bytes(out.first(size));
}

}  // namespace peregrine
