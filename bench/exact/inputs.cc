#include "inputs.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "wire/message_writer.h"

namespace peregrine::exact {

// Three to five labels, 20 to 40 octets: as names in the wild are.
DnameBuf name(unsigned index) {
  static constexpr std::array hosts{"www",    "api",  "cdn", "mail",  "img",
                                    "static", "edge", "app", "login", "m"};
  static constexpr std::array places{"shop", "news", "video", "cloud-service", "media.eu"};
  const std::string text = hosts[index % hosts.size()] + std::to_string(index) + "." +
                           places[index / 7 % places.size()] + std::to_string(index % 977) +
                           ".bench.example.";
  return DnameBuf::from_text(text).value();
}

// The option that a client sends who has asked before.
std::array<uint8_t, Cookie::option_size> cookie_option() {
  Cookie cookie;
  cookie.read(std::array<uint8_t, Cookie::client_size>{1, 2, 3, 4, 5, 6, 7, 8});
  fixed_cookie_secrets().answer(cookie, client().address.octets(), VirtualClock().wall());
  std::array<uint8_t, Cookie::option_size> option{0, 10, 0, Cookie::whole_size};
  std::ranges::copy(cookie.octets, option.begin() + 4);
  return option;
}

std::vector<std::vector<uint8_t>> queries(Opt opt) {
  const auto cookie = cookie_option();
  std::vector<std::vector<uint8_t>> all;
  for (unsigned i = 0; i < name_count; ++i) {
    std::array<uint8_t, 512> buffer;
    MessageWriter writer(buffer);
    writer.id(static_cast<uint16_t>(i * 7919));
    writer.rd(true);
    writer.question(name(i), Type::a, Class::in);
    if (opt != Opt::none) {
      writer.edns(
          {.dnssec_ok = opt == Opt::dnssec_ok, .options = opt == Opt::cookie ? Bytes(cookie) : Bytes()});
    }
    all.emplace_back(writer.message().begin(), writer.message().end());
  }
  return all;
}

std::vector<uint8_t> answer(Dname qname) {
  constexpr uint8_t address[] = {192, 0, 2, 1};
  std::array<uint8_t, 512> buffer;
  MessageWriter writer(buffer);
  writer.question(qname, Type::a, Class::in);
  writer.rr(Section::answer, qname, Type::a, Class::in, 300, address);
  return {writer.message().begin(), writer.message().end()};
}

std::vector<uint8_t> blob_of(unsigned records, WallTime stored_at) {
  std::vector<uint8_t> message(max_message_size), blob(max_blob);
  MessageWriter writer(message);
  writer.question(name(0), Type::a, Class::in);
  for (unsigned i = 0; i < records; ++i) {
    const std::array<uint8_t, 4> address{192, 0, 2, static_cast<uint8_t>(i)};
    writer.rr(Section::answer, name(0), Type::a, Class::in, 300, address);
  }
  const Bytes encoded = encode_answer(MessageView::parse(writer.message()).value(),
                                      {.stored_at = stored_at, .keep = std::chrono::seconds(300)}, blob)
                            .value();
  return {encoded.begin(), encoded.end()};
}

AnswerKey key(Dname qname, Opt opt, const HashSecret& secret) {
  return {{.qname = qname, .dnssec_ok = opt == Opt::dnssec_ok}, secret};
}

CookieSecrets fixed_cookie_secrets() { return {HashKey{3, 4}, HashKey{5, 6}}; }

Endpoint client() { return Endpoint::parse("127.0.0.1:4000", 0).value(); }

HashSecret fixed_secret() { return HashSecret(HashKey{1, 2}); }

}  // namespace peregrine::exact
