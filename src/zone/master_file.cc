#include "zone/master_file.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "zone/master_lines.h"
#include "zone/rdata_parser.h"

namespace peregrine {
namespace {

constexpr size_t most_faults = 20;
constexpr uint32_t longest_ttl = 0x7fff'ffff;  // RFC 2181 section 8

bool is_digit(char c) { return c >= '0' && c <= '9'; }

uint32_t seconds_in(char unit) {
  switch (unit) {
    case 's':
    case 'S':
      return 1;
    case 'm':
    case 'M':
      return 60;
    case 'h':
    case 'H':
      return 3'600;
    case 'd':
    case 'D':
      return 86'400;
    case 'w':
    case 'W':
      return 604'800;
    default:
      return 0;
  }
}

// Seconds, or numbers with units one behind the other.
std::optional<uint32_t> parse_ttl(std::string_view text) {
  uint64_t total = 0;
  for (size_t at = 0; at < text.size() || at == 0;) {
    uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    at = static_cast<size_t>(end - text.data());
    const uint32_t unit = at < text.size() ? seconds_in(text[at++]) : 1;
    total += uint64_t{number} * unit;
    if (unit == 0 || total > longest_ttl) return std::nullopt;
  }
  return static_cast<uint32_t>(total);
}

// As it may stand in a message: short, and without what a terminal would obey.
std::string shown(std::string_view word) {
  constexpr size_t longest = 64;
  std::string text(word.substr(0, longest));
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return '"' + text + (word.size() > longest ? "...\"" : "\"");
}

std::unexpected<std::string> fault(std::string message) { return std::unexpected(std::move(message)); }

// What holds from one entry to the next.
struct Context {
  DnameBuf origin;
  std::optional<DnameBuf> owner{};
  std::optional<uint32_t> default_ttl{};  // of $TTL
  std::optional<uint32_t> last_ttl{};
};

class Entry {
 public:
  Entry(const MasterEntry& entry, Context& context) : words_(entry.words), context_(context) {
    begins_blank_ = entry.begins_blank;
  }

  bool is_directive() const { return !begins_blank_ && words_[0].starts_with('$'); }
  std::expected<void, std::string> direct();
  std::expected<ZoneRecord, std::string> record();

 private:
  std::expected<void, std::string> take_owner();
  std::expected<Type, std::string> take_type();
  uint32_t ttl_or_default() const;
  std::string rest() const;

