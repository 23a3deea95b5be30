// Reads RDATA field by field, as its row of the type table says.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/dname.h"
#include "wire/rdata.h"

namespace peregrine {

// Sound on any octets. A type without a row is one field of opaque octets. After next() has returned false,
// status() says whether the rdata was well-formed to its last octet.
class RdataReader {
 public:
  explicit RdataReader(const RrView& rr)
      : RdataReader(rr.type, rr.message, rr.rdata_offset(), rr.rdata.size()) {}
  // Rdata inside a message, whose names may be compressed. offset + length <= message.size()
  RdataReader(Type type, Bytes message, size_t offset, size_t length)
      : RdataReader(type, message, offset, length, true) {}
  // Rdata on its own, in which no name may be compressed.
  RdataReader(Type type, Bytes rdata) : RdataReader(type, rdata, 0, rdata.size(), false) {}

  bool next();
  Result<> status() const;  // bad_rdata, or what a name in it suffers from

  Field field() const { return field_; }
  bool is_name() const { return field_ == Field::name || field_ == Field::name_uncompressed; }
  Dname name() const { return name_; }      // only if is_name(); expanded, until the next call of next()
  Bytes octets() const { return octets_; }  // of any other field
  bool lower_names() const { return lower_names_; }

 private:
  RdataReader(Type type, Bytes message, size_t offset, size_t length, bool compressed);
  bool read_name();
  bool fail(Error error);

  Bytes message_;
  size_t at_;
  size_t end_;
  std::span<const Field> fields_;
  bool lower_names_ = false;
  bool compressed_;
  bool ok_ = true;
  Error error_{};
  Field field_ = Field::rest;
  Bytes octets_;
  DnameBuf name_;
};

}  // namespace peregrine
