#include "config/config.h"

#include <algorithm>
#include <deque>
#include <string_view>
#include <tuple>

#include "config/checks.h"
#include "config/key_table.h"
#include "config/toml_tree.h"

namespace peregrine {
namespace {

constexpr size_t most_errors = 1000;  // that are kept; of the rest there is the number
constexpr uint16_t default_port = 1053;
const IpAddress loopback_v4 = IpAddress::v4({127, 0, 0, 1});
const IpAddress loopback_v6 = IpAddress::v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});

Config built_in() {
  Config config;
  for (const IpAddress& address : {loopback_v4, loopback_v6}) {
    config.server.listen.push_back({ListenScheme::udp_and_tcp, {address, default_port}});
  }
  config.access.allow = {{IpAddress::v4({127, 0, 0, 0}), 8}, {loopback_v6, 128}};
  return config;
}

struct Source {
  std::string name;
  Origin origin;
};

// A Kubernetes cluster sets these in every container for a service named peregrine or peregrine-something:
// <NAME>_SERVICE_HOST, <NAME>_SERVICE_PORT..., <NAME>_PORT, <NAME>_PORT_53_UDP...
bool is_service_link(std::string_view name) {
  return name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT") || name.ends_with("_PORT") ||
         name.contains("_PORT_");
}

bool is_exempt(std::string_view name) {
  if (!name.starts_with(environment_prefix)) return true;
  if (name == "PEREGRINE_KERNEL" || name == "PEREGRINE_SOAK") return true;
  return is_service_link(name) && find_row(key_of_environment_name(name)) == nullptr;
}

class Loader {
 public:
  explicit Loader(const ConfigSources& from) : from_(from), config_(built_in()) {}

  LoadedConfig load() {
    take_file();
    for (const auto& [name, value] : from_.environment) take_variable(name, value);
    for (const std::string& assignment : from_.set) take_assignment(assignment);
    config_.flags = FlagSet(config_.profile);
    for (const FlagChoice& choice : flags_) config_.flags.set(choice.flag, choice.value, choice.origin);
    check_together(config_, given_, [this](const Given& given, Place place, std::string message) {
      complain(given.source, place, std::move(message));
    });
    return {std::move(config_), sorted_errors()};
  }

 private:
  struct Complaint {
    size_t source;
    Place place;
    std::string message;
  };

  void take_file() {
    sources_.push_back({from_.file_name, Origin::file});
    auto table = parse_toml(from_.file_text);
    if (!table) return complain(0, table.error().place, std::move(table.error().message));
    take_root(*std::move(table));
  }

  void take_variable(const std::string& name, const std::string& text) {
    if (is_exempt(name)) return;
    sources_.push_back({"environment", Origin::environment});
    take_override(key_of_environment_name(name), text);
  }

  void take_assignment(const std::string& text) {
    sources_.push_back({"--set", Origin::command_line});
    const size_t equals = text.find('=');
    if (equals != text.npos)
      return take_override(std::string(trimmed(std::string_view(text).substr(0, equals))),
                           text.substr(equals + 1));
    complain(sources_.size() - 1, {}, "\"" + printable(text) + "\" is not of the form key=value");
  }

  // "a.b=v" is the document {a = {b = v}}, so that all sources are taken by the same code.
  void take_override(const std::string& key, std::string_view text) {
    const size_t dot = key.find('.');
    const std::string head = key.substr(0, dot);
    if (find_row(head) == nullptr && !is_table_name(head)) return complain_unknown(key);
    TomlValue value = parse_toml_value(text);
    if (dot != key.npos) {
      TomlTable inner;
      inner.push_back({key.substr(dot + 1), {}, std::move(value)});
      value = {{}, std::move(inner)};
    }
    TomlTable root;
    root.push_back({head, {}, std::move(value)});
    take_root(std::move(root));
  }

  void complain_unknown(std::string_view key) {
    std::string name;
    for (size_t start = 0; start <= key.size();) {
      const size_t end = std::min(key.find('.', start), key.size());
      if (start > 0) name += '.';
      name += key_part(key.substr(start, end - start));
      start = end + 1;
    }
    const size_t source = sources_.size() - 1;
    complain(source, {}, unknown_key(loading_from(source), name));
  }

  // What was given is kept, as its places are wanted later.
  void take_root(TomlTable&& root) {
    const size_t source = sources_.size() - 1;
    Loading loading = loading_from(source);
    take_table(documents_.emplace_back(std::move(root)), "", loading);
  }

  Loading loading_from(size_t source) {
    return {config_, flags_, sources_[source].origin,
            [this, source](Place p, std::string m) { complain(source, p, std::move(m)); },
            sources_[source].name};
  }

  // As deep as the keys are: a table that no key is in is not entered.
  void take_table(const TomlTable& table, const std::string& path, Loading& loading) {
    for (const TomlMember& member : table) {
      const std::string key = path + key_part(member.key);
      if (const Row* row = find_row(key)) {
        const bool good = row->take(*row, member.value, loading);
        given_[row->doc.key] = {sources_.size() - 1, &member.value, good};
      } else if (!is_table_name(key)) {
        loading.complain(member.place, unknown_key(loading, key));
      } else if (const auto* inner = member.value.get<TomlTable>()) {
        take_table(*inner, key + ".", loading);
      } else {
        const std::string message = loading.name(key) + " must be a table, not " + shown(member.value);
        loading.complain(member.value.place, message);
      }
    }
  }

  void complain(size_t source, Place place, std::string message) {
    if (complaints_.size() == most_errors) {
      ++left_out_;
      return;
    }
    const Place shown_place = sources_[source].origin == Origin::file ? place : Place{};
    complaints_.push_back({source, shown_place, std::move(message)});
  }

  std::vector<ConfigError> sorted_errors() {
    std::ranges::sort(complaints_, {},
                      [](const Complaint& c) { return std::tie(c.source, c.place, c.message); });
    std::vector<ConfigError> errors;
    if (from_.unreadable) errors.push_back(*from_.unreadable);
    for (Complaint& c : complaints_) {
      errors.push_back({sources_[c.source].name, c.place.line, c.place.column, std::move(c.message)});
    }
    if (left_out_ > 0) errors.push_back({"", 0, 0, "and " + std::to_string(left_out_) + " more errors"});
    return errors;
  }

  const ConfigSources& from_;
  Config config_;
  std::vector<FlagChoice> flags_;
  std::vector<Source> sources_;
  std::deque<TomlTable> documents_;
  GivenKeys given_;
  std::vector<Complaint> complaints_;
  size_t left_out_ = 0;
};

}  // namespace

std::string ConfigError::to_string() const {
  if (source.empty()) return message;
  if (line == 0) return source + ": " + message;
  const std::string in_line = column == 0 ? "" : ":" + std::to_string(column);
  return source + ":" + std::to_string(line) + in_line + ": " + message;
}

LoadedConfig load_config(const ConfigSources& sources) { return Loader(sources).load(); }

}  // namespace peregrine
