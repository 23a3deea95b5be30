#include "crypto/digest.h"

#include <gtest/gtest.h>

#include "wire/wire_support.h"

namespace peregrine {
namespace {

std::vector<uint8_t> digest_of(DigestKind kind, std::string_view text) {
  Digest digest(kind);
  digest.add({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  return digest.finish();
}

// FIPS 180-4's example "abc".
TEST(Digest, IsWhatTheStandardSays) {
  EXPECT_EQ(digest_of(DigestKind::sha1, "abc"), hex("a9993e364706816aba3e25717850c26c9cd0d89d"));
  EXPECT_EQ(digest_of(DigestKind::sha256, "abc"),
            hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  EXPECT_EQ(digest_of(DigestKind::sha384, "abc"),
            hex("cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                "8086072ba1e7cc2358baeca134c825a7"));
  EXPECT_EQ(digest_of(DigestKind::sha512, "abc"),
            hex("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"));
}

TEST(Digest, TakesItsOctetsInAnyPieces) {
  Digest digest(DigestKind::sha384);
  for (const uint8_t octet : {'a', 'b', 'c'}) digest.add({&octet, 1});
  EXPECT_EQ(digest.finish(), digest_of(DigestKind::sha384, "abc"));
  EXPECT_NE(digest_of(DigestKind::sha384, ""), digest_of(DigestKind::sha384, "abc"));
}

TEST(Digest, HasTheSizeThatItSays) {
  for (const DigestKind kind : {DigestKind::sha1, DigestKind::sha256, DigestKind::sha384, DigestKind::sha512})
    EXPECT_EQ(digest_of(kind, "x").size(), digest_size(kind));
}

}  // namespace
}  // namespace peregrine
