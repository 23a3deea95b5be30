// A message that parses can be read, printed and copied whole; the copy holds the same records.
#include "wire/message_view.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "fuzz_input.h"
#include "wire/message_writer.h"
#include "wire/rdata.h"

using namespace peregrine;

static std::array<uint8_t, 0x10000> message_buffer, rdata_buffer, text_buffer;

static void read_edns(const Edns& edns) {
  size_t octets = 0;
  for (EdnsOptions it(edns.options); it.next();) octets += 4 + it.value().size();
  require(octets == edns.options.size());
}

// Presentation form of well-formed rdata leads back to the same octets.
static void survives_text(Type type, Bytes rdata) {
  auto again = rdata_from_text(type, rdata_to_text(type, rdata), Dname(), text_buffer);
  require(again && std::ranges::equal(*again, rdata));
}

static void read_rr(const RrView& rr) {
  DnameBuf owner = rr.owner.expand();
  require(rr.owner.equals(owner) && Dname::parse(owner.view().wire()).has_value());
  require(!to_text(rr).empty());
  bool well_formed = check_rdata(rr).has_value();
  auto rdata = expand_rdata(rr, rdata_buffer);
  require(rdata.has_value() == well_formed);
  require(well_formed || (!target_of(rr) && rdata_to_text(rr.type, rr.rdata).starts_with("\\#")));
  require(soa_numbers(rr).has_value() == (well_formed && rr.type == Type::soa));
  if (well_formed) survives_text(rr.type, *rdata);
  require(canonical_rdata(rr, rdata_buffer).has_value() == well_formed);
}

// A name that is compressed takes its letter case from the place that it points to.
static std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto view = MessageView::parse({data, size});
  if (!view) return 0;
  if (view->edns()) read_edns(*view->edns());
  MessageWriter writer(message_buffer);
  if (view->has_question()) {
    Question question = view->question();
    require(writer.question(question.qname, question.qtype, question.qclass));
  }
  std::array<uint16_t, 4> copied{};
  std::vector<std::string> texts;
  constexpr Section sections[] = {Section::answer, Section::authority, Section::additional};
  for (Section section : sections) {
    unsigned count = 0;
    for (RrView rr : view->section(section)) {
      ++count;
      read_rr(rr);
      if (!writer.copy(section, rr)) continue;
      ++copied[static_cast<size_t>(section)];
      texts.push_back(lower(to_text(rr)));
    }
    require(count == view->header().count(section));
  }
  auto copy = MessageView::parse(writer.message());
  require(copy && !copy->has_trailing_octets());
  size_t at = 0;
  for (Section section : sections) {
    require(copy->header().count(section) == copied[static_cast<size_t>(section)]);
    for (RrView rr : copy->section(section)) require(lower(to_text(rr)) == texts.at(at++));
  }
  return 0;
}
