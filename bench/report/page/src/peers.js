// Other servers under the same loads.
import { across, axis, chart, narrow, safe, tooltip, whiskers } from "./chart.js";
import { h, number, numbersTable, spread, spreadText } from "./dom.js";
import { isEcho } from "./theme.js";

const loadNames = {
  hot: "1,000 names by Zipf's law, all in the cache",
  large: "100,000 names, all alike, all in the cache",
  miss: "names asked once: forwarded and kept",
};
const isOurs = (server) => /^peregrine\b/i.test(server);

export const peers = {
  id: "peers",
  title: "Other servers",
  sectionName: "peers",
  says: () => [
    "The resolvers that Debian has, and ours, one worker thread each, forwarding to the same upstream without validation. " +
      "Net CPU is what an answer costs beyond the kernel's socket path, so shorter bars on the left are better; of the " +
      "rates on the right, longer ones.",
    "All run at once and take turns on one core, the echo first in each round. Bars are medians of the rounds, whiskers " +
      "the least and the most.",
  ],
  draw(found) {
    const charts = Object.entries(found.loads).flatMap(([load, servers]) => [
      bars(
        `${load}: net CPU`,
        loadNames[load],
        "CPU ns an answer, net",
        rows(
          servers.filter(({ server }) => !isEcho(server)),
          "net_ns",
        ),
      ),
      bars(`${load}: rate`, loadNames[load], "answers a second", rows(servers, "rate"), { most: true }),
    ]);
    const at = found.offered ? ` at ${number(Math.round(found.offered))} a second` : "";
    return [
      h(
        "div",
        { class: "charts" },
        charts,
        bars("latency: p50", `open loop${at}`, "µs", rows(found.latency, "p50_us")),
        bars("latency: p99", `open loop${at}`, "µs (log)", rows(found.latency, "p99_us"), { type: "log" }),
        bars(
          "memory",
          "of the first 100,000 names",
          "octets a cached name",
          found.memory.map(({ server, octets }) => ({ server, middle: octets, low: octets, high: octets })),
        ),
      ),
      Object.entries(found.left_out ?? {}).map(([server, why]) => h("p", { class: "meta" }, `${server} is left out: ${why}`)),
      numbersTable("The numbers", tables(found)),
    ];
  },
};

const rows = (servers, figure) => servers.map((one) => ({ server: one.server, ...spread(one[figure]) }));
const withoutBuild = (server) => server.replace(/(\d)-\d+~deb.*$/, "$1");

// The best first. A bar's length means nothing on a log scale: there, it is a dot.
function bars(title, about, unit, all, { most = false, type = "value" } = {}) {
  const data = all.toSorted((a, b) => (most ? b.middle - a.middle : a.middle - b.middle));
  return h(
    "figure",
    {},
    h("figcaption", {}, title, " ", h("small", {}, about)),
    chart({
      label: `${title}, ${unit}: ` + data.map(({ server, middle }) => `${server} ${number(middle)}`).join("; "),
      height: 62 + data.length * 30,
      option: (theme, width) => ({
        grid: { left: 8, right: 30, top: 6, bottom: 36, containLabel: true },
        tooltip: tooltip(theme, {
          trigger: "axis",
          axisPointer: { type: "shadow", z: 0, shadowStyle: { color: theme.grid, opacity: 0.5 } },
          formatter: ([{ dataIndex }]) => `${safe(data[dataIndex].server)}<br><b>${spreadText(data[dataIndex])}</b> ${unit}`,
        }),
        xAxis: axis(theme, unit, {
          ...across,
          type,
          splitNumber: narrow(width) ? 3 : 5,
          ...(type === "log" ? {} : { min: (extent) => Math.min(0, extent.min) }),
        }),
        yAxis: {
          type: "category",
          inverse: true,
          data: data.map(({ server }) => withoutBuild(server)),
          axisTick: { show: false },
          axisLine: { lineStyle: { color: theme.line } },
          axisLabel: {
            fontSize: narrow(width) ? 11 : 13,
            interval: 0,
            color: theme.ink,
            formatter: (name) => (isOurs(name) ? `{ours|${name}}` : name),
            rich: { ours: { fontWeight: 700 } },
          },
        },
        series: [
          type === "log"
            ? {
                type: "line",
                lineStyle: { opacity: 0 },
                symbolSize: 12,
                z: 6,
                data: data.map(({ server, middle }, row) => ({
                  value: [middle, row],
                  symbol: isOurs(server) ? "diamond" : "circle",
                  itemStyle: { ...fill(theme, server), opacity: 1 },
                })),
              }
            : {
                type: "bar",
                barMaxWidth: 16,
                data: data.map(({ server, middle }) => ({ value: middle, itemStyle: fill(theme, server) })),
              },
          whiskers(
            data.flatMap(({ low, high }, row) => (low < high ? [[low, high, row]] : [])),
            { colour: theme.ink, flat: true },
          ),
        ],
      }),
    }),
  );
}

function fill(theme, server) {
  if (isEcho(server)) return { color: theme.paper, borderColor: theme.echo, borderType: "dashed", borderWidth: 1.5 };
  return { color: isOurs(server) ? theme.series(0).colour : theme.other };
}

function tables({ loads, latency, memory }) {
  return [
    ...Object.entries(loads).map(([load, servers]) => ({
      caption: `${load}: ${loadNames[load] ?? ""}`,
      head: ["server", "answers a second", "CPU ns an answer", "net", "lost"],
      rows: servers.map((one) => [
        one.server,
        ...["rate", "cpu_ns", "net_ns"].map((figure) => spreadText(spread(one[figure]))),
        number(one.lost),
      ]),
    })),
    {
      caption: "latency",
      head: ["server", "p50, µs", "p99, µs", "lost"],
      rows: latency.map((one) => [one.server, spreadText(spread(one.p50_us)), spreadText(spread(one.p99_us)), number(one.lost)]),
    },
    {
      caption: "memory",
      head: ["server", "octets a cached name"],
      rows: memory.map(({ server, octets }) => [server, number(Math.round(octets))]),
    },
  ];
}
