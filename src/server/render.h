// The last stage: the reply, written over the query in the buffer that the query came in.
//
// The octets before fields.question_end (header and question) stay where they are, so the id, the letter case
// of the question and the compression pointers to it are right by themselves; the header is patched, the rest
// appended.
#pragma once

#include <cstdint>

#include "cache/answer.h"
#include "server/intake.h"
#include "server/query.h"

namespace peregrine {

namespace render_parts {

// What a reply says in its header, and with EDNS in its OPT, beyond what it takes from the query.
struct ReplyHeader {
  ReplyHeader(uint16_t bits, unsigned extended) : flags(bits), extended_rcode(extended) {}
  explicit ReplyHeader(Rcode rcode)
      : ReplyHeader(static_cast<uint16_t>(HeaderBits::qr | HeaderBits::ra |
                                          (static_cast<uint16_t>(rcode) & HeaderBits::rcode)),
                    static_cast<unsigned>(rcode) >> 4) {}

  uint16_t flags;           // RCODE's lower four bits among them
  unsigned extended_rcode;  // the upper eight
  uint64_t counts = 0;      // see one_in(); the OPT is not among them
};

inline size_t opt_size(const QueryFields& fields) {
  if (!fields.has_edns) [[likely]]  // a branch: less work than conditional moves, with EDNS as much
    return 0;
  return bare_opt_size + (fields.cookie ? Cookie::option_size : 0);
}

// Whether a reply whose records or options end there fits, with the OPT's own octets.
inline bool fits(MutableBytes slot, const QueryFields& fields, size_t end) {
  return end + opt_size(fields) <= std::min<size_t>(slot.size(), fields.limit);
}

inline uint64_t question_count(const QueryFields& fields) {
  return fields.question_end > header_size ? one_in(Section::question) : 0;
}

// RFC 1035 section 4.1.1; RD and CD are the client's (RFC 4035 section 3.2.2), and so is the ID, which stands
// there.
inline void patch_header(uint8_t* header, const QueryFields& fields, const ReplyHeader& reply) {
  constexpr uint16_t kept = HeaderBits::opcode | HeaderBits::rd | HeaderBits::cd;
  store_u16(header + 2, static_cast<uint16_t>(reply.flags | (fields.flags & kept)));
  store_u64(header + 4, reply.counts + fields.has_edns * one_in(Section::additional));
}

// The OPT at `end`, whose room the caller has checked. Returns the message's new end. RFC 6891 section 6.1.2:
// the root, OPT, our size, the rcode's upper bits, version 0, DO (copied: RFC 3225 section 3), the options'
// length.
inline size_t put_opt(MutableBytes slot, size_t end, const QueryFields& fields, unsigned extended_rcode,
                      uint16_t udp_size, Bytes options) {
  if (!fields.has_edns) return end;
  uint8_t* p = slot.data() + end;
  const uint32_t dnssec_ok = fields.dnssec_ok * opt_dnssec_ok_bit;
  const size_t own = opt_size(fields);
  store_u64(
      p, uint64_t{static_cast<uint16_t>(Type::opt)} << 40 | uint64_t{udp_size} << 24 | extended_rcode << 16);
  store_u32(p + 7, dnssec_ok << 16 | static_cast<uint32_t>(own - bare_opt_size + options.size()));
  p += bare_opt_size;
  if (fields.cookie) {
    store_u32(p, uint32_t{static_cast<uint16_t>(EdnsOption::cookie)} << 16 | Cookie::whole_size);
    std::memcpy(p + 4, fields.cookie.octets.data(), Cookie::whole_size);
  }
  if (!options.empty()) std::memcpy(slot.data() + end + own, options.data(), options.size());
  return end + own + options.size();
}

inline ReplyHeader header_of(const AnswerBlob& blob, const QueryFields& fields) {
  ReplyHeader reply(blob.reply_flags(), blob.extended_rcode());
  // RFC 6840 section 5.8: AD only for a client that showed that it understands it.
  if ((reply.flags & HeaderBits::ad) != 0 && !fields.ad() && !fields.dnssec_ok) reply.flags ^= HeaderBits::ad;
  return reply;
}

}  // namespace render_parts

// Each returns the reply's octets in `slot`, at most fields.limit and the slot's size; 0 where not even a
// header fits.
struct RenderOptions {
  WallTime now;
  uint16_t udp_size = 1232;  // what our OPT offers
};

// The header of a cached answer with TC, and no records.
[[gnu::cold]] size_t render_truncated(MutableBytes slot, const QueryFields& fields, AnswerBlob blob,
                                      uint16_t udp_size);

// A cached answer, or the above where it does not fit (RFC 2181 section 9).
[[gnu::always_inline]] inline size_t render_answer(MutableBytes slot, const QueryFields& fields,
                                                   const AnswerBlob& blob, const RenderOptions& options) {
  using namespace render_parts;
  const size_t tail_at = fields.question_end, tail_size = blob.tail_size(), tail_end = tail_at + tail_size;
  if (!fits(slot, fields, tail_end) || !blob.render(slot.subspan(tail_at, tail_size), options.now)) {
    return render_truncated(slot, fields, blob, options.udp_size);
  }
  ReplyHeader reply = header_of(blob, fields);
  reply.counts = one_in(Section::question) + blob.counts();
  patch_header(slot.data(), fields, reply);
  return put_opt(slot, tail_end, fields, reply.extended_rcode, options.udp_size, {});
}

// No records: an rcode, and with EDNS the extended error.
size_t render_rejection(MutableBytes slot, const QueryFields& fields, const Rejection& rejection,
                        const RenderOptions& options);

// A message made by a MessageWriter for the same question, without OPT.
size_t render_message(MutableBytes slot, const QueryFields& fields, Bytes message,
                      const RenderOptions& options);

// RFC 8482 section 4.2: an HINFO that says so.
size_t render_minimal_any(MutableBytes slot, const QueryFields& fields, const RenderOptions& options);

}  // namespace peregrine
