// The message format: real packets (bench/data) read in place and into a Message that owns its parts; `walk`
// reads every record's owner and rdata as well. The records of a zone transfer as text, a type each. And
// names compared and folded, by kernel set and length.
#include <benchmark/benchmark.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "data/packets.h"
#include "simd/kernels.h"
#include "wire/message.h"
#include "wire/message_view.h"
#include "wire/rdata.h"

using namespace peregrine;

namespace {

using Octets = std::vector<uint8_t>;

constexpr std::array sections{Section::answer, Section::authority, Section::additional};

void count(benchmark::State& state, const Octets& octets) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * octets.size()));
}

template <class Parsed>
void parse(benchmark::State& state, const std::string& name) {
  const Octets octets = bench::packet(name);
  for (auto _ : state) {
    auto parsed = Parsed::parse(octets);
    benchmark::DoNotOptimize(parsed);
  }
  count(state, octets);
}

void walk_view(benchmark::State& state, const std::string& name) {
  const Octets octets = bench::packet(name);
  for (auto _ : state) {
    const auto view = MessageView::parse(octets);
    for (const Section section : sections) {
      for (const RrView rr : view->section(section)) {
        const DnameBuf owner = rr.owner.expand();
        benchmark::DoNotOptimize(owner);
        benchmark::DoNotOptimize(rr.rdata.data());
      }
    }
  }
  count(state, octets);
}

void walk_message(benchmark::State& state, const std::string& name) {
  const Octets octets = bench::packet(name);
  for (auto _ : state) {
    const auto message = Message::parse(octets);
    for (const Section section : sections) {
      for (const Message::Record& record : message->section(section)) {
        benchmark::DoNotOptimize(record.owner);
        benchmark::DoNotOptimize(record.rdata.data());
      }
    }
  }
  count(state, octets);
}

void add_packets() {
  for (const std::string name : {"query", "edns_query", "referral", "signed_answer", "txt_4k"}) {
    benchmark::RegisterBenchmark(("parse/in_place/" + name).c_str(), parse<MessageView>, name);
    benchmark::RegisterBenchmark(("parse/owning/" + name).c_str(), parse<Message>, name);
    benchmark::RegisterBenchmark(("walk/in_place/" + name).c_str(), walk_view, name);
    benchmark::RegisterBenchmark(("walk/owning/" + name).c_str(), walk_message, name);
  }
}

void rdata_text(benchmark::State& state, const std::string& name, size_t index) {
  const Octets octets = bench::packet(name);
  const MessageView message = *MessageView::parse(octets);
  auto at = message.section(Section::answer).begin();
  for (size_t i = 0; i < index; ++i) ++at;
  const RrView rr = *at;
  Octets buffer(max_message_size);
  const Bytes rdata = expand_rdata(rr, buffer).value();
  for (auto _ : state) {
    auto text = rdata_to_text(rr.type, rdata);
    benchmark::DoNotOptimize(text);
  }
}

void add_rdata() {
  const Octets octets = bench::packet("transfer");
  const MessageView message = *MessageView::parse(octets);
  size_t index = 0;
  for (const RrView rr : message.section(Section::answer)) {
    const std::string name = "rdata_text/" + to_string(rr.type);
    // The last record is the first again: RFC 5936 section 2.2.
    if (index == 0 || rr.type != Type::soa)
      benchmark::RegisterBenchmark(name.c_str(), rdata_text, "transfer", index);
    ++index;
  }
  benchmark::RegisterBenchmark("rdata_text/TXT_4k", rdata_text, "txt_4k", 0);
}

// A name of `size` octets of labels of up to 15 octets.
DnameBuf name_of(size_t size, char letter) {
  DnameBuf name;
  for (size_t left = size - 1; left > 0;) {
    const size_t label = left > 17 ? 15 : left > 16 ? 14 : left - 1;
    const Octets octets(label, static_cast<uint8_t>(letter));
    if (!name.append_label(octets)) throw std::runtime_error("no name of that size");
    left -= label + 1;
  }
  return name;
}

void equal_names(benchmark::State& state, size_t size) {
  const DnameBuf a = name_of(size, 'q'), b = name_of(size, 'Q');
  for (auto _ : state) benchmark::DoNotOptimize(a.view() == b.view());
}

void canonical_order(benchmark::State& state, size_t size) {
  const DnameBuf a = name_of(size, 'q'), b = name_of(size, 'Q');
  for (auto _ : state) benchmark::DoNotOptimize(canonical_compare(a, b));
}

// A copy of a name, folded, as who looks a name up makes it.
void copy_folded(benchmark::State& state, size_t size) {
  const DnameBuf name = name_of(size, 'Q');
  for (auto _ : state) {
    DnameBuf copy = name;
    copy.fold();
    benchmark::DoNotOptimize(copy);
  }
}

using NameBench = void (*)(benchmark::State&, size_t);

void add_names(const char* what, NameBench bench) {
  for (const KernelSet set : {KernelSet::scalar, KernelSet::avx2, KernelSet::avx512}) {
    const Kernels* kernels = find_kernels(set);
    if (!kernels) continue;
    for (const size_t size : {5, 12, 15, 16, 17, 24, 32, 48, 64, 128, 255}) {
      const std::string name =
          std::string(what) + "/" + std::string(to_string(set)) + "/" + std::to_string(size);
      benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
        use_kernels(*kernels);
        bench(state, size);
      });
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  add_packets();
  add_rdata();
  add_names("equal_names", equal_names);
  add_names("canonical_order", canonical_order);
  add_names("copy_folded", copy_folded);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