  const std::vector<std::string_view>& words_;
  Context& context_;
  bool begins_blank_ = false;
  size_t at_ = 0;
  std::optional<uint32_t> ttl_{};
};

std::expected<void, std::string> Entry::direct() {
  const std::string_view directive = words_[0];
  if (directive == "$INCLUDE") return fault("$INCLUDE is not read; put the records here");
  if (directive != "$ORIGIN" && directive != "$TTL") return fault("unknown directive " + shown(directive));
  if (words_.size() != 2) return fault(std::string(directive) + " has one value");
  if (directive == "$TTL") {
    context_.default_ttl = parse_ttl(words_[1]);
    if (!context_.default_ttl) return fault(shown(words_[1]) + " is no TTL");
    return {};
  }
  const auto origin = DnameBuf::from_text(words_[1], context_.origin);
  if (!origin) return fault(shown(words_[1]) + " is no domain name");
  context_.origin = *origin;
  return {};
}

std::expected<void, std::string> Entry::take_owner() {
  if (begins_blank_) {
    if (!context_.owner) return fault("the first record has no owner");
    return {};
  }
  const auto owner = DnameBuf::from_text(words_[at_], context_.origin);
  if (!owner) return fault(shown(words_[at_]) + " is no domain name");
  ++at_;
  context_.owner = *owner;
  return {};
}

// What stands before it are the TTL and the class, in either order.
std::expected<Type, std::string> Entry::take_type() {
  bool has_class = false;
  for (; at_ < words_.size(); ++at_) {
    const std::string_view word = words_[at_];
    if (!ttl_ && is_digit(word.front())) {
      ttl_ = parse_ttl(word);
      if (!ttl_) return fault(shown(word) + " is no TTL");
      continue;
    }
    const auto rclass = has_class ? std::nullopt : parse_class(word);
    // ANY is both a class and a type, and neither may stand here.
    if (!rclass) break;
    if (*rclass != Class::in) return fault("only class IN may stand here, not " + shown(word));
    has_class = true;
  }
  if (at_ == words_.size()) return fault("a record without a type");
  const auto type = parse_type(words_[at_]);
  if (!type) return fault(shown(words_[at_]) + " is no type");
  if (is_meta(*type)) return fault(shown(words_[at_]) + " is no type of records");
  ++at_;
  return *type;
}

// RFC 2308 section 4, and before it RFC 1035 section 5.1: the last one stated.
uint32_t Entry::ttl_or_default() const {
  if (ttl_) return *ttl_;
  return context_.default_ttl.value_or(context_.last_ttl.value_or(default_record_ttl));
}

std::string Entry::rest() const {
  std::string text;
  for (size_t i = at_; i < words_.size(); ++i) (text += text.empty() ? "" : " ") += words_[i];
  return text;
}

std::expected<ZoneRecord, std::string> Entry::record() {
  if (const auto taken = take_owner(); !taken) return fault(taken.error());
  const auto type = take_type();
  if (!type) return fault(type.error());
  auto rdata = parse_rdata(*type, rest(), context_.origin);
  if (!rdata) return fault(shown(rest()) + " is no data of type " + to_string(*type));
  const uint32_t ttl = ttl_or_default();
  context_.last_ttl = ttl;
  return ZoneRecord{.owner = *context_.owner, .type = *type, .ttl = ttl, .rdata = *std::move(rdata)};
}

}  // namespace

std::string ZoneFault::to_string() const {
  if (file.empty()) return message;
  return file + (line == 0 ? "" : ":" + std::to_string(line)) + ": " + message;
}

std::vector<ZoneFault> read_master_file(std::string_view text, const std::string& file, Dname apex,
                                        const TakeRecord& take) {
  if (text.size() > max_master_file)
    return {{file, 0, "larger than " + std::to_string(max_master_file >> 20) + " MiB"}};
  std::vector<ZoneFault> faults;
  Context context{.origin = DnameBuf(apex)};
  MasterLines lines(text);
  size_t left = max_master_records;
  const auto take_entry = [&](const MasterEntry& entry) -> std::expected<void, std::string> {
    if (entry.fault) return fault(entry.fault);
    Entry reading(entry, context);
    if (reading.is_directive()) return reading.direct();
    auto record = reading.record();
    if (!record) return fault(record.error());
    if (!record->owner.view().is_at_or_below(apex))
      return fault(record->owner.to_string() + " is not in the zone " + apex.to_string());
    --left;
    return take(*std::move(record));
  };
  for (MasterEntry entry; faults.size() < most_faults && lines.next(entry);) {
    if (left == 0) {
      faults.push_back({file, entry.line, "more than " + std::to_string(max_master_records) + " records"});
      break;
    }
    if (const auto taken = take_entry(entry); !taken) faults.push_back({file, entry.line, taken.error()});
  }
  return faults;
}

std::expected<ZoneRecord, std::string> read_record(std::string_view text, Dname origin) {
  MasterEntry entry, further;
  MasterLines lines(text);
  if (!lines.next(entry)) return fault("an empty record");
  if (entry.fault) return fault(entry.fault);
  if (lines.next(further)) return fault("more than one record");
  Context context{.origin = DnameBuf(origin)};
  Entry reading(entry, context);
  if (entry.begins_blank || reading.is_directive()) return fault("a record begins with its owner's name");
  return reading.record();
}

}  // namespace peregrine
