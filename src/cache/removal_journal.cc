#include "cache/removal_journal.h"

#include <algorithm>

#include "cache/arena_layout.h"

namespace peregrine {
namespace {

bool is_zero(const JournalBlock& block) {
  const Bytes octets{reinterpret_cast<const uint8_t*>(&block), sizeof block};
  return std::ranges::all_of(octets, [](uint8_t octet) { return octet == 0; });
}

}  // namespace

std::optional<RemovalJournal> RemovalJournal::load(const SegmentFile& file) {
  const auto blocks = file.read_journal();
  if (!blocks) return std::nullopt;
  return read(*blocks, file.seed());
}

std::optional<RemovalJournal> RemovalJournal::read(std::span<const JournalBlock> blocks, uint64_t seed) {
  uint64_t epoch = 0;
  for (uint32_t i = 0; i < blocks.size(); ++i) {
    const JournalBlock& block = blocks[i];
    if (is_zero(block)) continue;
    if (block.checksum != checksum_of(block, seed)) return std::nullopt;
    if (block.index != i || block.count > JournalBlock::most) return std::nullopt;
    epoch = std::max(epoch, block.epoch);
  }
  if (epoch == 0) return std::nullopt;

  RemovalJournal journal;
  bool ended = false;
  for (const JournalBlock& block : blocks) {
    const bool counts = block.epoch == epoch;
    if (counts && ended) return std::nullopt;  // one before it is missing
    if (counts && !journal.take(block)) return std::nullopt;
    ended = !counts;
  }
  return journal;
}

bool RemovalJournal::take(const JournalBlock& block) {
  if (block.index != 0 && (block.void_through != block_.void_through || block.rules != block_.rules))
    return false;
  if (std::max(block.epoch, block.void_through) > highest_sequence) return false;
  block_ = block;
  latest_stamp_ = std::max(latest_stamp_, block.void_through);
  for (const Removal& removal : std::span(block.removals).first(block.count)) {
    if (removal.stamp > highest_sequence) return false;
    remember(removal);
    latest_stamp_ = std::max(latest_stamp_, removal.stamp);
  }
  return true;
}

void RemovalJournal::remember(const Removal& removal) {
  if (!remembers_) return;
  uint64_t& stamp = stamps_[removal.hash];
  stamp = std::max(stamp, removal.stamp);
}

SegmentFile::Status RemovalJournal::begin(SegmentFile& file, uint64_t void_through, uint64_t rules) {
  block_ = {.epoch = block_.epoch + 1, .void_through = void_through, .rules = rules};
  latest_stamp_ = std::max(latest_stamp_, void_through);
  stamps_.clear();
  return write(file);
}

bool RemovalJournal::fits(size_t removals) const {
  const size_t left = JournalBlock::most - block_.count;
  return removals <= left + (journal_blocks - 1 - block_.index) * JournalBlock::most;
}

SegmentFile::Status RemovalJournal::add(SegmentFile& file, std::span<const uint64_t> hashes, uint64_t stamp) {
  latest_stamp_ = std::max(latest_stamp_, stamp);
  while (!hashes.empty()) {
    if (block_.count == JournalBlock::most) {
      block_.removals = {};
      block_.count = 0;
      ++block_.index;
    }
    const size_t count = std::min<size_t>(hashes.size(), JournalBlock::most - block_.count);
    for (uint64_t hash : hashes.first(count)) {
      const Removal removal{.hash = kept_hash(hash), .stamp = stamp};
      block_.removals[block_.count++] = removal;
      remember(removal);
    }
    if (auto written = write(file); !written) return written;
    hashes = hashes.subspan(count);
  }
  return {};
}

SegmentFile::Status RemovalJournal::write(SegmentFile& file) {
  block_.checksum = checksum_of(block_, file.seed());
  return file.write_journal(block_.index, block_);
}

}  // namespace peregrine
