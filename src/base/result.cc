#include "base/result.h"

namespace peregrine {

std::string_view to_string(Error error) {
  switch (error) {
    case Error::truncated:
      return "truncated";
    case Error::trailing:
      return "trailing octets";
    case Error::bad_label:
      return "bad label";
    case Error::name_too_long:
      return "name too long";
    case Error::bad_pointer:
      return "bad compression pointer";
    case Error::bad_rdata:
      return "bad rdata";
    case Error::bad_text:
      return "bad text";
    case Error::bad_message:
      return "bad message";
    case Error::no_space:
      return "no space";
    case Error::not_found:
      return "not found";
    case Error::timeout:
      return "timeout";
    case Error::cancelled:
      return "cancelled";
    case Error::unreachable:
      return "unreachable";
    case Error::limit:
      return "limit reached";
    case Error::network:
      return "network error";
  }
  return "unknown error";
}

}  // namespace peregrine
