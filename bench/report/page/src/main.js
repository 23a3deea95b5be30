// The page: what report.py put into it, section by section.
import { ablation } from "./ablation.js";
import { day, h, median, number, shortHash } from "./dom.js";
import { flame } from "./flame.js";
import { history } from "./history.js";
import { latency } from "./latency.js";
import { offered } from "./offered.js";
import { peers } from "./peers.js";
import { start, toggle } from "./theme.js";

const sections = [history, latency, offered, ablation, peers, flame];
const data = JSON.parse(document.getElementById("data").textContent);

// The figures that a reader would ask for first, of what is there.
function facts() {
  const { flame: hit, peers: others, latency: waits } = data.sections;
  const ours = (rows) => rows?.find(({ server }) => /^peregrine/i.test(server));
  const hot = ours(others?.loads.hot);
  const curve = waits?.curves.find(({ name }) => !/\becho\b/i.test(name));
  const whole = (nanoseconds) => number(Math.round(nanoseconds));
  const p99 = curve?.percentiles.find(([quantile]) => quantile === 0.99);
  return [
    hit && ["Instructions of a plain hit", number(hit.counted), `${hit.name}, ${hit.kernels}`],
    hot && [
      "CPU of a hot answer, net",
      `${whole(median(hot.net_ns))} ns`,
      `${whole(Math.min(...hot.net_ns))} to ${whole(Math.max(...hot.net_ns))} beyond the kernel's socket path`,
    ],
    hot && ["Hot answers a second", number(Math.round(median(hot.rate))), "one core, beside the other servers"],
    p99 && ["Latency, p99", `${number(p99[1])} µs`, `at ${number(Math.round(waits.offered))} queries a second`],
    data.history && [
      "History",
      `${data.history.runs.length} ${data.history.runs.length === 1 ? "commit" : "commits"}`,
      `${data.history.benchmarks.length} benchmarks`,
    ],
  ].filter(Boolean);
}

function found(section) {
  return section === history ? data.history : data.sections[section.sectionName];
}

function meta(section, content) {
  const { commands, ages } = data;
  const renew = h("span", {}, "Renew with ", h("code", {}, commands[section.sectionName]));
  if (section === history) return h("p", { class: "meta" }, renew);
  const age = ages[section.sectionName];
  const when = age ? `, ${age === 1 ? "one commit" : `${age} commits`} ago` : "";
  return h(
    "p",
    { class: "meta" },
    `Measured ${day(content.measured)} UTC at ${shortHash(content.commit)}${when}: ${content.machine}. `,
    renew,
  );
}

function drawn(section) {
  const content = found(section);
  const heading = h("h2", { id: `${section.id}-title` }, section.title);
  const body = content
    ? [...section.says(content).map((text) => h("p", {}, text)), meta(section, content), ...section.draw(content)]
    : [h("p", { class: "lacking-note" }, "Not measured yet: ", h("code", {}, data.commands[section.sectionName]), " does.")];
  return h("section", { id: section.id, "aria-labelledby": `${section.id}-title` }, heading, ...body);
}

start();
document.getElementById("page").append(
  h(
    "header",
    {},
    h(
      "div",
      {},
      h("h1", {}, "Peregrine: performance"),
      h(
        "p",
        {},
        `Commit ${shortHash(data.commit)} of ${day(data.committed)} UTC: ${data.subject}. ` +
          `Page made ${day(data.made)} UTC on ${data.machine}.`,
      ),
    ),
    h("button", { type: "button", class: "theme", onclick: toggle, "aria-label": "Light or dark" }, "Light / dark"),
  ),
  facts().length
    ? h(
        "dl",
        { class: "facts" },
        facts().map(([what, value, more]) => h("div", {}, h("dt", {}, what), h("dd", {}, value, h("small", {}, more)))),
      )
    : "",
  h(
    "nav",
    { "aria-label": "Sections" },
    sections.map((section) => h("a", { href: `#${section.id}`, class: found(section) ? "" : "lacking" }, section.title)),
  ),
  h("main", {}, sections.map(drawn)),
  h(
    "footer",
    {},
    "What is measured how: ",
    h("code", {}, "docs/benchmarking.md"),
    ". Charts by Apache ECharts. This page loads nothing.",
    h(
      "details",
      {},
      h("summary", {}, "Licences of what is in this page"),
      Object.entries(data.licences).map(([name, text]) => [h("h3", {}, name), h("pre", {}, text)]),
    ),
  ),
);
