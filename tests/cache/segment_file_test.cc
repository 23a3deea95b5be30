#include "cache/segment_file.h"

#include <gtest/gtest.h>

#include <cstring>

#include "cache/file_support.h"
#include "cache/removal_journal.h"

namespace peregrine {
namespace {

constexpr SegmentFile::Geometry geometry{.slot_octets = 8 * sector, .slots = 4};

class SegmentFileTest : public testing::Test {
 protected:
  SegmentFile open() const {
    Random random = Random::from_seed(1);
    return std::move(SegmentFile::open(path_, geometry, file_now, random).value().file);
  }
  static void append(SegmentFile& file, uint32_t slot, SlotFill& fill, uint64_t sequence, size_t size) {
    const Octets entries = self_checking_blob(sequence, size);
    ASSERT_TRUE(file.fits(fill, size));
    ASSERT_TRUE(
        file.append(slot, fill, {.sequence = sequence, .written = file_now, .entries = entries, .count = 1}));
  }
  static std::vector<uint64_t> sequences(const SegmentFile& file) {
    std::vector<uint64_t> all;
    for (const ChunkPlace& place : file.chunks().value().whole) all.push_back(place.sequence);
    return all;
  }

  TempDir dir_;
  std::string path_ = dir_ / "file";
};

using Sequences = std::vector<uint64_t>;

TEST_F(SegmentFileTest, ChunksComeInTheirOrder) {
  SegmentFile file = open();
  SlotFill one, other;
  append(file, 2, one, 1, 100);
  append(file, 0, other, 2, 448);
  append(file, 2, one, 3, 449);
  append(file, 0, other, 4, 8);
  EXPECT_EQ(sequences(file), (Sequences{1, 2, 3, 4}));
  std::vector<uint8_t> buffer;
  for (const ChunkPlace& place : file.chunks().value().whole) {
    ASSERT_TRUE(file.read(place, buffer));
    EXPECT_TRUE(is_whole(buffer));
    EXPECT_EQ(seed_of(buffer), place.sequence);
    EXPECT_EQ(place.slot, place.sequence % 2 ? 2u : 0u);
  }
}

TEST_F(SegmentFileTest, ASlotIsFilledToItsEnd) {
  SegmentFile file = open();
  SlotFill fill;
  append(file, 1, fill, 1, 3 * sector - sizeof(ChunkHeader));
  append(file, 1, fill, 2, 4 * sector - sizeof(ChunkHeader));
  EXPECT_FALSE(file.fits(fill, sector));
  append(file, 1, fill, 3, sector - sizeof(ChunkHeader));
  EXPECT_FALSE(file.fits(fill, 0));
  SlotFill next;
  append(file, 2, next, 4, 100);
  EXPECT_EQ(sequences(file), (Sequences{1, 2, 3, 4}));
  EXPECT_EQ(file.chunks().value().damaged, 0u);
}

TEST_F(SegmentFileTest, AnEarlierUseOfASlotIsNotRead) {
  Octets before;
  {
    SegmentFile file = open();
    SlotFill fill;
    for (uint64_t sequence = 1; sequence <= 5; ++sequence) append(file, 0, fill, sequence, 100);
    before = contents(path_);
    fill = {};
    append(file, 0, fill, 6, 100);
    EXPECT_EQ(sequences(file), Sequences{6});
  }
  // As if the zeros behind the new chunk had not reached the disk.
  Octets torn = contents(path_);
  std::copy(before.begin() + slots_at + sector, before.end(), torn.begin() + slots_at + sector);
  overwrite(path_, torn);
  const SegmentFile file = open();
  EXPECT_EQ(sequences(file), Sequences{6});
  EXPECT_EQ(file.chunks().value().damaged, 0u);
}

// What comes next would wrap, and everything after it be older.
TEST_F(SegmentFileTest, SequencesBeyondAllBoundsAreDamage) {
  SegmentFile file = open();
  SlotFill fills[4];
  append(file, 0, fills[0], highest_sequence, 100);
  append(file, 1, fills[1], highest_sequence + 1, 100);
  append(file, 2, fills[2], UINT64_MAX, 100);
  append(file, 3, fills[3], 0, 100);
  EXPECT_EQ(sequences(file), Sequences{highest_sequence});
  EXPECT_EQ(file.chunks().value().damaged, 3u);

  RemovalJournal journal;
  ASSERT_TRUE(journal.begin(file, 0, 1));
  ASSERT_TRUE(journal.add(file, Sequences{100}, highest_sequence));
  EXPECT_TRUE(RemovalJournal::load(file));
  ASSERT_TRUE(journal.add(file, Sequences{100}, highest_sequence + 1));
  EXPECT_FALSE(RemovalJournal::load(file));
  ASSERT_TRUE(journal.begin(file, UINT64_MAX, 1));
  EXPECT_FALSE(RemovalJournal::load(file));
}

TEST_F(SegmentFileTest, StartingOverKeepsTheSecrets) {
  SegmentFile file = open();
  const HashKey key = file.hash_key();
  SlotFill fill;
  append(file, 0, fill, 1, 100);
  ASSERT_TRUE(file.start_over({.slot_octets = 4 * sector, .slots = 9}, file_now));
  EXPECT_EQ(sequences(file), Sequences{});
  EXPECT_EQ(file.hash_key().k0, key.k0);
  EXPECT_EQ(file.hash_key().k1, key.k1);
  EXPECT_EQ(file.geometry().slots, 9u);
}

TEST_F(SegmentFileTest, GivenUpIsLikeNew) {
  {
    SegmentFile file = open();
    SlotFill fill;
    append(file, 0, fill, 1, 100);
    file.give_up();
  }
  Random random = Random::from_seed(2);
  const auto again = SegmentFile::open(path_, geometry, file_now, random);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->fresh);
  EXPECT_EQ(again->set_aside, "");
}

TEST_F(SegmentFileTest, SecretsAreOfTheFile) {
  Random random = Random::from_seed(1);
  auto one = SegmentFile::open(dir_ / "one", geometry, file_now, random);
  auto other = SegmentFile::open(dir_ / "other", geometry, file_now, random);
  EXPECT_NE(one->file.hash_key().k0, other->file.hash_key().k0);
  EXPECT_NE(one->file.seed(), other->file.seed());
}

TEST_F(SegmentFileTest, SymbolicLinksAndOthersAreRefused) {
  std::filesystem::create_symlink(dir_ / "target", path_);
  Random random = Random::from_seed(1);
  EXPECT_FALSE(SegmentFile::open(path_, geometry, file_now, random));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "target"));
  EXPECT_FALSE(SegmentFile::open("/dev/null", geometry, file_now, random));
}

