#include "trace.h"

#include <array>

#include "load/draw.h"

namespace peregrine {

namespace {

// One of `steps` by where a number below 100 falls.
struct Step {
  uint32_t percent;
  uint32_t least, most;
};

template <size_t size>
uint32_t pick(const std::array<Step, size>& steps, uint64_t random) {
  auto left = static_cast<uint32_t>(random % 100);
  for (const Step& step : steps) {
    if (left < step.percent)
      return step.least + static_cast<uint32_t>((random >> 32) % (step.most - step.least + 1));
    left -= step.percent;
  }
  return steps.back().most;
}

// Content networks and load balancers below five minutes, hosts at an hour, the rest at a day.
constexpr std::array<Step, 5> ttls{
    {{10, 30, 30}, {20, 60, 60}, {30, 300, 300}, {25, 3600, 3600}, {15, 86400, 86400}}};
// One address; several, or an alias; signed, or text.
constexpr std::array<Step, 3> blobs{{{70, 40, 72}, {25, 73, 250}, {5, 251, 1200}}};

uint64_t trait(uint32_t name, uint64_t which) { return mixed(name * uint64_t{4} + which); }

}  // namespace

uint64_t mixed(uint64_t number) {
  uint64_t z = number + 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

uint32_t ttl_of(uint32_t name) { return pick(ttls, trait(name, 0)); }
uint32_t blob_octets(uint32_t name) { return pick(blobs, trait(name, 1)); }
uint32_t name_octets(uint32_t name) { return 14 + static_cast<uint32_t>(trait(name, 2) % 24); }

Trace::Trace(const TraceOptions& options)
    : requests(options.requests), names(options.names), seconds(options.seconds) {
  const ZipfTable zipf(options.names, options.exponent);
  Random random = Random::from_seed(options.seed);
  for (uint32_t& name : requests) name = random.unit() < options.once ? names++ : zipf.draw(random.u64());
}

}  // namespace peregrine
