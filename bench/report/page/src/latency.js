// How long an answer takes, by percentile, where queries come at a fixed rate.
import { across, axis, belowLegend, chart, legend, lines, safe, tooltip } from "./chart.js";
import { h, number, numbersTable } from "./dom.js";

// The distance to 1 on a log scale: p90, p99 and p99.9 are as far from one another, and the tail is not squeezed into a corner.
const place = (quantile) => Math.log10(1 / (1 - quantile));
const marks = [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999];
const named = (quantile) => `p${+(quantile * 100).toPrecision(8)}`;

export const latency = {
  id: "latency",
  title: "Latency",
  sectionName: "latency",
  says: () => [
    "How long the client waits, from the moment a query was due until its answer. To the right are the slowest: at p99, " +
      "one query of a hundred waits longer than what the curve shows. A curve on the echo's is as fast as the kernel " +
      "allows.",
    "Queries come at a fixed rate, half of what the echo can do, whether or not answers come back, so that a stall counts " +
      "for every query that waited for it.",
  ],
  draw(found) {
    const curves = found.curves.map(({ name, percentiles }) => ({
      name,
      points: percentiles.filter(([q, us]) => q < 1 && us > 0).map(([q, us]) => [place(q), us, q]),
    }));
    const names = curves.map(({ name }) => name);
    const last = Math.max(...curves.flatMap(({ points }) => points.map(([x]) => x)));
    const ticks = marks.filter((quantile) => place(quantile) <= last + 0.01);
    const label =
      `Latency by percentile at ${number(found.offered)} queries a second: ` +
      curves.map(({ name, points }) => `${name} p99 ${number(nearest(points, 0.99)[1])} microseconds`).join("; ");
    return [
      h("figcaption", {}, `Latency at ${number(Math.round(found.offered))} queries a second`),
      chart({
        label,
        height: 380,
        option: (theme, width) => ({
          legend: legend(theme, { data: names }),
          grid: {
            left: 12,
            right: 22,
            top: belowLegend(names, width),
            bottom: 34,
            containLabel: true,
          },
          tooltip: tooltip(theme, {
            trigger: "item",
            formatter: ({ seriesName, value }) => `${safe(seriesName)}<br>${named(value[2])}: <b>${number(value[1])} µs</b>`,
          }),
          xAxis: axis(theme, "percentile of queries", {
            ...across,
            min: 0,
            max: last,
            axisTick: { customValues: ticks.map(place), lineStyle: { color: theme.line } },
            axisLabel: { customValues: ticks.map(place), formatter: (x) => named(1 - 10 ** -x) },
            splitLine: { show: false },
          }),
          yAxis: axis(theme, "latency, µs (log)", {
            type: "log",
            nameTextStyle: { align: "left", color: theme.soft },
            minorSplitLine: { show: false },
          }),
          series: lines(
            theme,
            names,
            curves.map(({ points }) => points),
          ),
        }),
      }),
      numbersTable("The numbers", [
        {
          caption: "Latency in µs by percentile",
          head: ["", ...ticks.map(named)],
          rows: curves.map(({ name, points }) => [name, ...ticks.map((quantile) => number(nearest(points, quantile)[1]))]),
        },
      ]),
    ];
  },
};

function nearest(points, quantile) {
  return points.reduce((best, point) =>
    Math.abs(point[0] - place(quantile)) < Math.abs(best[0] - place(quantile)) ? point : best,
  );
}
