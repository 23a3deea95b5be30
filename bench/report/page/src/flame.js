// Where the instructions of a hit go. The frames are buttons: a click or Enter takes one as the whole width, arrow keys go from
// frame to
// frame.
import { h, number, numbersTable, percent } from "./dom.js";

const rooms = ["server", "cache", "simd", "io", "wire", "base", "policy"];
const rowHeight = 22;

function tree(stacks) {
  const root = node("", null);
  for (const [stack, cost] of stacks) {
    let at = root;
    for (const frame of stack.split(";")) {
      if (!at.below.has(frame)) at.below.set(frame, node(frame, at));
      at = at.below.get(frame);
    }
    at.own += cost;
  }
  total(root);
  const [only] = root.below.values();
  if (root.below.size !== 1) return root;
  only.parent = null;
  return only;
}

function node(frame, parent) {
  const [, name, file] = frame.match(/^(.*?)(?: \[(.*)\])?$/);
  return { name, file: file ?? "", parent, below: new Map(), own: 0, cost: 0 };
}

function total(at) {
  at.cost = at.own;
  at.children = [...at.below.values()];
  at.children.forEach((child) => {
    at.cost += total(child);
  });
  at.children.sort((a, b) => b.cost - a.cost);
  return at.cost;
}

const roomOf = ({ file }) => {
  const room = file.split("/")[0];
  return rooms.includes(room) ? room : "other";
};

export const flame = {
  id: "flame",
  title: "Flame graph",
  sectionName: "flame",
  says: () => [
    "Where the instructions of an answer from the cache go, from receiving the query to sending the reply. A frame is a " +
      "function, also one that the compiler inlined, its width the instructions of it and of all that it calls below it; " +
      "the most expensive is on the left. Click a frame to see it closer, and the topmost to come back; with the keyboard " +
      "use the arrows and Enter.",
    "callgrind counts every instruction, so these are no samples: the widths add up to what the budgets are held to.",
  ],
  draw(found) {
    const root = tree(found.stacks);
    const said = h("p", { class: "flame-said", "aria-live": "polite" });
    const canvas = h("div", {
      class: "flame",
      role: "group",
      "aria-label": `Flame graph of ${found.name}: ${number(root.cost)} instructions`,
    });
    const input = h("input", {
      type: "search",
      placeholder: "function or file",
      "aria-label": "Highlight functions by name or file",
    });
    const view = new View(root, canvas, said, input);
    input.addEventListener("input", () => view.highlight());
    const here = new Set(view.everything().map(roomOf));
    return [
      h("figcaption", {}, `${found.name}, kernels ${found.kernels ?? "?"}: ${number(root.cost)} instructions an answer`),
      h(
        "div",
        { class: "controls" },
        h("label", {}, "Highlight", input),
        h("button", { type: "button", onclick: () => view.zoom(root) }, "Whole graph"),
      ),
      canvas,
      said,
      h(
        "ul",
        { class: "legend", "aria-label": "Colours by folder of the source" },
        [...rooms, "other"]
          .filter((room) => here.has(room))
          .map((room) =>
            h(
              "li",
              {},
              h("i", { style: `background:var(--room-${room})` }),
              room === "other" ? "standard libraries, benchmark" : `src/${room}`,
            ),
          ),
      ),
      numbersTable("The numbers", [
        {
          caption: "Instructions an answer by function: its own, and with all that it calls",
          texts: 2,
          head: ["function", "file", "own", "share", "with all below"],
          rows: byFunction(view.everything()).map(({ name, file, own, cost }) => [
            name,
            file,
            number(own),
            percent(own / root.cost),
            number(cost),
          ]),
        },
      ]),
    ];
  },
};

function byFunction(nodes) {
  const found = new Map();
  for (const at of nodes) {
    const key = `${at.name} ${at.file}`;
    const one = found.get(key) ?? { name: at.name, file: at.file, own: 0, cost: 0 };
    one.own += at.own;
    one.cost += within(at) ? 0 : at.cost;
    found.set(key, one);
  }
  return [...found.values()].sort((a, b) => b.own - a.own);
}

// Below itself already: its cost is counted there.
function within(at) {
  for (let above = at.parent; above; above = above.parent) if (above.name === at.name && above.file === at.file) return true;
  return false;
}

class View {
  constructor(root, canvas, said, input) {
    Object.assign(this, { root, canvas, said, input, focus: root });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("pointerleave", () => this.say(this.focus));
    new ResizeObserver(() => this.name()).observe(canvas);
    this.zoom(root);
  }

  everything(at = this.root) {
    return [at, ...at.children.flatMap((child) => this.everything(child))];
  }

  say(at) {
    const own = at.own && at.children.length ? `, ${number(at.own)} of these its own` : "";
    this.said.replaceChildren(
      h("b", {}, at.name),
      at.file ? h("code", {}, `  ${at.file}`) : "",
      `: ${number(at.cost)} instructions an answer, ${percent(at.cost / this.root.cost)} of all${own}`,
    );
  }

  zoom(at) {
    this.focus = at;
    this.canvas.replaceChildren();
    this.buttons = new Map();
    const chain = [];
    for (let above = at.parent; above; above = above.parent) chain.unshift(above);
    chain.forEach((above, row) => this.put(above, 0, 1, row).classList.add("above"));
    this.deepest = chain.length;
    this.lay(at, 0, 1, chain.length);
    this.canvas.style.height = `${(this.deepest + 1) * rowHeight}px`;
    this.say(at);
    this.name();
    this.highlight();
  }

  lay(at, left, width, row) {
    this.deepest = Math.max(this.deepest, row);
    this.put(at, left, width, row);
    let from = left;
    for (const child of at.children) {
      const share = (width * child.cost) / at.cost;
      if (share > 0.0015) this.lay(child, from, share, row + 1);
      from += share;
    }
  }

  put(at, left, width, row) {
    const button = h("button", {
      type: "button",
      tabindex: at === this.focus ? 0 : -1,
      style: `left:${left * 100}%;width:${width * 100}%;top:${row * rowHeight}px;background:var(--room-${roomOf(at)})`,
      "aria-label": `${at.name} ${at.file}, ${number(at.cost)} instructions, ${percent(at.cost / this.root.cost)}`,
      onclick: () => {
        this.zoom(at);
        this.buttons.get(at).focus();
      },
      onpointerenter: () => this.say(at),
      onfocus: () => this.say(at),
    });
    this.buttons.set(at, button);
    this.canvas.append(button);
    return button;
  }

  // Names where there is room for some letters.
  name() {
    for (const [at, button] of this.buttons) {
      const room = (this.canvas.clientWidth * parseFloat(button.style.width)) / 100;
      button.textContent = room >= Math.min(48, at.name.length * 7 + 12) ? at.name : "";
      button.classList.toggle("tiny", room < 12);
    }
  }

  highlight() {
    const wanted = this.input.value.trim().toLowerCase();
    for (const [at, button] of this.buttons)
      button.classList.toggle("dim", wanted !== "" && !`${at.name} ${at.file}`.toLowerCase().includes(wanted));
  }

  key(event) {
    const at = [...this.buttons].find(([, button]) => button === document.activeElement)?.[0];
    const siblings = at?.parent?.children ?? [];
    const place = siblings.indexOf(at);
    const to = {
      ArrowUp: at?.parent,
      ArrowDown: at?.children[0],
      ArrowLeft: siblings[place - 1],
      ArrowRight: siblings[place + 1],
    }[event.key];
    if (!to || !this.buttons.has(to)) return;
    event.preventDefault();
    this.buttons.get(to).focus();
  }
}
