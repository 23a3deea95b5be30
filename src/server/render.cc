#include "server/render.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "wire/message_writer.h"

namespace peregrine {
using namespace render_parts;

namespace {

constexpr size_t max_extra_text = 96;  // octets of an extended error's text: keep replies small

// The whole reply where only header, question and OPT are left.
size_t finish_empty(MutableBytes slot, const QueryFields& fields, ReplyHeader reply, uint16_t udp_size,
                    Bytes options) {
  if (!fits(slot, fields, fields.question_end + options.size())) return 0;
  reply.counts = question_count(fields);
  patch_header(slot.data(), fields, reply);
  return put_opt(slot, fields.question_end, fields, reply.extended_rcode, udp_size, options);
}

}  // namespace

size_t render_truncated(MutableBytes slot, const QueryFields& fields, AnswerBlob blob, uint16_t udp_size) {
  ReplyHeader reply = header_of(blob, fields);
  reply.flags |= HeaderBits::tc;
  return finish_empty(slot, fields, reply, udp_size, {});
}

size_t render_rejection(MutableBytes slot, const QueryFields& fields, const Rejection& rejection,
                        const RenderOptions& options) {
  std::array<uint8_t, 4 + 2 + max_extra_text> buffer;
  ByteWriter extended(buffer);
  if (rejection.ede && fields.has_edns) {
    put_extended_error(extended, *rejection.ede, rejection.ede_text.substr(0, max_extra_text));
  }
  return finish_empty(slot, fields, ReplyHeader(rejection.rcode), options.udp_size, extended.written());
}

size_t render_message(MutableBytes slot, const QueryFields& fields, Bytes message,
                      const RenderOptions& options) {
  auto header = Header::read(message);
  if (!header || message.size() < fields.question_end) return 0;
  ReplyHeader reply(Rcode{header->rcode_low()});
  if (header->aa()) reply.flags |= HeaderBits::aa;
  Bytes tail = message.subspan(fields.question_end);
  if (!fits(slot, fields, message.size())) {
    reply.flags |= HeaderBits::tc;
    return finish_empty(slot, fields, reply, options.udp_size, {});
  }
  if (!tail.empty()) std::memcpy(slot.data() + fields.question_end, tail.data(), tail.size());
  reply.counts = question_count(fields) + (header->counts() & record_counts);
  patch_header(slot.data(), fields, reply);
  return put_opt(slot, fields.question_end + tail.size(), fields, reply.extended_rcode, options.udp_size, {});
}

size_t render_minimal_any(MutableBytes slot, const QueryFields& fields, const RenderOptions& options) {
  // Owner: a pointer to the question. CPU "RFC8482", OS "", as section 4.2 asks; a TTL of an hour.
  static constexpr uint8_t hinfo[] = {0xC0, 0x0C, 0,   13,  0,   1,   0,   0,   0x0E, 0x10, 0,
                                      9,    7,    'R', 'F', 'C', '8', '4', '8', '2',  0};
  if (!fits(slot, fields, fields.question_end + sizeof hinfo)) return 0;
  std::memcpy(slot.data() + fields.question_end, hinfo, sizeof hinfo);
  ReplyHeader reply(Rcode::noerror);
  reply.counts = one_in(Section::question) + one_in(Section::answer);
  patch_header(slot.data(), fields, reply);
  return put_opt(slot, fields.question_end + sizeof hinfo, fields, reply.extended_rcode, options.udp_size,
                 {});
}

}  // namespace peregrine
