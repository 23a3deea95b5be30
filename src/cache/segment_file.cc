#include "cache/segment_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "cache/xxh64.h"

namespace peregrine {
namespace {

// As much as there is; an error's number.
std::expected<size_t, int> read_at(int fd, MutableBytes out, uint64_t at) {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(at + done));
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(errno);
    done += static_cast<size_t>(got);
  }
  return done;
}

SegmentFile::Status write_at(int fd, Bytes octets, uint64_t at) {
  while (!octets.empty()) {
    const ssize_t put = pwrite(fd, octets.data(), octets.size(), static_cast<off_t>(at));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return std::unexpected(put < 0 ? errno : ENOSPC);
    octets = octets.subspan(static_cast<size_t>(put));
    at += static_cast<uint64_t>(put);
  }
  return {};
}

std::string because(const std::string& what, int error) { return what + ": " + std::strerror(error); }

std::string directory_of(const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path();
  return directory.empty() ? "." : directory.string();
}

// So that a name that was made, changed or removed there is so on the disk. Not every file system can.
bool sync_directory(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = fsync(fd) == 0;
  ::close(fd);
  return synced;
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// A file that has just been renamed by its owner is locked in vain: then the next is tried.
std::expected<int, std::string> open_locked(const std::string& path) {
  constexpr int tries = 3;
  for (int i = 0; i < tries; ++i) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0) return std::unexpected(because("cannot open it", errno));
    struct stat opened{}, named{};
    const auto refuse = [fd](std::string why) {
      ::close(fd);
      return std::unexpected(std::move(why));
    };
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
      return refuse(errno == EWOULDBLOCK ? "another process has it" : because("cannot lock it", errno));
    if (fstat(fd, &opened) != 0) return refuse(because("cannot look at it", errno));
    if (!S_ISREG(opened.st_mode)) return refuse("it is no file");
    if (opened.st_uid != geteuid()) return refuse("it belongs to another user");
    // The secret of the hashes is in it.
    if (fchmod(fd, 0600) != 0) return refuse(because("cannot set its mode", errno));
    if (stat(path.c_str(), &named) == 0 && same_file(opened, named)) return fd;
    ::close(fd);
  }
  return std::unexpected("it is being replaced");
}

// The journal is written too, so that there is room for it when the disk is full.
SegmentFile::Status write_empty(int fd, const FileHeader& header) {
  if (ftruncate(fd, 0) != 0) return std::unexpected(errno);
  std::vector<uint8_t> front(slots_at);
  if (auto journal = write_at(fd, front, 0); !journal) return journal;
  if (auto written = write_at(fd, octets_of_object(header), 0); !written) return written;
  if (fdatasync(fd) != 0) return std::unexpected(errno);
  return {};
}

}  // namespace

SegmentFile::SegmentFile(int fd, const std::string& path)
    : fd_(fd), path_(path), directory_(directory_of(path)) {}

