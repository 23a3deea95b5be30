#include "sim/trace.h"

#include <cstdio>

#include "wire/message_view.h"

namespace peregrine::sim {
namespace {

Bytes octets_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string flags_of(const Header& header) {
  std::string flags;
  for (auto [set, name] :
       {std::pair(header.qr(), " qr"), {header.tc(), " tc"}, {header.rd(), " rd"}, {header.cd(), " cd"}}) {
    if (set) flags += name;
  }
  return flags;
}

}  // namespace

// FNV-1a.
void Trace::mix(Bytes octets) {
  for (uint8_t octet : octets) hash_ = (hash_ ^ octet) * 0x100000001b3;
}

void Trace::mix_moment(std::string_view what) {
  std::array<uint8_t, 4> now;
  store_u32(now.data(),
            static_cast<uint32_t>(clock_.now().time_since_epoch() / std::chrono::microseconds(1)));
  mix(now);
  mix(octets_of(what));
}

void Trace::note(std::string_view what, std::string_view detail) {
  mix_moment(what);
  mix(octets_of(detail));
  if (verbose_)
    std::fprintf(stderr, "%s %s %s\n", time().c_str(), std::string(what).c_str(),
                 std::string(detail).c_str());
}

void Trace::note(std::string_view what, const Endpoint& who, Bytes message) {
  std::array<uint8_t, 2> port;
  store_u16(port.data(), who.port);
  mix_moment(what);
  mix(who.address.octets());
  mix(port);
  mix(message);
  if (!verbose_) return;
  std::fprintf(stderr, "%s %s %s %s\n", time().c_str(), std::string(what).c_str(), who.to_string().c_str(),
               summary(message).c_str());
}

std::string Trace::time() const {
  char text[32];
  std::snprintf(text, sizeof text, "%11.6f",
                std::chrono::duration<double>(clock_.now().time_since_epoch()).count());
  return text;
}

std::string summary(Bytes message) {
  const std::string size = std::to_string(message.size()) + " octets";
  const auto header = Header::read(message);
  if (!header) return size;
  std::string text = "id " + std::to_string(header->id()) + flags_of(*header);
  const auto view = MessageView::parse(message);
  if (!view) return text + ", malformed, " + size;
  if (view->has_question())
    text += " " + view->question().qname.to_string() + " " + to_string(view->question().qtype);
  if (header->qr()) text += " " + to_string(view->rcode());
  text += " " + std::to_string(header->count(Section::answer)) + "/" +
          std::to_string(header->count(Section::authority));
  if (view->edns()) text += view->edns()->dnssec_ok ? " edns do" : " edns";
  return text + ", " + size;
}

}  // namespace peregrine::sim
