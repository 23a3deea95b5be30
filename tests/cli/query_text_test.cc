#include "cli/query_text.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "wire/message_writer.h"

namespace peregrine {
namespace {

std::string text_of(const MessageWriter& writer) {
  return message_text(*MessageView::parse(writer.message()));
}

TEST(MessageText, SectionsAndEdns) {
  std::array<uint8_t, 1024> buffer, option_buffer;
  ByteWriter options(option_buffer);
  put_extended_error(options, Ede::no_reachable_authority, "all \x1b[31mdown");
  put_extended_error(options, static_cast<Ede>(999), "");
  MessageWriter writer(buffer);
  writer.id(7);
  for (auto set : {&MessageWriter::qr, &MessageWriter::aa, &MessageWriter::tc, &MessageWriter::rd,
                   &MessageWriter::ra, &MessageWriter::ad, &MessageWriter::cd}) {
    (writer.*set)(true);
  }
  const DnameBuf name = *DnameBuf::from_text("www.Example");
  const std::array<uint8_t, 4> address{192, 0, 2, 1};
  writer.question(name, Type::a, Class::in);
  writer.rr(Section::answer, name, Type::a, Class::in, 300, address);
  writer.rr(Section::authority, name, static_cast<Type>(65280), Class::ch, 0, address);
  writer.rr(Section::additional, Dname(), Type::a, Class::in, 1, address);
  writer.edns({.udp_size = 1400, .dnssec_ok = true, .options = options.written()});
  writer.rcode(Rcode::badcookie);
  EXPECT_EQ(text_of(writer),
            ";; BADCOOKIE, id 7, qr aa tc rd ra ad cd; 1 answer, 1 authority, 2 additional\n"
            ";; question: www.Example. IN A\n"
            ";; EDNS: version 0, udp 1400, do\n"
            ";; extended error 22 (No Reachable Authority): all \\x1b[31mdown\n"
            ";; extended error 999\n"
            "\n;; answer\n"
            "www.Example.\t300\tIN\tA\t192.0.2.1\n"
            "\n;; authority\n"
            "www.Example.\t0\tCH\tTYPE65280\t\\# 4 C0000201\n"
            "\n;; additional\n"
            ".\t1\tIN\tA\t192.0.2.1\n"
            "\n");
}

TEST(MessageText, AHeaderAlone) {
  std::array<uint8_t, 12> buffer;
  MessageWriter writer(buffer);
  writer.rcode(Rcode::formerr);
  EXPECT_EQ(text_of(writer), ";; FORMERR, id 0,; 0 answers, 0 authority, 0 additional\n\n");
}

TEST(MessageText, AnExtendedErrorWithoutCode) {
  std::array<uint8_t, 64> buffer;
  const std::array<uint8_t, 5> option{0, 15, 0, 1, 0};
  MessageWriter writer(buffer);
  writer.edns({.options = option});
  EXPECT_NE(text_of(writer).find(";; extended error: malformed\n"), std::string::npos);
}

}  // namespace
}  // namespace peregrine
