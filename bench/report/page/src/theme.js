// Light or dark: what the system asks for, until the reader chooses; the choice is remembered. Charts take their colours from the
// page's custom properties, and are told when these change.
const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set();
const key = "peregrine-report-theme";

// A browser may refuse storage to a page that is a file.
function remembered() {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(name) {
  try {
    localStorage.setItem(key, name);
  } catch {
    // Then it is chosen anew each time.
  }
}

function apply() {
  const asked = new URLSearchParams(location.search).get("theme") ?? remembered();
  root.dataset.theme = asked === "dark" || asked === "light" ? asked : system.matches ? "dark" : "light";
}

function show(name) {
  root.dataset.theme = name;
  listeners.forEach((listener) => listener());
}

export function start() {
  apply();
  system.addEventListener("change", () => {
    apply();
    show(root.dataset.theme);
  });
}

// Gives what ends it.
export function onChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function toggle() {
  const name = root.dataset.theme === "dark" ? "light" : "dark";
  remember(name);
  show(name);
}

// Series are told apart by colour, symbol and line at once.
const symbols = ["circle", "diamond", "triangle", "rect", "path://M3 0h4v3h3v4h-3v3h-4v-3h-3v-4h3z", "path://M0 0h10l-5 9z"];
const dashes = ["solid", [7, 4], [2, 3], [10, 4, 2, 4], [12, 3], [4, 2]];

export const isEcho = (name) => /\becho\b/i.test(name);

export function colours() {
  const style = getComputedStyle(root);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: of("ink"),
    soft: of("soft"),
    line: of("line"),
    grid: of("grid"),
    raised: of("raised"),
    paper: of("paper"),
    other: of("other"),
    echo: of("series-echo"),
    series: (place) => ({ colour: of(`series-${(place % 6) + 1}`), symbol: symbols[place % 6], dash: dashes[place % 6] }),
    // One for each name. The echo is a ceiling and no contestant: grey and dotted.
    styles(names) {
      let place = 0;
      return names.map((name) =>
        isEcho(name) ? { colour: this.echo, symbol: "circle", hollow: true, dash: [3, 3] } : this.series(place++),
      );
    },
  };
}
