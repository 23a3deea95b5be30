// Any text is read as a master file without harm; what is read has RDATA that its type allows, and can be
// digested and asked.
#include <cstdlib>

#include "fuzz_input.h"
#include "zone/zone.h"
#include "zone/zonemd.h"

namespace peregrine {
namespace {

void check(std::string_view text) {
  const Dname apex;
  Zone zone(apex);
  std::vector<ZoneRecord> records;
  read_master_file(text, "", apex, [&](ZoneRecord record) -> std::expected<void, std::string> {
    if (!zone.add(record.owner, record.type, record.ttl, record.rdata)) return std::unexpected("");
    records.push_back(std::move(record));
    return {};
  });
  std::array<uint8_t, 65'535> buffer;
  for (const ZoneRecord& record : records) {
    MessageWriter writer(buffer);
    writer.question(record.owner, record.type, Class::in);
    const auto outcome = zone.answer({record.owner, record.type, Class::in}, true, writer);
    if (outcome == Zone::Outcome::outside || !MessageView::parse(writer.message())) std::abort();
  }
  static_cast<void>(check_zonemd(apex, records));
}

}  // namespace
}  // namespace peregrine

// libldns 1.8.3 leaks some octets of RDATA that it cannot read; a file has 20 faults at most.
extern "C" const char* __lsan_default_suppressions() { return "leak:libldns"; }

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  peregrine::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
