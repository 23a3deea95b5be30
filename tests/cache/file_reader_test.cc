// Chunks in octets of memory, with sizes and places that nobody has written.
#include "cache/file_reader.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/random.h"
#include "cache/cache_support.h"
#include "cache/file_support.h"
#include "cache/xxh64.h"

namespace peregrine {
namespace {

constexpr FileGeometry geometry{.slot_octets = 4 * sector, .slots = 3};

class FileReaderTest : public testing::Test {
 protected:
  FileReaderTest() {
    Random random = Random::from_seed(1);
    header_ = header_for(geometry, file_now, HashKey::make(random), 77);
    file_.resize(slots_at + 3 * 4 * sector);
  }

  static constexpr uint64_t at_slot(uint32_t slot) {
    return slots_at + uint64_t{slot} * geometry.slot_octets;
  }
  ChunkHeader chunk(uint64_t at, uint64_t sequence, uint32_t octets) const {
    return {.data_checksum = xxh64(Octets(octets), header_.seed),
            .sequence = sequence,
            .first_sequence = sequence,
            .at = at,
            .octets = octets,
            .entries = 1};
  }
  void place(uint64_t at, ChunkHeader chunk) {
    chunk.checksum = checksum_of(chunk, header_.seed);
    std::memcpy(&file_[at], &chunk, sizeof chunk);
  }
  std::expected<size_t, int> read_at(MutableBytes out, uint64_t at) const {
    if (at >= file_.size()) return 0;
    const Bytes there = Bytes(file_).subspan(at);
    const size_t size = std::min(out.size(), there.size());
    std::memcpy(out.data(), there.data(), size);
    return size;
  }
  Chunks find() const {
    return find_chunks(header_, file_.size(),
                       [this](MutableBytes out, uint64_t at) { return read_at(out, at); });
  }
  bool read(const ChunkPlace& place) const {
    std::vector<uint8_t> buffer;
    return read_chunk(header_, place, buffer,
                      [this](MutableBytes out, uint64_t at) { return read_at(out, at); });
  }

  FileHeader header_;
  Octets file_;
};

TEST_F(FileReaderTest, FindsWhatIsWhole) {
  place(at_slot(2), chunk(at_slot(2), 1, 100));
  place(at_slot(0), chunk(at_slot(0), 2, geometry.slot_octets - sizeof(ChunkHeader)));
  const Chunks found = find();
  ASSERT_EQ(found.whole.size(), 2u);
  EXPECT_EQ(found.damaged, 0u);
  EXPECT_EQ(found.whole[0].slot, 2u);
  EXPECT_EQ(found.whole[1].slot, 0u);
  for (const ChunkPlace& place : found.whole) EXPECT_TRUE(read(place));
}

TEST_F(FileReaderTest, ABadSlotCostsNoOther) {
  for (uint32_t slot = 0; slot < geometry.slots; ++slot)
    place(at_slot(slot), chunk(at_slot(slot), slot + 1, 100));
  file_[at_slot(1) + 20] ^= 1;
  const Chunks found = find();
  EXPECT_EQ(found.whole.size(), 2u);
  EXPECT_EQ(found.damaged, 1u);
}

TEST_F(FileReaderTest, SizesBeyondTheSlotAreDamage) {
  const uint32_t room = geometry.slot_octets - sizeof(ChunkHeader);
  for (const uint32_t octets : {room + 1, geometry.slot_octets, UINT32_MAX - 600, UINT32_MAX}) {
    ChunkHeader forged = chunk(at_slot(0), 1, 0);
    forged.octets = octets;
    place(at_slot(0), forged);
    EXPECT_EQ(find().whole.size(), 0u) << octets;
    EXPECT_EQ(find().damaged, 1u) << octets;
  }
  // Nor may one that is not the first take more than what is left.
  place(at_slot(0), chunk(at_slot(0), 1, 100));
  ChunkHeader second = chunk(at_slot(0) + sector, 2, room - sector + 1);
  second.first_sequence = 1;
  place(at_slot(0) + sector, second);
  EXPECT_EQ(find().whole.size(), 1u);
  EXPECT_EQ(find().damaged, 1u);
}

TEST_F(FileReaderTest, AChunkOfAnotherPlaceIsDamage) {
  place(at_slot(0), chunk(at_slot(1), 1, 100));
  EXPECT_EQ(find().whole.size(), 0u);
  EXPECT_EQ(find().damaged, 1u);
}

TEST_F(FileReaderTest, NoMoreIsReadThanThereIs) {
  place(at_slot(2), chunk(at_slot(2), 1, 1000));
  file_.resize(at_slot(2) + sizeof(ChunkHeader) + 999);
  const Chunks found = find();
  ASSERT_EQ(found.whole.size(), 1u);
  EXPECT_FALSE(read(found.whole[0]));
  file_.resize(at_slot(2) + sizeof(ChunkHeader) - 1);
  EXPECT_EQ(find().whole.size(), 0u);
  EXPECT_EQ(find().damaged, 1u);
  file_.resize(at_slot(2));
  EXPECT_EQ(find().damaged, 0u);
}

TEST_F(FileReaderTest, AnErrorOfTheDiskIsDamage) {
  place(at_slot(0), chunk(at_slot(0), 1, 100));
  place(at_slot(1), chunk(at_slot(1), 2, 100));
  const auto broken = [this](MutableBytes out, uint64_t at) -> std::expected<size_t, int> {
    if (at < at_slot(1)) return std::unexpected(EIO);
    return read_at(out, at);
  };
  const Chunks found = find_chunks(header_, file_.size(), broken);
  EXPECT_EQ(found.whole.size(), 1u);
  EXPECT_EQ(found.damaged, 1u);
  const ChunkPlace lost = find().whole[0];
  std::vector<uint8_t> buffer;
  EXPECT_FALSE(read_chunk(header_, lost, buffer, broken));
}

TEST_F(FileReaderTest, HeadersWithSizesOutOfBoundsAreNone) {
  const auto faulty = [this](auto change) {
    FileHeader header = header_;
    change(header);
    header.checksum = checksum_of(header);
    return !fault(header, file_now).empty();
  };
  EXPECT_FALSE(faulty([](FileHeader&) {}));
  EXPECT_TRUE(faulty([](FileHeader& header) { header.slot_octets = 0; }));
  EXPECT_TRUE(faulty([](FileHeader& header) { header.slot_octets = sector + 1; }));
  EXPECT_TRUE(faulty([](FileHeader& header) { header.slot_octets = 0xffff'fe00; }));
  EXPECT_TRUE(faulty([](FileHeader& header) { header.slots = UINT32_MAX; }));
  EXPECT_TRUE(faulty([](FileHeader& header) { header.created = INT64_MAX; }));
  EXPECT_FALSE(faulty([](FileHeader& header) { header.created = INT64_MIN; }));
}

}  // namespace
}  // namespace peregrine
