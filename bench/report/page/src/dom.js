// Elements, numbers and tables.

// h("p", {class: "meta"}, "text", h("b", {}, "bold")): text is never taken for markup.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat(2).filter((child) => child != null));
  return element;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// The median, and the least and the most around it.
export const spread = (values) => ({ middle: median(values), low: Math.min(...values), high: Math.max(...values) });

// The median and the quartiles, as Python's statistics.quantiles() has them with method="inclusive".
export function quartiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => {
    const place = (sorted.length - 1) * share;
    const below = sorted[Math.floor(place)];
    return below + (sorted[Math.ceil(place)] - below) * (place % 1);
  };
  return { middle: at(0.5), low: at(0.25), high: at(0.75) };
}

// As many digits as mean something.
export function number(value) {
  if (value == null) return "–";
  const size = Math.abs(value);
  const digits = size >= 1000 || Number.isInteger(value) ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3;
  return value.toLocaleString("en-GB", { maximumFractionDigits: digits });
}

export const percent = (share, digits = 1) => `${(share * 100).toFixed(digits)} %`;
export const spreadText = ({ middle, low, high }) =>
  low === high ? number(middle) : `${number(middle)} (${number(low)} to ${number(high)})`;
export const day = (iso) => iso.slice(0, 16).replace("T", " ");
export const shortHash = (commit) => commit.slice(0, 8);

// An axis has 250k where a table has 250,000.
export function tick(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
  if (size >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
  return `${+value.toPrecision(6)}`;
}

// The first columns are `texts`, the others numbers.
export function numbersTable(summary, tables) {
  const cells = (tag, row, texts = 1, attributes = {}) =>
    h(
      "tr",
      {},
      row.map((cell, place) => h(tag, { ...attributes, class: place < texts ? "text" : null }, String(cell))),
    );
  return h(
    "details",
    {},
    h("summary", {}, summary),
    tables.map(({ caption, head, rows, texts }) =>
      h(
        "div",
        { class: "table", tabindex: 0, role: "region", "aria-label": caption },
        h(
          "table",
          {},
          h("caption", {}, caption),
          h("thead", {}, cells("th", head, texts, { scope: "col" })),
          h(
            "tbody",
            {},
            rows.map((row) => cells("td", row, texts)),
          ),
        ),
      ),
    ),
  );
}
