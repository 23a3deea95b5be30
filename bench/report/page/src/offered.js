// What is answered of what is asked, and what waiting costs on the way to the limit.
import { across, axis, belowLegend, chart, legend, lines, safe, tooltip } from "./chart.js";
import { h, number, numbersTable, percent } from "./dom.js";

export const offered = {
  id: "offered",
  title: "Load",
  sectionName: "offered",
  says: () => [
    "Queries come faster and faster. As long as a server keeps up, its line lies on the diagonal; where it leaves it, " +
      "queries are lost. Below is what the slowest hundredth waits: it grows before anything is lost.",
    "One worker on one core, answers from the cache, an open loop. The echo is what the kernel's socket path allows " +
      "without any server.",
  ],
  draw: ({ series }) => [
    h("figcaption", {}, "Answered of what is offered"),
    answers(series),
    h("figcaption", {}, "The slowest hundredth (p99)"),
    waits(series),
    numbersTable("The numbers", series.map(table)),
  ],
};

const whole = (value) => number(Math.round(value));
const mostOffered = (series) => Math.max(...series.flatMap(({ points }) => points.map((point) => point.offered)));
const namesOf = (series) => series.map(({ name }) => name);

function answers(series) {
  const names = namesOf(series);
  const most = mostOffered(series);
  const reached = series.map(({ name, points }) => `${name} up to ${whole(Math.max(...points.map((point) => point.answered)))}`);
  return chart({
    label: `Answers a second against queries a second: ${reached.join("; ")}`,
    height: 380,
    option: (theme, width) => ({
      ...common(theme, series),
      legend: legend(theme, { data: names }),
      grid: { left: 12, right: 26, top: belowLegend(names, width), bottom: 34, containLabel: true },
      yAxis: axis(theme, "answered, a second", { nameTextStyle: { align: "left", color: theme.soft }, min: 0 }),
      series: [...lines(theme, names, data(series, "answered")), diagonal(theme, most)],
    }),
  });
}

function waits(series) {
  return chart({
    label: "99th percentile of latency in microseconds against queries a second",
    height: 240,
    option: (theme) => ({
      ...common(theme, series),
      grid: { left: 12, right: 26, top: 34, bottom: 34, containLabel: true },
      yAxis: axis(theme, "p99, µs (log)", { type: "log", nameTextStyle: { align: "left", color: theme.soft } }),
      series: lines(theme, namesOf(series), data(series, "p99_us")),
    }),
  });
}

const data = (series, figure) =>
  series.map(({ points }) => points.map((point) => ({ value: [point.offered, point[figure]], point })));

function common(theme, series) {
  return {
    tooltip: tooltip(theme, { trigger: "item", formatter: ({ seriesName, data: { point } }) => describe(seriesName, point) }),
    xAxis: axis(theme, "offered, queries a second", {
      ...across,
      min: 0,
      max: mostOffered(series),
      splitLine: { show: false },
    }),
  };
}

function diagonal(theme, most) {
  const ends = [0, most].map((both) => [both, both]);
  return {
    type: "line",
    silent: true,
    data: ends,
    symbol: "none",
    z: 1,
    lineStyle: { color: theme.soft, width: 1, opacity: 0.7 },
  };
}

function describe(name, point) {
  const answered = `answered <b>${whole(point.answered)}</b> a second, lost ${percent(point.lost)}`;
  return `${safe(name)} at ${whole(point.offered)} queries a second<br>${answered}<br>p99 <b>${number(point.p99_us)} µs</b>`;
}

const table = ({ name, points }) => ({
  caption: name,
  head: ["offered, a second", "answered, a second", "lost", "p99, µs"],
  rows: points.map((point) => [whole(point.offered), whole(point.answered), percent(point.lost, 2), number(point.p99_us)]),
});
