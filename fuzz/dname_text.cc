// Text that is a name, printed and read again, is the same name; so is any octets that are a name.
#include <string>
#include <string_view>

#include "fuzz_input.h"
#include "wire/dname.h"

using namespace peregrine;

static void survives_text(Dname name) {
  auto again = DnameBuf::from_text(name.to_string());
  require(again && same_octets(*again, name));
  require(canonical_compare(*again, name) == 0);
  require(name.suffix(name.label_count()) == name && name.is_at_or_below(name.parent()));
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (auto name = DnameBuf::from_text({reinterpret_cast<const char*>(data), size})) {
    require(Dname::parse(name->view().wire()).has_value());
    survives_text(*name);
  }
  if (auto name = Dname::parse({data, size})) survives_text(*name);
  return 0;
}
