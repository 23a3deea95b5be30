// Files that are not as they were written: nothing of what was damaged is served, and nothing that was
// removed.
#include <gtest/gtest.h>

#include <cstring>

#include "cache/file_support.h"
#include "cache/xxh64.h"

namespace peregrine {
namespace {

constexpr uint64_t entries = 400;
constexpr uint64_t removed = 5;  // numbers below

class CacheFileDamageTest : public testing::Test {
 protected:
  CacheFileDamageTest() {
    FiledStore filed(options());
    for (uint64_t i = 0; i < entries; ++i) {
      filed.put({.number = i, .version = 1, .size = 100 + i % 50});
      if (i % 40 == 0) filed.tick();
    }
    filed.tick();
    for (uint64_t i = 0; i < removed; ++i) filed.remove(i);
    filed.finish();
    file_ = std::move(filed.file);
    file_.reset();
    whole_ = contents(path_);
  }

  FiledStore::Options options() const { return {.path = path_, .capacity = 1 << 20}; }

  // Loads what the file is now. find() throws on an entry that is not whole.
  CacheFileStats load(size_t& found) {
    FiledStore again(options());
    found = 0;
    for (uint64_t i = 0; i < entries; ++i) {
      if (!again.find(i)) continue;
      ++found;
      EXPECT_GE(i, removed) << "came back";
    }
    return again.file ? again.stats() : CacheFileStats{};
  }
  CacheFileStats load_damaged(const Octets& octets, size_t& found) {
    overwrite(path_, octets);
    return load(found);
  }

  // Every chunk header of the file.
  std::vector<size_t> chunk_offsets() const {
    std::vector<size_t> offsets;
    for (size_t at = slots_at; at + sizeof(ChunkHeader) <= whole_.size(); at += sector) {
      ChunkHeader header;
      std::memcpy(&header, &whole_[at], sizeof header);
      if (header.at == at && header.sequence != 0) offsets.push_back(at);
    }
    return offsets;
  }

