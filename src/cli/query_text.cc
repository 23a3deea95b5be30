#include "cli/query_text.h"

#include <fmt/format.h>

#include <string_view>

#include "cli/text.h"
#include "wire/rdata.h"

namespace peregrine {
namespace {

std::string header_text(const MessageView& message) {
  const Header& header = message.header();
  std::string flags;
  const auto flag = [&](bool on, std::string_view name) {
    if (on) (flags += ' ') += name;
  };
  flag(header.qr(), "qr");
  flag(header.aa(), "aa");
  flag(header.tc(), "tc");
  flag(header.rd(), "rd");
  flag(header.ra(), "ra");
  flag(header.ad(), "ad");
  flag(header.cd(), "cd");
  return fmt::format(";; {}, id {},{}; {}, {} authority, {} additional\n", to_string(message.rcode()),
                     header.id(), flags, count_text(header.count(Section::answer), "answer"),
                     header.count(Section::authority), header.count(Section::additional));
}

std::string question_text(const MessageView& message) {
  if (!message.has_question()) return {};
  const Question question = message.question();
  return fmt::format(";; question: {} {} {}\n", question.qname.to_string(), to_string(question.qclass),
                     to_string(question.qtype));
}

// RFC 8914 section 2: a code and free text.
std::string extended_error_text(Bytes value) {
  ByteReader reader(value);
  const auto code = static_cast<Ede>(reader.u16());
  if (!reader.ok()) return ";; extended error: malformed\n";
  const Bytes rest = reader.take(reader.remaining());
  std::string text = fmt::format(";; extended error {}", static_cast<unsigned>(code));
  if (!to_string(code).empty()) text += fmt::format(" ({})", to_string(code));
  if (!rest.empty()) {
    text += ": " + safe_for_terminal({reinterpret_cast<const char*>(rest.data()), rest.size()});
  }
  return text + '\n';
}

std::string edns_text(const Edns& edns) {
  std::string text = fmt::format(";; EDNS: version {}, udp {}{}\n", edns.version, edns.udp_size,
                                 edns.dnssec_ok ? ", do" : "");
  for (EdnsOptions it(edns.options); it.next();) {
    if (it.code() == EdnsOption::extended_error) text += extended_error_text(it.value());
  }
  return text;
}

std::string section_text(const MessageView& message, Section section, std::string_view title) {
  std::string records;
  for (const RrView& rr : message.section(section)) {
    if (rr.type != Type::opt) records += to_text(rr) + '\n';
  }
  return records.empty() ? records : fmt::format("\n;; {}\n{}", title, records);
}

}  // namespace

std::string message_text(const MessageView& message) {
  std::string text = header_text(message) + question_text(message);
  if (message.edns()) text += edns_text(*message.edns());
  text += section_text(message, Section::answer, "answer");
  text += section_text(message, Section::authority, "authority");
  text += section_text(message, Section::additional, "additional");
  return text + '\n';
}

}  // namespace peregrine
