// From a TOML value to the value of a setting. Each reader is a literal type, so that a row of the key table
// can name it with its limits; it gives nothing for a wrong type or an impossible value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "config/config.h"
#include "config/toml_tree.h"

namespace peregrine {

// A string, or any scalar of an override as it was written.
std::optional<std::string> read_text(const TomlValue& value);

struct ReadBoolean {
  std::optional<bool> operator()(const TomlValue& value) const;
};

struct ReadNumber {
  int64_t least, most;
  std::optional<int64_t> operator()(const TomlValue& value) const;
};

// "256 MiB", "1GiB", "64 MB", or a number of octets.
struct ReadSize {
  uint64_t least, most;
  std::optional<uint64_t> operator()(const TomlValue& value) const;
};

// "500ms", "10s", "5m", "1h", "1d", or a number of seconds. `Unit` is the finest that the setting can hold.
std::optional<std::chrono::milliseconds> read_duration(const TomlValue& value);
template <class Unit>
struct ReadDuration {
  int64_t least, most;  // in Unit
  std::optional<Unit> operator()(const TomlValue& value) const {
    const auto duration = read_duration(value);
    if (!duration) return std::nullopt;
    const auto whole = std::chrono::floor<Unit>(*duration);
    if (whole != *duration || whole.count() < least || whole.count() > most) return std::nullopt;
    return whole;
  }
};

struct ReadProfile {
  std::optional<Profile> operator()(const TomlValue& value) const;
};

struct ReadMinimisation {
  std::optional<QnameMinimisation> operator()(const TomlValue& value) const;
};

struct ReadSteering {
  std::optional<SteeringKey> operator()(const TomlValue& value) const;
};

struct ReadLogLevel {
  std::optional<LogLevel> operator()(const TomlValue& value) const;
};

// Up to 255 printable ASCII characters without blanks; may be empty.
struct ReadUser {
  std::optional<std::string> operator()(const TomlValue& value) const;
};

// An absolute path, or empty.
struct ReadPath {
  std::optional<std::string> operator()(const TomlValue& value) const;
};

// "127.0.0.1", "[::1]:5353", "udp://192.0.2.1:53"; port 53 where none is given, 0 lets the kernel choose.
struct ReadListen {
  std::optional<ListenAddress> operator()(const TomlValue& value) const;
};

struct ReadPrefix {
  std::optional<Prefix> operator()(const TomlValue& value) const;
};

struct ReadZone {
  std::optional<DnameBuf> operator()(const TomlValue& value) const;
};

// A server to send queries to: port 53 where none is given, never 0, and not the unspecified address.
struct ReadServer {
  std::optional<Endpoint> operator()(const TomlValue& value) const;
};

}  // namespace peregrine
