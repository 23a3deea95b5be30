// A message's octets to what is known of it: a query on the hit path; any message, read in place or into a
// Message that owns its parts.
#include "data/packets.h"
#include "exact.h"
#include "inputs.h"
#include "server/plain_query.h"
#include "wire/message.h"

namespace peregrine::exact {
namespace {

constexpr uint16_t udp_size = 1232;

template <class Parsed>
void parse_all(Meter& meter, std::vector<std::vector<uint8_t>> messages) {
  bool all_parsed = true;
  count_each(meter, messages, [&](const std::vector<uint8_t>& message) {
    const auto parsed = Parsed::parse(message);
    keep(parsed);
    all_parsed &= parsed.has_value();
  });
  require(all_parsed, "a message was not understood");
}

template <Opt opt>
void parse_queries(Meter& meter) {
  parse_all<MessageView>(meter, queries(opt));
}

constexpr std::string_view packets[] = {"query", "edns_query", "referral", "signed_answer", "txt_4k"};

template <class Parsed, size_t index>
void parse_packet(Meter& meter) {
  parse_all<Parsed>(meter, {bench::packet(packets[index])});
}

template <Opt opt>
void read_queries(Meter& meter) {
  struct Slot {
    std::vector<uint8_t> octets;
    size_t size;
    QueryFields fields{};
  };
  std::vector<Slot> slots;
  for (auto& query : queries(opt)) {
    slots.push_back({.octets = query, .size = query.size()});
    slots.back().octets.resize(least_plain_slot);
  }
  bool all_read = true;
  count_each(meter, slots, [&](Slot& slot) {
    PlainQuery query{.fields = slot.fields, .name_octets = {}, .qtype = {}};
    all_read &= read_plain_query(slot.octets, slot.size, udp_size, query);
    keep(query);
  });
  require(all_read, "a query was not plain");
}

template <size_t... indexes>
void add_packets(std::vector<Benchmark>& benchmarks, std::index_sequence<indexes...>) {
  const auto add = [&](size_t index, auto in_place, auto owning) {
    benchmarks.push_back({"parse_in_place." + std::string(packets[index]), in_place});
    benchmarks.push_back({"parse_owning." + std::string(packets[index]), owning});
  };
  (add(indexes, parse_packet<MessageView, indexes>, parse_packet<Message, indexes>), ...);
}

}  // namespace
}  // namespace peregrine::exact

int main(int argc, char** argv) {
  using namespace peregrine::exact;
  std::vector<Benchmark> benchmarks = {
      {"read_plain", read_queries<Opt::none>},    {"read_edns", read_queries<Opt::edns>},
      {"read_cookie", read_queries<Opt::cookie>}, {"parse_plain", parse_queries<Opt::none>},
      {"parse_edns", parse_queries<Opt::edns>},
  };
  add_packets(benchmarks, std::make_index_sequence<std::size(packets)>());
  return exact_main(argc, argv, benchmarks);
}