  TempDir dir_;
  std::string path_ = dir_ / "cache.file";
  std::unique_ptr<CacheFile> file_;
  Octets whole_;
};

TEST_F(CacheFileDamageTest, UndamagedIsWhole) {
  size_t found = 0;
  EXPECT_EQ(load(found).dropped_segments(), 0u);
  EXPECT_EQ(found, entries - removed);
  EXPECT_GE(chunk_offsets().size(), 10u);
}

TEST_F(CacheFileDamageTest, BitFlipsInChunks) {
  for (size_t at : chunk_offsets()) {
    ChunkHeader header;
    std::memcpy(&header, &whole_[at], sizeof header);
    for (size_t offset : {size_t{0}, size_t{9}, size_t{17}, size_t{31}, size_t{33}, size_t{41}, size_t{50},
                          sizeof header, sizeof header + 20, sizeof header + header.octets - 1}) {
      Octets damaged = whole_;
      damaged[at + offset] ^= 0x10;
      size_t found = 0;
      const CacheFileStats stats = load_damaged(damaged, found);
      EXPECT_EQ(stats.dropped_segments(), 1u) << at << " " << offset;
      if (header.entries > 1) EXPECT_LT(found, entries - removed) << at << " " << offset;
    }
  }
}

TEST_F(CacheFileDamageTest, BitFlipsAnywhere) {
  Random random = Random::from_seed(7);
  for (int round = 0; round < 300; ++round) {
    Octets damaged = whole_;
    const uint32_t flips = 1 + random.below(4);
    for (uint32_t i = 0; i < flips; ++i)
      damaged[random.below(static_cast<uint32_t>(damaged.size()))] ^=
          static_cast<uint8_t>(1u << random.below(8));
    size_t found = 0;
    load_damaged(damaged, found);
  }
}

TEST_F(CacheFileDamageTest, BitFlipsInTheHeader) {
  for (size_t bit = 0; bit < sizeof(FileHeader) * 8; bit += 5) {
    Octets damaged = whole_;
    damaged[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    size_t found = 0;
    EXPECT_TRUE(load_damaged(damaged, found).set_aside) << bit;
    EXPECT_EQ(found, 0u) << bit;
    EXPECT_EQ(contents(path_ + ".bad"), damaged);
  }
}

// Nobody knows then what was removed.
TEST_F(CacheFileDamageTest, BitFlipsInTheJournal) {
  const size_t used = sizeof(JournalBlock) - (JournalBlock::most - removed) * sizeof(Removal);
  for (size_t bit = 0; bit < used * 8; bit += 13) {
    Octets damaged = whole_;
    damaged[journal_at + bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    size_t found = 0;
    const CacheFileStats stats = load_damaged(damaged, found);
    EXPECT_EQ(found, 0u) << bit;
    EXPECT_GE(stats.dropped_segments(), 1u);
  }
}

TEST_F(CacheFileDamageTest, CutOffAnywhere) {
  std::vector<size_t> ends{0, 1, 8, 71, 72, 4095, 4096, slots_at - 1, slots_at, slots_at + 1, slots_at + 64};
  for (size_t at : chunk_offsets())
    for (size_t more : {0, 1, 63, 64, 65, 511, 512}) ends.push_back(at + more);
  Random random = Random::from_seed(3);
  for (int i = 0; i < 100; ++i) ends.push_back(random.below(static_cast<uint32_t>(whole_.size())));
  for (size_t end : ends) {
    if (end > whole_.size()) continue;
    size_t found = 0;
    const CacheFileStats stats =
        load_damaged(Octets(whole_.begin(), whole_.begin() + static_cast<long>(end)), found);
    EXPECT_EQ(stats.set_aside, end != 0 && end < slots_at) << end;
    if (end < slots_at) EXPECT_EQ(found, 0u) << end;
  }
}

// Each write that makes a part of the file, up to some octet: what a kill or a power failure leaves. Before
// it there is what was there before, of the same file in an earlier use.
TEST_F(CacheFileDamageTest, TornWrites) {
  FiledStore::Options longer = options();
  {
    FiledStore filed(longer);
    for (uint64_t i = 0; i < entries; ++i) filed.put({.number = i + removed, .version = 2, .size = 300});
    filed.finish();
  }
  const Octets after = contents(path_);
  Octets before = whole_;
  before.resize(after.size());
  Random random = Random::from_seed(9);
  for (int round = 0; round < 200; ++round) {
    const auto from =
        static_cast<size_t>(slots_at) + random.below(static_cast<uint32_t>(after.size() - slots_at));
    Octets torn = before;
    if (round % 2)
      std::copy(after.begin() + static_cast<long>(from), after.end(), torn.begin() + static_cast<long>(from));
    else
      std::copy(after.begin(), after.begin() + static_cast<long>(from), torn.begin());
    if (round % 3 == 0)  // pages come in any order
      for (size_t at = slots_at; at + 4096 <= torn.size(); at += 4096)
        std::memcpy(&torn[at], random.one_in(2) ? &after[at] : &before[at], 4096);
    size_t found = 0;
    load_damaged(torn, found);
  }
}

TEST_F(CacheFileDamageTest, AChunkInAnotherPlaceIsNone) {
  const std::vector<size_t> offsets = chunk_offsets();
  Octets damaged = whole_;
  ChunkHeader header;
  std::memcpy(&header, &whole_[offsets[1]], sizeof header);
  std::memcpy(&damaged[offsets[0]], &whole_[offsets[1]], chunk_octets(header.octets));
  size_t found = 0;
  EXPECT_GE(load_damaged(damaged, found).dropped_segments(), 1u);
  EXPECT_LT(found, entries - removed);
}

// Whole by its checksums, and yet nothing that a store has written: as by an error of ours.
TEST_F(CacheFileDamageTest, MalformedEntriesUnderARightChecksum) {
  const size_t at = chunk_offsets().back();
  FileHeader file;
  ChunkHeader header;
  std::memcpy(&file, whole_.data(), sizeof file);
  std::memcpy(&header, &whole_[at], sizeof header);
  FiledStore whole(options());
  const uint64_t loaded = whole.stats().entries.loaded;
  whole.file.reset();
  Random random = Random::from_seed(11);
  for (int round = 0; round < 500; ++round) {
    Octets damaged = whole_;
    ChunkHeader forged = header;
    const Bytes data = Bytes(damaged).subspan(at + sizeof header, header.octets);
    // Keys and headers: a blob's octets would be served as they are.
    const auto entry = entry_at(data, 0).value();
    const size_t front = sizeof(EntryHeader) + entry.key.size();
    const size_t offset = random.below(static_cast<uint32_t>(front));
    damaged[at + sizeof header + offset] ^= static_cast<uint8_t>(1u << random.below(8));
    forged.data_checksum = xxh64(data, file.seed);
    constexpr size_t from = sizeof header.checksum;
    forged.checksum =
        xxh64(Bytes(reinterpret_cast<const uint8_t*>(&forged), sizeof forged).subspan(from), file.seed);
    std::memcpy(&damaged[at], &forged, sizeof forged);
    overwrite(path_, damaged);
    FiledStore again(options());
    EXPECT_EQ(again.stats().dropped_segments(), 0u);
    for (uint64_t i = 0; i < removed; ++i) EXPECT_FALSE(again.find(i));
    // The times, and the refresh lead's bits, can be any; the sizes, the hash and the key cannot.
    const bool of_the_time = offset == 7 || (offset >= 8 && offset <= 11) || offset == 14 || offset == 15;
    if (of_the_time) continue;
    EXPECT_LT(again.stats().entries.loaded, loaded) << offset;
    EXPECT_GE(again.stats().entries.malformed, 1u) << offset;
  }
}

TEST_F(CacheFileDamageTest, FilesOfOthers) {
  const auto refused = [&](Octets octets, std::string_view what) {
    size_t found = 0;
    EXPECT_TRUE(load_damaged(octets, found).set_aside) << what;
    EXPECT_EQ(found, 0u) << what;
    EXPECT_EQ(contents(path_ + ".bad"), octets) << what;
    // The new file is a good one.
    EXPECT_FALSE(load(found).set_aside) << what;
  };
  Random random = Random::from_seed(1);
  Octets garbage(100'000);
  random.fill(garbage);
  refused(garbage, "garbage");
  refused(Octets(200'000), "zeros");
  refused({'h', 'i'}, "short");

  const auto changed = [&](auto change) {
    Octets octets = whole_;
    FileHeader header;
    std::memcpy(&header, octets.data(), sizeof header);
    change(header);
    header.checksum =
        xxh64(Bytes(reinterpret_cast<const uint8_t*>(&header), offsetof(FileHeader, checksum)), 0);
    std::memcpy(octets.data(), &header, sizeof header);
    return octets;
  };
  refused(changed([](FileHeader& header) { ++header.version; }), "version");
  refused(changed([](FileHeader& header) { ++header.arena_layout; }), "layout of entries");
  refused(changed([](FileHeader& header) { ++header.blob_layout; }), "layout of blobs");
  refused(changed([](FileHeader& header) { header.created += 200'000; }), "future");
  refused(changed([](FileHeader& header) { header.slot_octets = 0; }), "no slots");
  refused(changed([](FileHeader& header) { header.slot_octets = 0xffff'fe00; }), "huge slots");
  refused(changed([](FileHeader& header) { header.slots = UINT32_MAX; }), "slots without number");
}

TEST_F(CacheFileDamageTest, ManySlotsAreNoWork) {
  Octets octets = whole_;
  FileHeader header;
  std::memcpy(&header, octets.data(), sizeof header);
  header.slots = 1 << 17;
  header.checksum =
      xxh64(Bytes(reinterpret_cast<const uint8_t*>(&header), offsetof(FileHeader, checksum)), 0);
  std::memcpy(octets.data(), &header, sizeof header);
  size_t found = 0;
  EXPECT_FALSE(load_damaged(octets, found).set_aside);
  EXPECT_EQ(found, entries - removed);
}

TEST_F(CacheFileDamageTest, AnotherSecretMakesNoEntries) {
  Octets octets = whole_;
  FileHeader header;
  std::memcpy(&header, octets.data(), sizeof header);
  header.hash_key.k0 ^= 1;
  header.checksum =
      xxh64(Bytes(reinterpret_cast<const uint8_t*>(&header), offsetof(FileHeader, checksum)), 0);
  std::memcpy(octets.data(), &header, sizeof header);
  size_t found = 0;
  const CacheFileStats stats = load_damaged(octets, found);
  EXPECT_EQ(stats.entries.loaded, 0u);
  EXPECT_GE(stats.entries.malformed, entries - removed);
}

}  // namespace
}  // namespace peregrine
