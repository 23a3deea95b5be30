// A query's octets to a MessageView.
#include "exact.h"
#include "inputs.h"
#include "wire/message_view.h"

namespace peregrine::exact {
namespace {

template <Opt opt>
void parse(Meter& meter) {
  const auto all = queries(opt);
  uint64_t parsed = 0;
  meter.count(all.size(), [&] {
    for (const auto& query : all) {
      const auto view = MessageView::parse(query);
      keep(view);
      parsed += view.has_value();
    }
  });
  require(parsed == all.size(), "a query was not understood");
}

const Benchmark benchmarks[] = {
    {"parse_plain", parse<Opt::none>},
    {"parse_edns", parse<Opt::edns>},
};

}  // namespace
}  // namespace peregrine::exact

int main(int argc, char** argv) {
  return peregrine::exact::exact_main(argc, argv, peregrine::exact::benchmarks);
}
