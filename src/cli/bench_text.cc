#include "cli/bench_text.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "cli/text.h"

namespace peregrine {
namespace {

constexpr std::array<std::pair<const char*, double>, 5> quantiles{
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}}};

// Of the curve: even steps, then ever finer ones towards the tail.
constexpr std::array curve{0.0, .05, .1,   .15,  .2,   .25,   .3,    .35,    .4,   .45, .5,
                           .55, .6,  .65,  .7,   .75,  .8,    .85,   .9,     .925, .95, .97,
                           .98, .99, .995, .998, .999, .9995, .9999, .99999, 1.0};

double per_answer(double total, const LoadResult& result) {
  return result.answers() == 0 ? 0 : total / static_cast<double>(result.answers());
}

double cpu_ns(const LoadResult& result, const ServerUse& server) {
  return per_answer(static_cast<double>(server.cpu.count()), result);
}

double millis(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

double micros(Duration duration) { return std::chrono::duration<double, std::micro>(duration).count(); }

std::string wrong_text(const LoadResult& result) {
  std::string text;
  for (size_t i = 1; i < verdict_count; ++i) {
    if (result.verdicts[i] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", to_string(Verdict(i)), result.verdicts[i]);
  }
  return text.empty() ? "none" : text;
}

}  // namespace

std::string load_text(const LoadResult& result, const std::optional<ServerUse>& server) {
  std::string latency;
  for (const auto& [name, quantile] : quantiles) {
    latency += fmt::format("{}{} {}", latency.empty() ? "" : ", ", name,
                           milliseconds_text(millis(result.latency.quantile(quantile))));
  }
  std::string text = fmt::format(
      "answers     {:.0f} a second; {} of {} queries in {:.2f} s\n"
      "latency     {}\n"
      "lost        {}; {} replies to nothing asked, {} times refused\n"
      "wrong       {}\n"
      "size        {:.1f} octets a reply\n",
      result.rate(), result.answers(), result.sent, millis(result.elapsed) / 1000, latency, result.lost,
      result.unexpected, result.refused, wrong_text(result),
      per_answer(static_cast<double>(result.reply_octets), result));
  if (result.connections != 0) {
    text +=
        fmt::format("connections {} opened, {} closed by the server\n", result.connections, result.closed);
  }
  if (result.unsent != 0)
    text += fmt::format("not sent    {}: the server held them back for too long\n", result.unsent);
  if (server) {
    text += fmt::format("server      {:.0f} ns of CPU an answer, {} resident\n", cpu_ns(result, *server),
                        octets_text(server->rss_octets));
  }
  return text;
}

std::string load_json(const LoadResult& result, const std::optional<ServerUse>& server) {
  nlohmann::ordered_json json{{"sent", result.sent},
                              {"answers", result.answers()},
                              {"lost", result.lost},
                              {"unsent", result.unsent},
                              {"unexpected", result.unexpected},
                              {"refused", result.refused},
                              {"seconds", millis(result.elapsed) / 1000},
                              {"rate", result.rate()}};
  for (size_t i = 1; i < verdict_count; ++i) json["wrong"][to_string(Verdict(i))] = result.verdicts[i];
  for (size_t i = 0; i < result.rcodes.size(); ++i) {
    if (result.rcodes[i] != 0) json["rcodes"][to_string(Rcode(i))] = result.rcodes[i];
  }
  for (const auto& [name, quantile] : quantiles) {
    json["latency_us"][name] = micros(result.latency.quantile(quantile));
  }
  json["latency_us"]["mean"] = micros(result.mean_latency());
  for (const double quantile : curve) {
    json["percentiles"].push_back({quantile, micros(result.latency.quantile(quantile))});
  }
  if (result.connections != 0) {
    json["connections"] = {{"opened", result.connections}, {"closed_by_server", result.closed}};
  }
  json["reply_octets"] = per_answer(static_cast<double>(result.reply_octets), result);
  if (server) {
    json["server"] = {{"cpu_ns_per_answer", cpu_ns(result, *server)}, {"rss_octets", server->rss_octets}};
  }
  return json.dump() + "\n";
}

std::string progress_text(const LoadProgress& progress) {
  constexpr size_t width = 30;
  const auto full = static_cast<size_t>(progress.done * width);
  return fmt::format("[{}{}] {:3.0f} %  {:.0f} answers/s", std::string(full, '#'),
                     std::string(width - full, '.'), progress.done * 100, progress.rate);
}

}  // namespace peregrine
