#include "cli/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>

#include "config/suggest.h"

namespace peregrine {
namespace {

constexpr const char* about =
    "Peregrine, a DNS server.\n\n"
    "To try it: peregrine serve, and in another terminal: peregrine query example.com @127.0.0.1:1053";

// The subcommand that the arguments led to.
const CLI::App& innermost(const CLI::App& app) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  return chosen.empty() ? app : innermost(*chosen.back());
}

std::vector<std::string> known_words(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    words.push_back(command->get_name());
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
  return words;
}

std::optional<std::string> nearest(const std::string& typed, const std::vector<std::string>& words) {
  constexpr size_t too_far = 3;
  std::optional<std::string> best;
  size_t least = std::min(too_far, typed.size());
  for (const std::string& word : words) {
    const size_t distance = edit_distance(typed, word, least);
    if (distance < least) least = distance, best = word;
  }
  return best;
}

// One line: what is wrong, what may be meant.
std::string complaint(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = innermost(app);
  const bool wants_command = command.get_require_subcommand_min() != 0;
  const std::vector<std::string> unknown = app.remaining(/*recurse=*/true);
  if (unknown.empty()) return wants_command ? "no command given" : error.what();
  std::string text = (wants_command ? "unknown command '" : "unknown argument '") + unknown.front() + "'";
  if (auto meant = nearest(unknown.front(), known_words(command))) text += "; did you mean " + *meant + "?";
  return text;
}

std::string full_name(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent ? full_name(*parent) + " " + app.get_name() : "peregrine";
}

// Help without what only the library's authors would miss: types, numbers of arguments, exclusions.
class Help final : public CLI::Formatter {
 public:
  Help() { column_width(24); }
  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    if (!is_positional) return Formatter::make_option(option, is_positional);
    std::ostringstream out;
    CLI::detail::format_help(out, option->get_name(/*positional=*/true), option->get_description(),
                             get_column_width());
    return out.str();
  }
  std::string make_option_usage(const CLI::Option* positional) const override {
    const std::string& text = positional->get_option_text();
    return positional->get_required() ? text : "[" + text + "]";
  }
};

void add_commands(CLI::App& app, Console console, int& exit_code) {
  app.name("peregrine");
  app.require_subcommand(1);
  app.formatter(std::make_shared<Help>());
  add_serve(app, console, exit_code);
  add_check(app, console, exit_code);
  add_ctl(app, console, exit_code);
  add_query(app, console, exit_code);
  add_bench(app, console, exit_code);
  add_lab(app, console, exit_code);
  add_version(app, console, exit_code);
}

}  // namespace

int run_cli(const std::vector<std::string>& arguments, Console console) {
  int exit_code = exit_ok;
  CLI::App app(about);
  add_commands(app, console, exit_code);
  if (arguments.size() < 2) {
    console.out << app.help();
    return exit_usage;
  }
  std::vector<const char*> argv;
  argv.reserve(arguments.size());
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  try {
    app.parse(static_cast<int>(argv.size()), argv.data());
  } catch (const CLI::Success& help) {
    app.exit(help, console.out, console.err);
    return exit_ok;
  } catch (const CLI::ParseError& error) {
    console.err << "peregrine: " << complaint(app, error) << "\n"
                << "See '" << full_name(innermost(app)) << " --help'.\n";
    return exit_usage;
  }
  return exit_code;
}

}  // namespace peregrine
