// Message and MessageView accept the same octets and tell the same of them; a Message that can be written is
// read again with the same records.
#include <array>

#include "fuzz_input.h"
#include "wire/message.h"
#include "wire/message_equality.h"
#include "wire/message_writer.h"

using namespace peregrine;

static std::array<uint8_t, max_message_size> buffer;

// Letter case aside: a compressed name takes its case from the place that it points to.
static bool same_records(const Message& a, const Message& b, Section section) {
  return std::ranges::equal(a.section(section), b.section(section), [](const auto& x, const auto& y) {
    return x.owner == y.owner && x.type == y.type && x.rclass == y.rclass && x.ttl == y.ttl &&
           x.well_formed == y.well_formed && x.rdata.size() == y.rdata.size();
  });
}

static void survives_writing(const Message& message) {
  MessageWriter writer(buffer);
  const auto size = message.write(writer);
  if (!size) return;
  require(*size == writer.size());
  const auto again = Message::parse(writer.message());
  require(again && !again->has_trailing_octets() && again->rcode() == message.rcode());
  require(again->has_question() == message.has_question());
  require(!again->has_question() || same_octets(again->question().qname, message.question().qname));
  for (const Section s : {Section::answer, Section::authority, Section::additional}) {
    require(same_records(message, *again, s));
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes octets(data, size);
  const auto message = Message::parse(octets);
  require(difference(message, MessageView::parse(octets)).empty());
  if (message) survives_writing(*message);
  return 0;
}
