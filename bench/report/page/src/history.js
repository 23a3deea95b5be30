// Each benchmark over the commits that were measured: a chart each, some at a time, chosen by kind and name.
import { axis, chart, narrow, safe, tooltip, whiskers } from "./chart.js";
import { day, h, number, numbersTable, percent, shortHash } from "./dom.js";

const perPage = matchMedia("(max-width: 760px)").matches ? 6 : 12;
const kinds = {
  exact: "instructions (exact)",
  hit: "hit path, in time",
  micro: "single functions, in time",
  macro: "over loopback",
};
const orders = {
  name: (a, b) => 0,
  change: (a, b) => Math.abs(change(b) ?? 0) - Math.abs(change(a) ?? 0),
};

const last = (benchmark) => benchmark.points.at(-1);
// Of the last commit against the one before it, as a share; null where there is none.
function change({ points }) {
  if (points.length < 2) return null;
  const [before, now] = points.slice(-2);
  return before.middle ? now.middle / before.middle - 1 : null;
}
// Intervals that do not touch, or counts that differ: worth a word in colour.
function differs({ points }) {
  if (points.length < 2) return false;
  const [before, now] = points.slice(-2);
  return (now.low ?? now.middle) > (before.high ?? before.middle) || (now.high ?? now.middle) < (before.low ?? before.middle);
}

export const history = {
  id: "history",
  title: "History",
  sectionName: "history",
  says: ({ runs }) => [
    `Each benchmark over ${commitsInWords(runs.length)}. ` +
      "A dot is the median of the process runs, the whisker its 95 % bootstrap interval; counted instructions are exact " +
      "and have none. Less is better, but of what comes a second.",
    "Absolute times drift with the machine: only commits that were measured by turns can be told apart by time. A " +
      "vertical line is where another machine measured.",
  ],
  draw(found) {
    const cards = h("div", { class: "cards" });
    const more = h("button", { type: "button", class: "more" });
    const count = h("span", { class: "meta", "aria-live": "polite" });
    const state = { part: "", text: "", order: "name", shown: perPage };
    const parts = [...new Set(found.benchmarks.map(({ part }) => part))];
    const wanted = () =>
      found.benchmarks
        .filter((one) => (!state.part || one.part === state.part) && one.name.toLowerCase().includes(state.text.toLowerCase()))
        .sort(orders[state.order]);
    const show = () => {
      const all = wanted();
      cards.replaceChildren(...all.slice(0, state.shown).map((one) => card(one, found.runs)));
      count.textContent = `${Math.min(all.length, state.shown)} of ${all.length}`;
      more.hidden = all.length <= state.shown;
      more.textContent = `Show ${Math.min(perPage * 2, all.length - state.shown)} more`;
    };
    const set = (changed) => {
      Object.assign(state, { shown: perPage }, changed);
      show();
    };
    more.addEventListener("click", () => set({ shown: state.shown + perPage * 2 }));
    show();
    return [
      h(
        "div",
        { class: "controls" },
        h(
          "label",
          {},
          "Kind",
          h(
            "select",
            { onchange: ({ target }) => set({ part: target.value }) },
            h("option", { value: "" }, "all"),
            parts.map((part) => h("option", { value: part }, kinds[part] ?? part)),
          ),
        ),
        h(
          "label",
          {},
          "Name",
          h("input", { type: "search", placeholder: "part of a name", oninput: ({ target }) => set({ text: target.value }) }),
        ),
        h(
          "label",
          {},
          "Order",
          h(
            "select",
            { onchange: ({ target }) => set({ order: target.value }) },
            h("option", { value: "name" }, "by kind and name"),
            h("option", { value: "change" }, "largest last change first"),
          ),
        ),
        count,
      ),
      cards,
      more,
      numbersTable("The numbers", [
        {
          caption: "Last commit of each benchmark",
          texts: 3,
          head: ["benchmark", "kind", "unit", "median", "95 % interval", "against the commit before"],
          rows: found.benchmarks.map((one) => [
            one.name,
            one.part,
            one.unit,
            number(last(one).middle),
            last(one).low == null ? "–" : `${number(last(one).low)} to ${number(last(one).high)}`,
            signed(change(one)),
          ]),
        },
      ]),
    ];
  },
};

const commitsInWords = (count) =>
  count === 1 ? "one commit; a line needs a second one" : `the ${count} commits that were measured, the oldest on the left`;

const signed = (share) =>
  share == null
    ? "–"
    : share === 0
      ? "0 %"
      : `${share > 0 ? "+" : "−"}${percent(Math.abs(share), Math.abs(share) < 0.1 ? 1 : 0)}`;

