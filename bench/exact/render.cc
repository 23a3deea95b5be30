// A blob to a reply, in the slot that the query came in; and the part of it that grows with the answer: the
// records copied and their TTLs aged.
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
  Prepared one{.slot = octets, .blob = {}};
  one.slot.resize(4096);
  const auto taken = take_in(Bytes(one.slot).first(octets.size()), Transport::udp, 1232, one.query);
  require(taken.verdict == Intake::look_up, "a query was not understood");
  one.blob = blob_of(1, stored_at);
  return one;
}

template <Opt opt>
void render(Meter& meter) {
  std::vector<Prepared> all;
  for (const auto& octets : queries(opt)) all.push_back(prepare(octets));
  bool all_rendered = true;
  count_each(meter, all, [&](Prepared& one) {
    const AnswerBlob blob = *AnswerBlob::open(one.blob);
    const size_t size = render_answer(one.slot, one.query.fields, blob, {.now = stored_at + age});
    keep(one.slot);
    all_rendered &= size >= one.query.fields.question_end + blob.tail_size();
  });
  require(all_rendered, "an answer was not rendered");
}

template <unsigned records>
void age_ttls(Meter& meter) {
  std::vector<std::vector<uint8_t>> blobs = {blob_of(records, stored_at)};
  std::vector<uint8_t> tail(AnswerBlob::open(blobs[0])->tail_size());
  bool all_aged = true;
  count_each(meter, blobs, [&](const std::vector<uint8_t>& blob) {
    all_aged &= AnswerBlob::stored(blob).render(tail, stored_at + age);
    keep(tail);
  });
  require(all_aged, "a blob was not rendered");
}

const Benchmark benchmarks[] = {
    {"render_plain", render<Opt::none>},
    {"render_edns", render<Opt::edns>},
    {"age_1", age_ttls<1>},
    {"age_4", age_ttls<4>},
    {"age_16", age_ttls<16>},
};

}  // namespace
}  // namespace peregrine::exact

int main(int argc, char** argv) {
  return peregrine::exact::exact_main(argc, argv, peregrine::exact::benchmarks);
}
