// Message digests (FIPS 180-4), by libcrypto.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"

struct evp_md_ctx_st;  // EVP_MD_CTX

namespace peregrine {

enum class DigestKind : uint8_t { sha1, sha256, sha384, sha512 };

size_t digest_size(DigestKind kind);  // octets

// Octets are added piece by piece. One thread.
class Digest {
 public:
  explicit Digest(DigestKind kind);
  void add(Bytes octets);
  // Of all that was added; the object is of no use after it. Empty where libcrypto refuses the algorithm (its
  // FIPS mode may) or had no memory.
  std::vector<uint8_t> finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;  // null: refused
};

}  // namespace peregrine