using RemovalJournalTest = SegmentFileTest;

TEST_F(RemovalJournalTest, HidesUpToTheStamp) {
  SegmentFile file = open();
  RemovalJournal journal;
  ASSERT_TRUE(journal.begin(file, 3, 77));
  ASSERT_TRUE(journal.add(file, Sequences{100, 200}, 5));
  ASSERT_TRUE(journal.add(file, Sequences{100}, 9));
  const auto loaded = RemovalJournal::load(file);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->void_through(), 3u);
  EXPECT_EQ(loaded->rules(), 77u);
  EXPECT_EQ(loaded->latest_stamp(), 9u);
  EXPECT_TRUE(loaded->hides(100, 9));
  EXPECT_FALSE(loaded->hides(100, 10));
  EXPECT_TRUE(loaded->hides(200, 5));
  EXPECT_FALSE(loaded->hides(200, 6));
  EXPECT_FALSE(loaded->hides(300, 1));
}

TEST_F(RemovalJournalTest, BlocksFollowOneAnotherUntilItIsFull) {
  SegmentFile file = open();
  RemovalJournal journal;
  ASSERT_TRUE(journal.begin(file, 0, 1));
  constexpr size_t all = journal_blocks * JournalBlock::most;
  EXPECT_TRUE(journal.fits(all));
  EXPECT_FALSE(journal.fits(all + 1));
  for (uint64_t i = 0; i < all; ++i) ASSERT_TRUE(journal.add(file, Sequences{i}, i));
  EXPECT_TRUE(journal.fits(0));
  EXPECT_FALSE(journal.fits(1));
  const auto full = RemovalJournal::load(file);
  ASSERT_TRUE(full);
  for (uint64_t i = 0; i < all; ++i) ASSERT_TRUE(full->hides(i, i));

  ASSERT_TRUE(journal.begin(file, all, 1));
  const auto anew = RemovalJournal::load(file);
  ASSERT_TRUE(anew);
  EXPECT_EQ(anew->void_through(), all);
  EXPECT_FALSE(anew->hides(1, 1));
  EXPECT_TRUE(anew->fits(all));
}

// A block of the epoch that is not there any more: what it said is not known.
TEST_F(RemovalJournalTest, AMissingBlockIsNoticed) {
  SegmentFile file = open();
  RemovalJournal journal;
  ASSERT_TRUE(journal.begin(file, 0, 1));
  for (uint64_t i = 0; i < 3 * JournalBlock::most; ++i) ASSERT_TRUE(journal.add(file, Sequences{i}, i));
  const auto blocks = file.read_journal().value();
  for (uint32_t lost : {0u, 1u}) {
    ASSERT_TRUE(file.write_journal(lost, {}));
    EXPECT_FALSE(RemovalJournal::load(file)) << lost;
    ASSERT_TRUE(file.write_journal(lost, blocks[lost]));
    EXPECT_TRUE(RemovalJournal::load(file)) << lost;
  }
  ASSERT_TRUE(file.write_journal(1, blocks[2]));
  EXPECT_FALSE(RemovalJournal::load(file)) << "in another place";
}

TEST_F(RemovalJournalTest, NoneAtAllIsNoJournal) {
  const SegmentFile file = open();
  EXPECT_FALSE(RemovalJournal::load(file));
}

}  // namespace
}  // namespace peregrine
