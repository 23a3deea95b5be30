#include "cache/flush.h"

#include <optional>

#include "cache/answer.h"
#include "cache/delegation.h"
#include "cache/key.h"
#include "cache/rrset.h"
#include "wire/rdata.h"

namespace peregrine {

namespace {

bool redirects(Type type) { return type == Type::cname || type == Type::dname; }

}  // namespace

AnswerReader::AnswerReader() : buffer_(max_message_size) {}

std::optional<MessageView> AnswerReader::read(const KeyParts& key, const AnswerBlob& blob) {
  const size_t question_end = header_size + key.owner.size() + type_and_class_size;
  const Bytes tail = blob.tail();
  if (question_end + tail.size() > buffer_.size()) return std::nullopt;

  ByteWriter out(buffer_);
  out.u16(0);
  out.u16(blob.reply_flags());
  out.u16(1);
  for (const Section section : {Section::answer, Section::authority, Section::additional})
    out.u16(blob.count(section));
  out.put(key.owner.wire());
  out.u16(static_cast<uint16_t>(key.type));
  out.u16(static_cast<uint16_t>(key.rclass));
  out.put(tail);
  const auto message = MessageView::parse(out.written());
  if (!message) return std::nullopt;
  return *message;
}

bool Mentions::operator()(const StoredEntry& entry) {
  const auto key = KeyParts::read(entry.key.octets);
  if (!key || target_.holds(key->owner)) return true;
  switch (key->view) {
    case KeyView::answer:
    case KeyView::denial:
      return in_answer(*key, entry.blob);
    case KeyView::rrset:
      return in_rrset(*key, entry.blob);
    case KeyView::delegation:
      return in_delegation(entry.blob);
  }
  return true;
}

bool Mentions::in_answer(const KeyParts& key, Bytes octets) {
  const auto blob = AnswerBlob::open(octets);
  const auto message = blob ? reader_.read(key, *blob) : std::nullopt;
  if (!message) return true;
  for (const Section section : {Section::answer, Section::authority, Section::additional}) {
    for (const RrView rr : message->section(section)) {
      if (target_.holds(rr.owner.expand())) return true;
      if (!redirects(rr.type)) continue;
      const auto target = target_of(rr);
      if (!target || target_.holds(*target)) return true;
    }
  }
  return false;
}

bool Mentions::in_rrset(const KeyParts& key, Bytes octets) const {
  const auto blob = RrsetBlob::open(octets);
  if (!blob) return true;
  if (!redirects(key.type)) return false;
  for (const Bytes rdata : blob->records()) {
    const auto target = Dname::parse(rdata);
    if (!target || target_.holds(*target)) return true;
  }
  return false;
}

bool Mentions::in_delegation(Bytes octets) const {
  const auto blob = DelegationBlob::open(octets);
  if (!blob) return true;
  bool found = false;
  blob->for_each_server([&](const DelegationServer& server) {
    found = found || (!server.glue.empty() && target_.holds(server.name));
  });
  return found;
}

FlushReport flush(AnyStore& store, FlushGeneration& generation, const FlushTarget& target) {
  generation.raise();
  FlushReport report;
  Mentions mentions(target);
  store.scan([&](const StoredEntry& entry) {
    ++report.seen;
    if (!mentions(entry)) return ScanAction::keep;
    ++report.removed;
    return ScanAction::remove;
  });
  return report;
}

}  // namespace peregrine
