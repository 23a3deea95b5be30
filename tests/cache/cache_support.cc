#include "cache/cache_support.h"

#include <stdexcept>

#include "wire/message_writer.h"
#include "wire/rdata.h"

namespace peregrine {

namespace {

void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(what);
}

template <class Render>
Octets reply_with(const AnswerBlob& blob, std::string_view qname, Type qtype, Render render) {
  Octets reply(header_size + max_dname_size + 4 + blob.tail_size());
  MessageWriter writer(reply);
  writer.qr(true);
  writer.rcode(Rcode(static_cast<uint16_t>(blob.rcode()) & 15));
  require(writer.question(name(qname), qtype, Class::in), "no question");
  size_t question_end = writer.size();
  reply.resize(question_end + blob.tail_size());
  if (!render(MutableBytes(reply).subspan(question_end))) return {};
  for (Section s : {Section::answer, Section::authority, Section::additional})
    store_u16(&reply[4 + 2 * static_cast<size_t>(s)], blob.count(s));
  return reply;
}

constexpr HashKey test_hash_key{0x0706050403020100, 0x0f0e0d0c0b0a0908};

uint8_t octet_at(uint64_t seed, size_t i) {
  return static_cast<uint8_t>((seed + i) * 0x9e3779b97f4a7c15 >> 56);
}

}  // namespace

DnameBuf name(std::string_view text) { return DnameBuf::from_text(text).value(); }

Octets message(const MessageSpec& spec) {
  Octets octets(65535);
  MessageWriter writer(octets);
  writer.qr(true);
  writer.opcode(spec.opcode);
  writer.rcode(spec.rcode);
  writer.ad(spec.ad);
  writer.tc(spec.tc);
  if (spec.question) require(writer.question(name(spec.qname), spec.qtype, spec.qclass), "question");
  for (const Record& record : spec.records) {
    std::array<uint8_t, 4096> buffer;
    Bytes rdata = rdata_from_text(record.type, record.rdata, Dname(), buffer).value();
    require(writer.rr(record.section, name(record.owner), record.type, record.rclass, record.ttl, rdata),
            "rr");
  }
  if (spec.edns) require(writer.edns({}), "edns");
  octets.resize(writer.size());
  return octets;
}

MessageView parsed(Bytes message) { return MessageView::parse(message).value(); }

MessageSpec chain_answer() {
  return {.qname = "WWW.example.com.",
          .records = {{Section::answer, "WWW.example.com.", 300, Type::cname, "web.hosting.example.net."},
                      {Section::answer, "web.hosting.example.net.", 200, Type::cname,
                       "pool.hosting.example.net."},
                      {Section::answer, "pool.hosting.example.net.", 100, Type::a, "192.0.2.1"},
                      {Section::answer, "pool.hosting.example.net.", 100, Type::a, "192.0.2.2"},
                      {Section::authority, "hosting.example.net.", 50, Type::ns, "ns.hosting.example.net."},
                      {Section::additional, "ns.hosting.example.net.", 4000, Type::aaaa, "2001:db8::53"}},
          .ad = true};
}

Octets encoded(Bytes message, const BlobFields& fields) {
  Octets out(max_blob);
  out.resize(encode_answer(parsed(message), fields, out).value().size());
  return out;
}

Octets reply_from(const AnswerBlob& blob, std::string_view qname, Type qtype, WallTime now) {
  return reply_with(blob, qname, qtype, [&](MutableBytes out) { return blob.render(out, now); });
}

Octets reply_from(const AnswerBlob& blob, std::string_view qname, Type qtype, uint32_t ttl) {
  return reply_with(blob, qname, qtype, [&](MutableBytes out) { return blob.render_with_ttl(out, ttl); });
}

std::vector<std::string> records(const MessageView& view, Section section) {
  std::vector<std::string> texts;
  for (RrView rr : view.section(section)) texts.push_back(to_text(rr));
  return texts;
}

std::vector<uint32_t> ttls(const MessageView& view) {
  std::vector<uint32_t> all;
  for (Section section : {Section::answer, Section::authority, Section::additional})
    for (RrView rr : view.section(section)) all.push_back(rr.ttl);
  return all;
}

TestKey::TestKey(uint64_t number, size_t size) : octets_(size) {
  for (size_t i = 0; i < size; ++i) octets_[i] = static_cast<uint8_t>(number >> (8 * (i % 8)));
  hash_ = siphash13(test_hash_key, octets_);
}

Octets self_checking_blob(uint64_t seed, size_t size) {
  Octets blob(size);
  std::memcpy(blob.data(), &seed, sizeof(seed));
  for (size_t i = sizeof(seed); i < size; ++i) blob[i] = octet_at(seed + size, i);
  return blob;
}

uint64_t seed_of(Bytes blob) {
  uint64_t seed;
  std::memcpy(&seed, blob.data(), sizeof(seed));
  return seed;
}

bool is_whole(Bytes blob) {
  if (blob.size() < sizeof(uint64_t)) return false;
  uint64_t seed = seed_of(blob);
  for (size_t i = sizeof(seed); i < blob.size(); ++i)
    if (blob[i] != octet_at(seed + blob.size(), i)) return false;
  return true;
}

}  // namespace peregrine
