#include "server/plain_query.h"

namespace peregrine::plain_query_parts {

bool read_options(Bytes options, Cookie& cookie) {
  EdnsOptions it(options);
  while (it.next()) {
    if (it.code() == EdnsOption::cookie && !cookie && !cookie.read(it.value())) return false;
  }
  return it.ok();
}

}  // namespace peregrine::plain_query_parts
