#include "wire/wire_support.h"

#include <cctype>
#include <stdexcept>

namespace peregrine {

Octets hex(std::string_view text) {
  Octets octets;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\'') {
      for (++i; text.at(i) != '\''; ++i) octets.push_back(static_cast<uint8_t>(text[i]));
    } else if (std::isxdigit(static_cast<unsigned char>(text[i])) != 0) {
      octets.push_back(static_cast<uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
      ++i;
    }
  }
  return octets;
}

DnameBuf name(std::string_view text) {
  auto parsed = DnameBuf::from_text(text);
  if (!parsed) throw std::invalid_argument(std::string(text));
  return *parsed;
}

Octets wire_of(Dname name) { return {name.wire().begin(), name.wire().end()}; }

Octets repeat(Octets part, size_t times) {
  Octets all;
  for (size_t i = 0; i < times; ++i) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Octets operator+(Octets a, const Octets& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::vector<std::string> records(const MessageView& view, Section section) {
  std::vector<std::string> texts;
  for (RrView rr : view.section(section)) texts.push_back(to_text(rr));
  return texts;
}

namespace golden {

Octets query() {
  return hex(
      "1a2b 0120 0001 0000 0000 0001"
      "03'www' 07'Example' 03'com' 00 0001 0001"
      "00 0029 04d0 00008000 000c 000a 0008 0102030405060708");
}

// 12: www.example.com  16: example.com  45: web.cdn.example.net  (43: rdata of the first CNAME)
Octets answer() {
  return hex(
      "1a2b 8180 0001 0003 0000 0000"
      "03'www' 07'example' 03'com' 00 0001 0001"
      "c00c 0005 0001 00000e10 0015 03'web' 03'cdn' 07'example' 03'net' 00"  // 33; rdata at 45
      "c02d 0005 0001 0000003c 0005 02'e1' c031"                             // 66; rdata at 78
      "c04e 0001 0001 0000001e 0004 c0000219");
}

Octets referral() {
  return hex(
      "0007 8000 0001 0000 0002 0003"
      "07'example' 03'com' 00 0001 0001"                                // 12; com at 20
      "c014 0002 0001 0002a300 0014 01'a' 0c'gtld-servers' 03'net' 00"  // 29; rdata at 41, gtld-servers at 43
      "c014 0002 0001 0002a300 0004 01'b' c02b"                         // 61; rdata at 73
      "c029 0001 0001 0002a300 0004 c005061e"
      "c029 001c 0001 0002a300 0010 20010503a83e00000000000000020030"
      "c049 0001 0001 0002a300 0004 c0210e1e");
}

Octets nxdomain() {
  return hex(
      "beef 8583 0001 0000 0001 0001"
      "02'no' 07'example' 03'org' 00 001c 0001"                       // 12; example at 15
      "c00f 0006 0001 00000384 0026 02'ns' c00f 0a'hostmaster' c00f"  // 32; rdata at 44
      "78a4f7c9 00001c20 00000e10 00127500 00000384"
      "00 0029 0200 00000000 000c 000f 0008 0015 'denied'");
}

Octets kitchen_sink() {
  return hex(
      "0001 8400 0001 000b 0000 0000"
      "01'x' 00 00ff 0001"
      "c00c 0001 0001 00000001 0004 c0000201"
      "c00c 0002 0001 00000001 0005 02'ns' c00c"
      "c00c 0005 0001 00000001 0002 c00c"
      "c00c 0006 0001 00000001 0018 c00c c00c 00000001 00000002 00000003 00000004 00000005"
      "c00c 000c 0001 00000001 0003 01'p' 00"
      "c00c 000f 0001 00000001 0007 000a 02'mx' c00c"
      "c00c 0010 0001 00000001 000a 05'hello' 00 02'w\"'"
      "c00c 001c 0001 00000001 0010 20010db8000000000000000000000001"
      "c00c 0021 0001 00000001 000b 0001 0002 0035 01's' 01'x' 00"
      "c00c 0027 0001 00000001 0003 01'd' 00"
      "c00c 0101 0001 00000001 0008 00 05'issue' 3b");
}

std::vector<Octets> all() { return {query(), answer(), referral(), nxdomain(), kitchen_sink()}; }

}  // namespace golden
}  // namespace peregrine
