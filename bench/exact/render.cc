// A blob to a reply, in the slot that the query came in.
#include "server/render.h"

#include "exact.h"
#include "inputs.h"
#include "server/intake.h"

namespace peregrine::exact {
namespace {

constexpr WallTime stored_at{std::chrono::seconds(1'700'000'000)};
constexpr std::chrono::seconds age{60};

struct Prepared {
  std::vector<uint8_t> slot, blob;
  Query query{};
};

Prepared prepare(const std::vector<uint8_t>& octets) {
  Prepared one{.slot = octets, .blob = std::vector<uint8_t>(max_blob)};
  one.slot.resize(4096);
  const auto taken = take_in(Bytes(one.slot).first(octets.size()), Transport::udp, 1232, one.query);
  require(taken.verdict == Intake::look_up, "a query was not understood");
  const auto message = answer(one.query.question.qname);
  const auto blob = encode_answer(MessageView::parse(message).value(),
                                  {.stored_at = stored_at, .keep = std::chrono::seconds(300)}, one.blob);
  require(blob.has_value(), "an answer was not kept");
  one.blob.resize(blob->size());
  return one;
}

template <Opt opt>
void render(Meter& meter) {
  std::vector<Prepared> all;
  for (const auto& octets : queries(opt)) all.push_back(prepare(octets));
  uint64_t rendered = 0;
  meter.count(all.size(), [&] {
    for (Prepared& one : all) {
      const AnswerBlob blob = *AnswerBlob::open(one.blob);
      const size_t size = render_answer(one.slot, one.query.fields, blob, {.now = stored_at + age});
      keep(one.slot);
      rendered += size != 0;
    }
  });
  require(rendered == all.size(), "an answer was not rendered");
}

const Benchmark benchmarks[] = {
    {"render_plain", render<Opt::none>},
    {"render_edns", render<Opt::edns>},
};

}  // namespace
}  // namespace peregrine::exact

int main(int argc, char** argv) {
  return peregrine::exact::exact_main(argc, argv, peregrine::exact::benchmarks);
}