SegmentFile::SegmentFile(SegmentFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      directory_(std::move(other.directory_)),
      header_(other.header_) {}

SegmentFile::~SegmentFile() {
  if (fd_ >= 0) ::close(fd_);
}

std::expected<SegmentFile::Opened, std::string> SegmentFile::open(const std::string& path,
                                                                  const Geometry& geometry, WallTime now,
                                                                  Random& random) {
  auto fd = open_locked(path);
  if (!fd) return std::unexpected(std::move(fd.error()));
  SegmentFile file(*fd, path);
  const auto size = read_at(file.fd_, {reinterpret_cast<uint8_t*>(&file.header_), sizeof(FileHeader)}, 0);
  if (!size) return std::unexpected(because("cannot read it", size.error()));

  std::string why;
  if (*size != 0) {
    struct stat whole{};
    why = *size == sizeof(FileHeader) ? fault(file.header_, now) : "it is no cache file";
    const bool cut = fstat(file.fd_, &whole) != 0 || static_cast<uint64_t>(whole.st_size) < slots_at;
    if (why.empty() && cut) why = "it was cut off";
    if (why.empty()) return Opened{.file = std::move(file)};
    if (rename(path.c_str(), (path + ".bad").c_str()) != 0)
      return std::unexpected(because(why + ", and it cannot be renamed", errno));
    auto next = open_locked(path);
    if (!next) return std::unexpected(std::move(next.error()));
    ::close(std::exchange(file.fd_, *next));
  }
  const HashKey key = HashKey::make(random);
  file.header_ = header_for(geometry, now, key, random.u64());
  if (auto made = write_empty(file.fd_, file.header_); !made) {
    file.give_up();
    return std::unexpected(because("cannot write it", made.error()));
  }
  sync_directory(file.directory_);
  return Opened{.file = std::move(file), .fresh = true, .set_aside = std::move(why)};
}

SegmentFile::Status SegmentFile::start_over(const Geometry& geometry, WallTime now) {
  header_ = header_for(geometry, now, header_.hash_key, header_.seed);
  return write_empty(fd_, header_);
}

void SegmentFile::give_up() {
  if (ftruncate(fd_, 0) == 0 && fdatasync(fd_) == 0) return;
  if (write_at(fd_, octets_of_object(FileHeader{.magic = {}, .version = 0}), 0) && fdatasync(fd_) == 0)
    return;
  struct stat opened{}, named{};
  const bool ours = fstat(fd_, &opened) == 0 && lstat(path_.c_str(), &named) == 0 && same_file(opened, named);
  if (ours && unlink(path_.c_str()) == 0 && sync_directory(directory_)) return;
  log_error("cache.file can be neither emptied nor removed: what was flushed may come back from it");
}

std::expected<Chunks, int> SegmentFile::chunks() const {
  struct stat whole{};
  if (fstat(fd_, &whole) != 0) return std::unexpected(errno);
  const auto from_disk = [this](MutableBytes out, uint64_t at) { return read_at(fd_, out, at); };
  return find_chunks(header_, static_cast<uint64_t>(whole.st_size), from_disk);
}

bool SegmentFile::read(const ChunkPlace& place, std::vector<uint8_t>& buffer) const {
  return read_chunk(header_, place, buffer,
                    [this](MutableBytes out, uint64_t at) { return read_at(fd_, out, at); });
}

// The header last: until it is there, so are the zeros that end the slot, or what the slot was used for
// before.
SegmentFile::Status SegmentFile::append(uint32_t slot, SlotFill& fill, const Chunk& chunk) {
  const uint64_t size = chunk_octets(chunk.entries.size());
  const uint64_t left = header_.slot_octets - fill.octets - size;
  ChunkHeader header{.data_checksum = xxh64(chunk.entries, header_.seed),
                     .sequence = chunk.sequence,
                     .first_sequence = fill.octets == 0 ? chunk.sequence : fill.first_sequence,
                     .at = slot_at(slot) + fill.octets,
                     .octets = static_cast<uint32_t>(chunk.entries.size()),
                     .entries = chunk.count,
                     .written = chunk.written.time_since_epoch().count()};
  header.checksum = checksum_of(header, header_.seed);
  const uint64_t entries_at = header.at + sizeof header, end = entries_at + chunk.entries.size();
  const std::array<uint8_t, sector + sizeof header> zeros{};
  const Bytes behind = Bytes(zeros).first(header.at + size - end + std::min<uint64_t>(left, sizeof header));
  if (auto done = write_at(fd_, chunk.entries, entries_at); !done) return done;
  if (auto done = write_at(fd_, behind, end); !done) return done;
  if (auto done = write_at(fd_, octets_of_object(header), header.at); !done) return done;
  fill = {.first_sequence = header.first_sequence, .octets = static_cast<uint32_t>(fill.octets + size)};
  return {};
}

std::expected<std::vector<JournalBlock>, int> SegmentFile::read_journal() const {
  std::vector<JournalBlock> blocks(journal_blocks);
  const MutableBytes octets{reinterpret_cast<uint8_t*>(blocks.data()), journal_blocks * sector};
  const auto size = read_at(fd_, octets, journal_at);
  if (!size) return std::unexpected(size.error());
  if (*size != octets.size()) return std::unexpected(EIO);
  return blocks;
}

SegmentFile::Status SegmentFile::write_journal(uint32_t index, const JournalBlock& block) {
  return write_at(fd_, octets_of_object(block), journal_at + uint64_t{index} * sector);
}

SegmentFile::Status SegmentFile::sync() {
  if (fdatasync(fd_) != 0) return std::unexpected(errno);
  return {};
}

}  // namespace peregrine
