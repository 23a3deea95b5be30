// What each feature flag is worth: off against on.
import { across, axis, chart, itemStyle, legend, narrow, safe, tooltip, whiskers } from "./chart.js";
import { h, median, number, numbersTable, quartiles, spreadText } from "./dom.js";

const gains = ({ off, on }) => off.map((before, round) => before - on[round]);

export const ablation = {
  id: "ablation",
  title: "Flags",
  sectionName: "ablation",
  says: () => [
    "Each technique of the data path is a flag. The open circle is the CPU time of an answer with the flag off, the " +
      "filled diamond with it on, all else the same: a diamond to the left is a gain. Where the whiskers (first to third " +
      "quartile of the rounds) overlap, time cannot tell.",
    "Answers from the cache, CPU time of all threads less the echo's of the same round; off and on by turns, each time in " +
      "a server started anew. Instructions of a plain hit are counted, and have no spread.",
  ],
  draw(found) {
    const flags = found.flags.filter(({ off }) => off.length).sort((a, b) => median(gains(b)) - median(gains(a)));
    const counted = flags
      .filter(({ instructions }) => instructions)
      .sort((a, b) => b.instructions[0] - b.instructions[1] - (a.instructions[0] - a.instructions[1]));
    return [
      flags.length ? h("figcaption", {}, "CPU time of an answer, less the echo's") : null,
      flags.length ? times(flags) : null,
      counted.length ? h("figcaption", {}, "Instructions of an answer in user space") : null,
      counted.length ? instructions(counted) : null,
      numbersTable("The numbers", [
        {
          caption: "CPU ns an answer less the echo's, median (first to third quartile); instructions of a plain hit",
          head: ["flag", "off, ns", "on, ns", "gained, ns", "instructions off → on"],
          rows: [...flags, ...found.flags.filter(({ off }) => !off.length)].map((flag) =>
            flag.off.length
              ? [
                  flag.name,
                  spreadText(quartiles(flag.off)),
                  spreadText(quartiles(flag.on)),
                  spreadText(quartiles(gains(flag))),
                  counts(flag),
                ]
              : [flag.name, flag.unavailable ?? "not measured", "", "", counts(flag)],
          ),
        },
      ]),
    ];
  },
};

const counts = ({ instructions: both }) => (both ? `${number(both[0])} → ${number(both[1])}` : "–");
const sides = (theme) => [
  { key: "off", colour: theme.series(1).colour, symbol: "circle", hollow: true, dodge: -7 },
  { key: "on", colour: theme.series(0).colour, symbol: "diamond", dodge: 7 },
];
const names = (theme, flags, width) => ({
  type: "category",
  data: flags.map(({ name }) => name),
  inverse: true,
  axisTick: { show: false },
  axisLine: { lineStyle: { color: theme.line } },
  splitLine: { show: true, lineStyle: { color: theme.grid } },
  axisLabel: { color: theme.ink, fontSize: narrow(width) ? 11 : 13, interval: 0 },
});

function times(flags) {
  const sums = flags.map(({ off, on }) => ({ off: quartiles(off), on: quartiles(on) }));
  const least = Math.min(...sums.flatMap(({ off, on }) => [off.low, on.low]));
  return chart({
    label:
      "Net CPU nanoseconds of an answer with each flag off and on: " +
      flags.map((flag) => `${flag.name} ${number(median(flag.off))} to ${number(median(flag.on))}`).join("; "),
    height: 90 + flags.length * 40,
    option: (theme, width) => ({
      legend: legend(theme, { data: ["off", "on"] }),
      grid: { left: 8, right: 22, top: 34, bottom: 36, containLabel: true },
      tooltip: tooltip(theme, {
        trigger: "axis",
        axisPointer: { type: "shadow", z: 0, shadowStyle: { color: theme.grid, opacity: 0.5 } },
        formatter: ([{ dataIndex }]) => describe(flags[dataIndex]),
      }),
      xAxis: axis(theme, "CPU ns an answer, net", {
        ...across,
        splitNumber: narrow(width) ? 3 : 6,
        scale: true,
        min: least < 0 ? null : 0,
      }),
      yAxis: names(theme, flags, width),
      series: sides(theme).flatMap(({ key, dodge, ...style }) => [
        {
          name: key,
          type: "line",
          lineStyle: { opacity: 0 },
          symbol: style.symbol,
          symbolSize: 11,
          symbolOffset: [0, dodge],
          z: 6,
          itemStyle: itemStyle(theme, style),
          data: flags.map((flag) => [median(flag[key]), flag.name]),
        },
        whiskers(
          sums.map(({ [key]: { low, high } }, row) => [low, high, row]),
          { colour: style.colour, flat: true, dodge },
        ),
      ]),
    }),
  });
}

function describe(flag) {
  return (
    `<b>${safe(flag.name)}</b><br>off ${spreadText(quartiles(flag.off))} ns<br>on ${spreadText(quartiles(flag.on))} ns<br>` +
    `gained ${spreadText(quartiles(gains(flag)))} ns<br>instructions ${counts(flag)}`
  );
}

function instructions(flags) {
  return chart({
    label:
      "Instructions of an answer with each flag off and on: " + flags.map((flag) => `${flag.name} ${counts(flag)}`).join("; "),
    height: 90 + flags.length * 44,
    option: (theme, width) => ({
      legend: legend(theme, { data: ["off", "on"] }),
      aria: {
        enabled: true,
        decal: {
          show: true,
          decals: [
            { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [3, 5], rotation: -Math.PI / 4, color: theme.raised },
            { symbol: "none" },
          ],
        },
      },
      grid: { left: 8, right: 60, top: 34, bottom: 36, containLabel: true },
      tooltip: tooltip(theme, {
        trigger: "axis",
        axisPointer: { type: "shadow", z: 0, shadowStyle: { color: theme.grid, opacity: 0.5 } },
        formatter: ([{ dataIndex }]) => `<b>${safe(flags[dataIndex].name)}</b><br>${counts(flags[dataIndex])} instructions`,
      }),
      xAxis: axis(theme, "instructions an answer", { ...across, splitNumber: narrow(width) ? 3 : 5 }),
      yAxis: names(theme, flags, width),
      series: sides(theme).map(({ key, colour }, side) => ({
        name: key,
        type: "bar",
        color: colour,
        barMaxWidth: 14,
        data: flags.map((flag) => flag.instructions[side]),
        label: { show: true, position: "right", color: theme.ink, formatter: ({ value }) => number(Math.round(value)) },
      })),
    }),
  });
}
