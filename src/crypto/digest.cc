#include "crypto/digest.h"

#include <openssl/evp.h>

namespace peregrine {
namespace {

const EVP_MD* algorithm(DigestKind kind) {
  switch (kind) {
    case DigestKind::sha1:
      return EVP_sha1();
    case DigestKind::sha256:
      return EVP_sha256();
    case DigestKind::sha384:
      return EVP_sha384();
    case DigestKind::sha512:
      return EVP_sha512();
  }
  return nullptr;
}

}  // namespace

size_t digest_size(DigestKind kind) {
  switch (kind) {
    case DigestKind::sha1:
      return 20;
    case DigestKind::sha256:
      return 32;
    case DigestKind::sha384:
      return 48;
    case DigestKind::sha512:
      return 64;
  }
  return 0;
}

void Digest::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Digest::Digest(DigestKind kind) : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), algorithm(kind), nullptr) != 1) context_.reset();
}

void Digest::add(Bytes octets) {
  if (context_ && EVP_DigestUpdate(context_.get(), octets.data(), octets.size()) != 1) context_.reset();
}

std::vector<uint8_t> Digest::finish() {
  std::vector<uint8_t> out(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  if (context_ && EVP_DigestFinal_ex(context_.get(), out.data(), &size) != 1) size = 0;
  out.resize(size);
  context_.reset();
  return out;
}

}  // namespace peregrine
