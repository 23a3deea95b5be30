#include "server/plain_query.h"

namespace peregrine::plain_query_parts {

bool read_options(Bytes options, Cookie& cookie) {
  ByteReader reader(options);
  while (!reader.at_end()) {
    const EdnsOption code{reader.u16()};
    const Bytes value = reader.take(reader.u16());
    if (!reader.ok()) return false;
    if (code == EdnsOption::cookie && !cookie && !cookie.read(value)) return false;
  }
  return true;
}

}  // namespace peregrine::plain_query_parts
