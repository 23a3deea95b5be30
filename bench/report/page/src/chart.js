// What all charts share: ECharts with the parts that are used, axes with their units, whiskers, and drawing anew for another
// theme or
// width.
import { BarChart, CustomChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

import { h, tick } from "./dom.js";
import { colours, onChange } from "./theme.js";

echarts.use([
  AriaComponent,
  BarChart,
  CustomChart,
  GridComponent,
  LegendComponent,
  LineChart,
  MarkLineComponent,
  SVGRenderer,
  TooltipComponent,
]);

export const narrow = (width) => width < 520;

// `option(theme, width)` is asked for anew when either changes. The element must say what is seen, for who does not see it.
export function chart({ label, height, option }) {
  const element = h("div", { class: "chart", role: "img", "aria-label": label, style: `height:${height}px` });
  let drawn = null;
  let width = 0;
  const draw = () => {
    if (!drawn) return;
    const theme = colours();
    drawn.setOption({ ...base(theme), ...option(theme, width) }, true);
  };
  const observer = new ResizeObserver(() => {
    if (!element.isConnected) {
      drawn?.dispose();
      observer.disconnect();
      forget();
      return;
    }
    if (!element.clientWidth || (element.clientWidth === width && drawn?.getHeight() === element.clientHeight)) return;
    width = element.clientWidth;
    drawn ??= echarts.init(element, null, { renderer: "svg" });
    drawn.resize();
    draw();
  });
  const forget = onChange(draw);
  observer.observe(element);
  return element;
}

function base(theme) {
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: theme.ink },
    aria: { enabled: false },
    grid: { left: 12, right: 18, top: 34, bottom: 30, containLabel: true },
  };
}

export function tooltip(theme, more) {
  return {
    confine: true,
    backgroundColor: theme.raised,
    borderColor: theme.line,
    textStyle: { color: theme.ink, fontSize: 13 },
    extraCssText: "max-width:min(30rem,90vw);white-space:normal;",
    ...more,
  };
}

export function legend(theme, more) {
  return {
    type: "plain",
    top: 0,
    left: 0,
    itemWidth: 34,
    itemHeight: 10,
    textStyle: { color: theme.ink, fontSize: 13 },
    ...more,
  };
}

// How high the legend is, by the width that its names may take: below it the chart begins, with the name of its axis.
export const belowLegend = (names, width) =>
  Math.ceil(names.reduce((sum, name) => sum + name.length * 7.5 + 56, 0) / Math.max(width - 10, 1)) * 20 + 36;

// The axis' name says what it has and in which unit.
export function axis(theme, name, more = {}) {
  const { axisLabel, ...rest } = more;
  return {
    type: "value",
    name,
    nameTextStyle: { color: theme.soft, fontSize: 12 },
    axisLine: { show: true, lineStyle: { color: theme.line } },
    axisTick: { show: true, lineStyle: { color: theme.line } },
    splitLine: { lineStyle: { color: theme.grid } },
    axisLabel: { color: theme.soft, fontSize: 12, formatter: tick, hideOverlap: true, ...axisLabel },
    ...rest,
  };
}

export const across = { nameLocation: "middle", nameGap: 28 };

// A line's or a symbol's: hollow ones have the paper's colour inside.
export const itemStyle = (theme, { colour, hollow }) => ({
  color: hollow ? theme.paper : colour,
  borderColor: colour,
  borderWidth: 2,
});

// A line of more points has a symbol at some only.
const mostSymbols = 24;

// One for each name, with its points.
export function lines(theme, names, data) {
  return theme.styles(names).map((style, index) => ({
    name: names[index],
    type: "line",
    data: data[index],
    symbol: style.symbol,
    symbolSize: (_, { dataIndex }) => (dataIndex % Math.ceil(data[index].length / mostSymbols) ? 0 : 8),
    showAllSymbol: true,
    itemStyle: itemStyle(theme, style),
    lineStyle: { width: 2, type: style.dash, color: style.colour },
    emphasis: { focus: "series" },
  }));
}

// Lines from the least to the most; data are [low, high, place on the other axis], places of a category axis or values.
export function whiskers(data, { colour, flat, dodge = 0, size = 4 }) {
  return {
    type: "custom",
    silent: true,
    z: 5,
    data,
    encode: flat ? { x: [0, 1], y: 2 } : { x: 2, y: [0, 1] },
    tooltip: { show: false },
    renderItem(_, api) {
      const at = (value) => api.coord(flat ? [value, api.value(2)] : [api.value(2), value]);
      const [from, to] = [at(api.value(0)), at(api.value(1))];
      const shift = flat ? [0, dodge] : [dodge, 0];
      const cap = flat ? [0, size] : [size, 0];
      const line = (a, b) => ({
        type: "line",
        style: { stroke: colour, lineWidth: 1.5 },
        shape: { x1: a[0] + shift[0], y1: a[1] + shift[1], x2: b[0] + shift[0], y2: b[1] + shift[1] },
      });
      const ends = [from, to].map((end) => line([end[0] - cap[0], end[1] - cap[1]], [end[0] + cap[0], end[1] + cap[1]]));
      return { type: "group", children: [line(from, to), ...ends] };
    },
  };
}

// Tooltips are markup: what comes from data must not be.
export const safe = (text) => String(text).replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
