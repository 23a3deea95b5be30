// A message written by a script of operations is whole after each of them, and holds what they said they
// added.
#include "wire/message_writer.h"

#include <algorithm>
#include <array>
#include <vector>

#include "fuzz_input.h"
#include "wire/rdata.h"

using namespace peregrine;

// What the message must hold: questions and records in the order in which they were added.
struct Added {
  Section section;
  DnameBuf owner;
  Type type;
  uint32_t ttl;
};

// Names that share suffixes, so that there is something to compress, or octets from the script.
static DnameBuf draw_name(Script& script) {
  DnameBuf name;
  for (unsigned labels = script.u8() % 8; labels > 0; --labels) {
    uint8_t choice = script.u8();
    Bytes label = script.take(choice < 128 ? choice % 3 : choice % (max_label_size + 1));
    name.append_label(label.empty() ? Bytes(&choice, 1) : label);
  }
  return name;
}

static void check(const MessageWriter& writer, const std::vector<Added>& added) {
  if (!writer.ok()) return require(writer.message().empty() && added.empty());
  auto view = MessageView::parse(writer.message());
  require(view && !view->has_trailing_octets());
  size_t at = 0;
  if (view->has_question()) require(added.at(at++).owner == view->question().qname);
  for (Section section : {Section::answer, Section::authority, Section::additional})
    for (RrView rr : view->section(section)) {
      const Added& one = added.at(at++);
      require(one.section == section && one.type == rr.type && one.ttl == rr.ttl &&
              rr.owner.equals(one.owner));
      require(check_rdata(rr).has_value());
    }
  require(at == added.size());
}

static void add_rr(Script& script, MessageWriter& writer, std::vector<Added>& added) {
  constexpr Type types[] = {Type::a,  Type::ns,  Type::cname, Type::soa,
                            Type::mx, Type::txt, Type::srv,   Type(65280)};
  Added one{Section(script.u8() % 4), draw_name(script), types[script.u8() % std::size(types)], script.u16()};
  std::array<uint8_t, 600> rdata;
  ByteWriter out(rdata);
  out.put(script.take(script.u8() % 8));
  for (unsigned names = script.u8() % 3; names > 0; --names) out.put(draw_name(script).view().wire());
  out.put(script.take(script.u8() % 32));
  if (writer.rr(one.section, one.owner, one.type, Class::in, one.ttl, out.written())) added.push_back(one);
}

static void add_question(Script& script, MessageWriter& writer, std::vector<Added>& added) {
  DnameBuf qname = draw_name(script);
  if (writer.question(qname, Type::a, Class::in)) added.push_back({Section::question, qname, Type::a, 0});
}

static void add_edns(Script& script, MessageWriter& writer, std::vector<Added>& added) {
  Bytes options = script.take(script.u8() % 16);
  writer.rcode(Rcode::noerror);
  if (writer.edns({.options = options})) added.push_back({Section::additional, DnameBuf(), Type::opt, 0});
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Script script({data, size});
  std::vector<uint8_t> buffer(script.u16() % 0x5000);
  MessageWriter writer(buffer);
  std::vector<Added> added;
  std::vector<std::pair<MessageWriter::Mark, size_t>> marks;
  while (!script.at_end()) {
    switch (script.u8() % 8) {
      case 0:
        add_question(script, writer, added);
        break;
      case 1:
        add_edns(script, writer, added);
        break;
      case 2:
        writer.reserve(script.u8());
        break;
      case 3:
        marks.emplace_back(writer.mark(), added.size());
        break;
      case 4:
        if (marks.empty()) break;
        writer.roll_back(marks.back().first);
        added.resize(marks.back().second);
        marks.pop_back();
        break;
      default:
        add_rr(script, writer, added);
        break;
    }
    check(writer, added);
  }
  return 0;
}