function card(benchmark, runs) {
  const share = change(benchmark);
  const better = share != null && share !== 0 && differs(benchmark) && share > 0 === benchmark.more;
  const tone = share && differs(benchmark) ? (better ? "better" : "worse") : "";
  const words =
    share == null
      ? ""
      : tone
        ? `, ${signed(share)}: ${tone}`
        : share === 0
          ? ", unchanged"
          : `, ${signed(share)}, within the intervals`;
  const body = h("div");
  const size = h(
    "button",
    { type: "button", "aria-expanded": "false", "aria-label": `Enlarge ${benchmark.name}`, onclick: () => resize() },
    "Enlarge",
  );
  const element = h(
    "article",
    { class: "card" },
    h("div", {}, h("h3", {}, benchmark.name), size),
    h("p", {}, `${number(last(benchmark).middle)} ${benchmark.unit}`, h("span", { class: tone }, words)),
    body,
  );
  const fill = (wide) => body.replaceChildren(line(benchmark, runs, wide));
  function resize() {
    const wide = element.classList.toggle("wide");
    size.textContent = wide ? "Shrink" : "Enlarge";
    size.setAttribute("aria-expanded", String(wide));
    fill(wide);
  }
  fill(false);
  return element;
}

// In a small chart a tooltip would hide all the rest.
const below = { confine: false, position: (point, params, dom, rect, { viewSize }) => [0, viewSize[1] + 2] };

// Where the machine is another one than of the commit before.
function moves(points, runs) {
  return points.flatMap(({ run }, index) =>
    index && runs[run].machine !== runs[points[index - 1].run].machine ? [{ xAxis: index }] : [],
  );
}

function line(benchmark, runs, wide) {
  const { points, unit } = benchmark;
  const exact = points.every(({ low }) => low == null);
  return chart({
    label:
      `${benchmark.name} in ${unit} over ${points.length} commits: ` +
      points
        .slice(-10)
        .map(({ run, middle }) => `${shortHash(runs[run].commit)} ${number(middle)}`)
        .join("; "),
    height: wide ? 380 : 165,
    option: (theme, width) => {
      const { colour, symbol } = theme.series(Object.keys(kinds).indexOf(benchmark.part) & 3);
      return {
        grid: { left: 4, right: 14, top: 26, bottom: 4, containLabel: true },
        tooltip: tooltip(theme, {
          trigger: "axis",
          ...(wide ? {} : below),
          formatter: (shown) => describe(points[shown[0].dataIndex], runs, unit),
        }),
        xAxis: {
          type: "category",
          data: points.map(({ run }) => shortHash(runs[run].commit)),
          axisTick: { show: points.length < 40, lineStyle: { color: theme.line } },
          axisLine: { onZero: false, lineStyle: { color: theme.line } },
          boundaryGap: true,
          axisLabel:
            wide && !narrow(width)
              ? { color: theme.soft, fontSize: 12, hideOverlap: true }
              : {
                  color: theme.soft,
                  fontSize: 11,
                  interval: (index) => index === 0 || index === points.length - 1,
                  showMinLabel: true,
                  showMaxLabel: true,
                  alignMinLabel: "left",
                  alignMaxLabel: "right",
                },
        },
        yAxis: axis(theme, unit, {
          nameGap: 9,
          nameTextStyle: { align: "left", color: theme.soft, fontSize: 11 },
          ...range(points, wide ? 6 : 3),
        }),
        series: [
          {
            type: "line",
            data: points.map(({ middle }) => middle),
            symbol,
            symbolSize: 7,
            showAllSymbol: true,
            color: colour,
            lineStyle: { width: 1.8 },
            z: 6,
            markLine: {
              silent: true,
              symbol: "none",
              label: { show: wide, formatter: "other machine", color: theme.soft, position: "insideEndTop" },
              lineStyle: { color: theme.soft, type: "dashed" },
              data: exact ? [] : moves(points, runs),
            },
          },
          ...(exact
            ? []
            : [
                whiskers(
                  points.map(({ low, high, middle }, index) => [low ?? middle, high ?? middle, index]),
                  { colour },
                ),
              ]),
        ],
      };
    },
  });
}

// Round ticks around the points. A change of a per mille should not look like a landslide: at least 2 % of the value are seen.
function range(points, ticks) {
  const lows = points.map(({ low, middle }) => low ?? middle);
  const highs = points.map(({ high, middle }) => high ?? middle);
  const [least, most] = [Math.min(...lows), Math.max(...highs)];
  const margin = Math.max((most - least) * 0.1, Math.abs(most) * 0.01) || 1;
  const step = roundStep((most - least + 2 * margin) / ticks);
  return {
    min: tidy(Math.floor((least - margin) / step) * step),
    max: tidy(Math.ceil((most + margin) / step) * step),
    interval: step,
  };
}

const tidy = (value) => +value.toPrecision(12);

function roundStep(about) {
  const power = 10 ** Math.floor(Math.log10(about));
  return tidy([1, 2, 5, 10].find((times) => times * power >= about) * power);
}

function describe(point, runs, unit) {
  const run = runs[point.run];
  const interval = point.low == null ? "" : `<br>95 %: ${number(point.low)} to ${number(point.high)} of ${point.samples} samples`;
  const commit = `${shortHash(run.commit)} ${safe(run.subject)}<br>${day(run.committed)} UTC, ${safe(run.machine)}`;
  return `<b>${number(point.middle)} ${safe(unit)}</b>${interval}<br>${commit}`;
}
