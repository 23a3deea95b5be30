#include "zone/rdata_parser.h"

#include <ldns/ldns.h>

#include <algorithm>
#include <memory>

#include "wire/rdata_reader.h"

namespace peregrine {
namespace {

// libldns has buffers of fixed size inside, and 65,535 octets in the form of RFC 3597 are twice as many
// digits.
constexpr size_t most_text = 4 * 65'535;

using LdnsRr = std::unique_ptr<ldns_rr, decltype(&ldns_rr_free)>;
using LdnsRdf = std::unique_ptr<ldns_rdf, decltype(&ldns_rdf_deep_free)>;
using LdnsBuffer = std::unique_ptr<ldns_buffer, decltype(&ldns_buffer_free)>;

bool is_well_formed(Type type, Bytes rdata) {
  RdataReader reader(type, rdata);
  while (reader.next()) {
  }
  return reader.status().has_value();
}

}  // namespace

Result<std::vector<uint8_t>> parse_rdata(Type type, std::string_view text, Dname origin) {
  if (text.size() > most_text || text.contains('\0')) return std::unexpected(Error::bad_text);
  const LdnsRdf relative_to(ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, origin.size(), origin.wire().data()),
                            &ldns_rdf_deep_free);
  const std::string line = ". 0 IN " + to_string(type) + ' ' + std::string(text);
  ldns_rr* parsed = nullptr;
  const ldns_status status = ldns_rr_new_frm_str(&parsed, line.c_str(), 0, relative_to.get(), nullptr);
  const LdnsRr rr(status == LDNS_STATUS_OK ? parsed : nullptr, &ldns_rr_free);
  if (!rr || ldns_rr_get_type(rr.get()) != static_cast<ldns_rr_type>(type))
    return std::unexpected(Error::bad_text);
  const LdnsBuffer wire(ldns_buffer_new(LDNS_MIN_BUFLEN), &ldns_buffer_free);
  if (!wire || ldns_rr_rdata2buffer_wire(wire.get(), rr.get()) != LDNS_STATUS_OK)
    return std::unexpected(Error::bad_text);
  const Bytes octets(ldns_buffer_begin(wire.get()), ldns_buffer_position(wire.get()));
  if (octets.size() > 65'535) return std::unexpected(Error::bad_text);
  std::vector<uint8_t> rdata(octets.begin(), octets.end());
  if (!is_well_formed(type, rdata)) return std::unexpected(Error::bad_text);
  return rdata;
}

}  // namespace peregrine
