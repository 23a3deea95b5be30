// What is answered of what is asked, and what waiting costs on the way to the limit.
import { across, axis, belowLegend, chart, itemStyle, legend, safe, tooltip } from "./chart.js";
import { h, number, numbersTable, percent } from "./dom.js";

export const offered = {
  id: "offered", title: "Load", sectionName: "offered",
  says: () => [
    "Queries come faster and faster. As long as a server keeps up, its line lies on the diagonal; where it leaves it, queries are lost. "
    + "Below is what the slowest hundredth waits: it grows before anything is lost.",
    "One worker on one core, answers from the cache, an open loop. The echo is what the kernel's socket path allows without any server.",
  ],
  draw({ series }) {
    const all = series.flatMap(({ points }) => points);
    const most = Math.max(...all.map((point) => point.offered));
    const lines = (theme, figure) => series.map(({ name, points }, index) => {
      const style = theme.styles(series.map((one) => one.name))[index];
      return {
        name, type: "line", symbol: style.symbol, symbolSize: 8, showAllSymbol: true, itemStyle: itemStyle(theme, style),
        lineStyle: { width: 2, type: style.dash, color: style.colour },
        data: points.map((point) => ({ value: [point.offered, point[figure]], point })), emphasis: { focus: "series" },
      };
    });
    const tip = (theme) => tooltip(theme, { trigger: "item", formatter: ({ seriesName, data }) => !data.point ? "" :
      `${safe(seriesName)} at ${number(Math.round(data.point.offered))} queries a second<br>answered <b>${number(Math.round(data.point.answered))}</b> `
      + `a second, lost ${percent(data.point.lost)}<br>p99 <b>${number(data.point.p99_us)} µs</b>` });
    const x = (theme) => axis(theme, "offered, queries a second", { ...across, min: 0, max: most, splitLine: { show: false } });
    const left = { align: "left" };
    return [
      h("figcaption", {}, "Answered of what is offered"),
      chart({
        label: "Answers a second against queries a second: " + series.map(({ name, points }) =>
          `${name} up to ${number(Math.round(Math.max(...points.map((point) => point.answered))))}`).join("; "),
        height: 380,
        option: (theme, width) => ({
          legend: legend(theme, { data: series.map(({ name }) => name) }),
          grid: { left: 12, right: 26, top: belowLegend(series.map(({ name }) => name), width), bottom: 34, containLabel: true },
          tooltip: tip(theme), xAxis: x(theme),
          yAxis: axis(theme, "answered, a second", { nameTextStyle: { ...left, color: theme.soft }, min: 0 }),
          series: [...lines(theme, "answered"), {
            name: "all answered", type: "line", silent: true, data: [[0, 0], [most, most]], symbol: "none", z: 1,
            lineStyle: { color: theme.soft, width: 1, type: "solid", opacity: 0.7 },
            endLabel: { show: false },
          }],
        }),
      }),
      h("figcaption", {}, "The slowest hundredth (p99)"),
      chart({
        label: "99th percentile of latency in microseconds against queries a second",
        height: 240,
        option: (theme) => ({
          grid: { left: 12, right: 26, top: 34, bottom: 34, containLabel: true }, tooltip: tip(theme), xAxis: x(theme),
          yAxis: axis(theme, "p99, µs (log)", { type: "log", nameTextStyle: { ...left, color: theme.soft } }),
          series: lines(theme, "p99_us"),
        }),
      }),
      numbersTable("The numbers", series.map(({ name, points }) => ({
        caption: name, head: ["offered, a second", "answered, a second", "lost", "p99, µs"],
        rows: points.map((point) =>
          [number(Math.round(point.offered)), number(Math.round(point.answered)), percent(point.lost, 2), number(point.p99_us)]),
      }))),
    ];
  },
};
