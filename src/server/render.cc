#include "server/render.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "wire/message_writer.h"

namespace peregrine {
namespace {

constexpr size_t bare_opt_size = 11;
constexpr size_t max_extra_text = 96;  // octets of an extended error's text: keep replies small

struct Counts {
  uint16_t answer = 0, authority = 0, additional = 0;
};

struct ReplyHeader {
  Rcode rcode = Rcode::noerror;
  bool aa = false, ad = false, tc = false;
  Counts counts{};
};

size_t opt_size(const QueryFields& fields) { return fields.has_edns ? bare_opt_size : 0; }

// RFC 1035 section 4.1.1; RD and CD are the client's (RFC 4035 section 3.2.2), QR and RA are ours.
void patch_header(uint8_t* header, const QueryFields& fields, const ReplyHeader& reply) {
  constexpr uint16_t qr_ra = 0x8080, aa = 0x0400, tc = 0x0200;
  constexpr uint16_t kept = QueryFields::opcode_mask | QueryFields::rd_bit | QueryFields::cd_bit;
  const uint64_t questions = fields.question_end > header_size;
  const unsigned flags = qr_ra | (fields.flags & kept) | (reply.aa ? aa : 0) | (reply.tc ? tc : 0) |
                         (reply.ad ? QueryFields::ad_bit : 0) | (static_cast<unsigned>(reply.rcode) & 15);
  const uint64_t additional = reply.counts.additional + uint64_t{fields.has_edns};
  store_u16(header, fields.id);
  store_u16(header + 2, static_cast<uint16_t>(flags));
  store_u64(header + 4, questions << 48 | uint64_t{reply.counts.answer} << 32 |
                            uint64_t{reply.counts.authority} << 16 | (additional & 0xffff));
}

// The OPT at `end`, whose room the caller has checked. Returns the message's new end. RFC 6891 section 6.1.2.
size_t put_opt(MutableBytes slot, size_t end, const QueryFields& fields, Rcode rcode, uint16_t udp_size,
               Bytes options) {
  if (!fields.has_edns) return end;
  uint8_t* p = slot.data() + end;
  p[0] = 0;
  store_u16(p + 1, static_cast<uint16_t>(Type::opt));
  store_u16(p + 3, udp_size);
  // RFC 3225 section 3: DO is copied. Version 0.
  store_u32(p + 5, uint32_t{static_cast<uint16_t>(rcode)} >> 4 << 24 | (fields.dnssec_ok ? 0x8000 : 0));
  store_u16(p + 9, static_cast<uint16_t>(options.size()));
  if (!options.empty()) std::memcpy(p + bare_opt_size, options.data(), options.size());
  return end + bare_opt_size + options.size();
}

// The whole reply where only header, question and OPT are left.
size_t finish_empty(MutableBytes slot, const QueryFields& fields, ReplyHeader reply, uint16_t udp_size,
                    Bytes options) {
  size_t end = fields.question_end;
  if (slot.size() < end + opt_size(fields) + options.size()) return 0;
  patch_header(slot.data(), fields, reply);
  return put_opt(slot, end, fields, reply.rcode, udp_size, options);
}

size_t tail_room(MutableBytes slot, const QueryFields& fields) {
  size_t limit = std::min<size_t>(slot.size(), fields.limit);
  size_t used = fields.question_end + opt_size(fields);
  return limit > used ? limit - used : 0;
}

}  // namespace

size_t render_answer(MutableBytes slot, const QueryFields& fields, const AnswerBlob& blob,
                     const RenderOptions& options) {
  // RFC 6840 section 5.8: AD only for a client that showed that it understands it.
  ReplyHeader reply{.rcode = blob.rcode(), .ad = blob.authentic() && (fields.ad() || fields.dnssec_ok)};
  const size_t room = tail_room(slot, fields);
  if (blob.tail_size() > room || !blob.render(slot.subspan(fields.question_end, room), options.now)) {
    reply.tc = true;
    return finish_empty(slot, fields, reply, options.udp_size, {});
  }
  reply.counts = {blob.count(Section::answer), blob.count(Section::authority),
                  blob.count(Section::additional)};
  patch_header(slot.data(), fields, reply);
  return put_opt(slot, fields.question_end + blob.tail_size(), fields, reply.rcode, options.udp_size, {});
}

size_t render_rejection(MutableBytes slot, const QueryFields& fields, const Rejection& rejection,
                        const RenderOptions& options) {
  std::array<uint8_t, 4 + 2 + max_extra_text> buffer;
  ByteWriter extended(buffer);
  if (rejection.ede && fields.has_edns) {
    put_extended_error(extended, *rejection.ede, rejection.ede_text.substr(0, max_extra_text));
  }
  return finish_empty(slot, fields, {.rcode = rejection.rcode}, options.udp_size, extended.written());
}

size_t render_message(MutableBytes slot, const QueryFields& fields, Bytes message,
                      const RenderOptions& options) {
  auto header = Header::read(message);
  if (!header || message.size() < fields.question_end) return 0;
  ReplyHeader reply{.rcode = Rcode{header->rcode_low()}, .aa = header->aa()};
  Bytes tail = message.subspan(fields.question_end);
  if (tail.size() > tail_room(slot, fields)) {
    reply.tc = true;
    return finish_empty(slot, fields, reply, options.udp_size, {});
  }
  if (!tail.empty()) std::memcpy(slot.data() + fields.question_end, tail.data(), tail.size());
  reply.counts = {header->count(Section::answer), header->count(Section::authority),
                  header->count(Section::additional)};
  patch_header(slot.data(), fields, reply);
  return put_opt(slot, fields.question_end + tail.size(), fields, reply.rcode, options.udp_size, {});
}

size_t render_minimal_any(MutableBytes slot, const QueryFields& fields, const RenderOptions& options) {
  // Owner: a pointer to the question. CPU "RFC8482", OS "", as section 4.2 asks; a TTL of an hour.
  static constexpr uint8_t hinfo[] = {0xC0, 0x0C, 0,   13,  0,   1,   0,   0,   0x0E, 0x10, 0,
                                      9,    7,    'R', 'F', 'C', '8', '4', '8', '2',  0};
  if (sizeof hinfo > tail_room(slot, fields)) return 0;
  std::memcpy(slot.data() + fields.question_end, hinfo, sizeof hinfo);
  ReplyHeader reply{.counts = {.answer = 1}};
  patch_header(slot.data(), fields, reply);
  return put_opt(slot, fields.question_end + sizeof hinfo, fields, reply.rcode, options.udp_size, {});
}

}  // namespace peregrine
