// What all pages have: text, tables, charts as SVG. Numbers come from the JSON in the page.

const data = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);

// An element with attributes and children; text is never markup.
function make(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function draw(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.map((child) => typeof child === "number" ? String(child) : child));
  return node;
}

// ---- text --------------------------------------------------------------------------------------

const number = (value, digits) => value.toLocaleString("en", {
  minimumFractionDigits: digits, maximumFractionDigits: digits});
// What JSON has no number for is null: nothing was lost, or nothing was measured.
const decibels = (value, digits = 2) => value === null ? "exact" : number(value, digits);
const whole = (value) => number(value, 0);
const percent = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${number(Math.abs(value), 2)} %`;
const seconds = (value) => value === 0 ? "–" : number(value, 4);
const bytesText = (value) => value < 1024 ? `${whole(value)} bytes`
  : value < 1048576 ? `${number(value / 1024, 1)} KiB` : `${number(value / 1048576, 2)} MiB`;
// MS-SSIM as dB, as curves of it are drawn and compared.
const msSsimDb = (value) => -10 * Math.log10(1 - value);

// ---- tables ------------------------------------------------------------------------------------

// Columns are {title, text: left-aligned, cell(row): text or node}; `mark(row)` names a class.
function table(columns, rows, mark = () => "") {
  const kind = (column) => column.text ? {class: "text"} : {};
  const head = make("tr", {}, ...columns.map((c) => make("th", {scope: "col", ...kind(c)}, c.title)));
  const body = rows.map((row) => make("tr", {class: mark(row)},
    ...columns.map((c) => make("td", kind(c), c.cell(row)))));
  return make("div", {class: "scroll"},
    make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)));
}

function facts(pairs) {
  const list = make("dl", {class: "facts"});
  for (const [name, value] of pairs) list.append(make("dt", {}, name), make("dd", {}, value));
  return list;
}

// ---- charts ------------------------------------------------------------------------------------

const colour = (index) => `var(--c${index % 8})`;

function legend(entries) {
  return make("ul", {class: "legend"}, ...entries.map(({name, colour: fillColour}) =>
    make("li", {}, make("i", {style: `background: ${fillColour}`}), name)));
}

// Round numbers from `low` to `high`, some five of them.
function ticks(low, high) {
  const rough = Math.max((high - low) / 5, 1e-9 * Math.abs(high), 1e-300);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((s) => s * power >= rough * 0.999);
  const values = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) values.push(i * step);
  return {values, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9))};
}

// 1, 2 and 5 of every power of ten; round numbers where the range is too small for these.
function logTicks(low, high) {
  const values = [];
  const last = Math.floor(Math.log10(high));
  for (let power = Math.max(last - 30, Math.floor(Math.log10(low))); power <= last; ++power) {
    for (const s of [1, 2, 5]) {
      const value = s * 10 ** power;
      if (value >= low * 0.999 && value <= high * 1.001) values.push(value);
    }
  }
  return values.length > 1 ? values : ticks(low, high).values;
}

// A little room beyond the values; never nothing.
function range(values) {
  const low = Math.min(...values), high = Math.max(...values);
  const spread = high - low;
  const room = spread > 1e-6 * Math.abs(high) ? spread * 0.06 : Math.abs(high) * 0.05 || 1;
  return [low - room, high + room];
}

// Curves are {name, colour, dashes, other: drawn thinner, points: [[x, y, text], ...]}; `empty` is said where none has
// points. The nearest point under the pointer is told; arrow keys go through all of them.
function lineChart({label, xTitle, yTitle, curves, log, empty}) {
  const width = Math.max(300, Math.min(560, innerWidth - 70)); // so that text keeps its size
  const height = Math.max(240, width * 0.6), left = 48, right = 12, top = 12, bottom = 42;
  const holder = make("div", {class: "chart"});
  // What is looked at lies on top.
  const shown = curves
    .map((curve) => ({...curve, points: curve.points.filter(([x, y]) =>
      Number.isFinite(x) && Number.isFinite(y) && (!log || x > 0))}))
    .filter((curve) => curve.points.length > 0)
    .sort((a, b) => Number(b.other ?? false) - Number(a.other ?? false));
  const all = shown.flatMap((curve) => curve.points);
  if (all.length === 0) {
    holder.append(make("p", {class: "note"}, empty));
    return holder;
  }
  const [x0, x1] = log ? range(all.map((p) => Math.log(p[0]))) : range(all.map((p) => p[0]));
  const [y0, y1] = range(all.map((p) => p[1]));
  const xOf = (x) => left + ((log ? Math.log(x) : x) - x0) / (x1 - x0) * (width - left - right);
  const yOf = (y) => height - bottom - (y - y0) / (y1 - y0) * (height - top - bottom);
  const svg = draw("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, tabindex: "0"});

  const across = log ? {values: logTicks(Math.exp(x0), Math.exp(x1))} : ticks(Math.max(x0, 0), x1);
  for (const x of across.values) {
    svg.append(draw("line", {class: "grid", x1: xOf(x), x2: xOf(x), y1: top, y2: height - bottom}),
      draw("text", {x: xOf(x), y: height - bottom + 16, "text-anchor": "middle"},
        log ? String(Number(x.toPrecision(2))) : number(x, across.digits)));
  }
  const up = ticks(y0, y1);
  for (const y of up.values) {
    svg.append(draw("line", {class: "grid", x1: left, x2: width - right, y1: yOf(y), y2: yOf(y)}),
      draw("text", {x: left - 6, y: yOf(y) + 4, "text-anchor": "end"}, number(y, up.digits)));
  }
  svg.append(draw("text", {x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle"}, xTitle),
    draw("text", {x: 12, y: (top + height - bottom) / 2, "text-anchor": "middle",
      transform: `rotate(-90 12 ${(top + height - bottom) / 2})`}, yTitle));

  for (const curve of shown) {
    const line = curve.points.map(([x, y]) => `${xOf(x).toFixed(1)},${yOf(y).toFixed(1)}`).join(" ");
    svg.append(draw("polyline", {class: curve.other ? "curve other" : "curve", points: line,
      style: `stroke: ${curve.colour}; stroke-dasharray: ${curve.dashes ?? "none"}`}));
  }
  const points = shown.flatMap((curve) => curve.points.map(([x, y, text]) => {
    const node = draw("circle", {class: "point", cx: xOf(x), cy: yOf(y), r: curve.other ? 3 : 4.5,
      style: `fill: ${curve.colour}`}, draw("title", {}, `${curve.name}: ${text}`));
    svg.append(node);
    return {node, name: curve.name, text, x: xOf(x), y: yOf(y)};
  }));

  const tip = make("div", {class: "tip", role: "status", hidden: ""});
  let told = -1;
  const tell = (index) => {
    told = index;
    const {name, text, x, y} = points[index];
    tip.hidden = false;
    tip.replaceChildren(make("strong", {}, name), make("br"), text);
    const scale = svg.clientWidth / width;
    tip.style.left = `${Math.max(0, Math.min(x * scale + 12, svg.clientWidth - tip.offsetWidth))}px`;
    tip.style.top = `${y * scale + 12}px`;
  };
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), scale = width / box.width;
    const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
    const far = points.map((p) => Math.hypot(p.x - x, p.y - y));
    const nearest = far.indexOf(Math.min(...far));
    if (far[nearest] < 40) tell(nearest); else tip.hidden = true;
  });
  svg.addEventListener("pointerleave", () => { tip.hidden = true; });
  svg.addEventListener("blur", () => { tip.hidden = true; });
  svg.addEventListener("keydown", (event) => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (step === undefined) return;
    event.preventDefault();
    tell((told + step + points.length) % points.length);
  });
  holder.append(svg, tip);
  return holder;
}

// Rows are {name, values}, one value for each of `parts` ({name, colour}); `unit(value)` is text.
function stackedBars({label, parts, rows, unit}) {
  const longest = Math.max(...rows.map((row) => row.name.length));
  const width = 900, left = Math.min(420, 20 + 7 * longest), right = 90, each = 26;
  const height = rows.length * each + 8;
  const sum = (row) => row.values.reduce((a, b) => a + b, 0);
  const most = Math.max(...rows.map(sum), 1e-12);
  const svg = draw("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label});
  rows.forEach((row, i) => {
    const y = i * each + 4;
    svg.append(draw("text", {x: left - 8, y: y + 15, "text-anchor": "end"}, row.name));
    let x = left;
    row.values.forEach((value, p) => {
      const size = value / most * (width - left - right);
      if (size <= 0) return;
      svg.append(draw("rect", {x, y, width: size, height: each - 6, style: `fill: ${parts[p].colour}`},
        draw("title", {}, `${row.name}, ${parts[p].name}: ${unit(value)}`)));
      x += size;
    });
    svg.append(draw("text", {x: x + 6, y: y + 15}, unit(sum(row))));
  });
  const used = parts.filter((_, p) => rows.some((row) => row.values[p] > 0));
  return make("div", {}, legend(used), make("div", {class: "chart scroll"}, svg));
}

// One choice of several, as buttons: calls back with the index.
function choices(label, names, chosen, act) {
  const buttons = names.map((name, i) => {
    const button = make("button", {type: "button", "aria-pressed": String(i === chosen)}, name);
    button.addEventListener("click", () => {
      buttons.forEach((b, j) => b.setAttribute("aria-pressed", String(j === i)));
      act(i);
    });
    return button;
  });
  return make("div", {class: "bar", role: "group", "aria-label": label}, ...buttons);
}

// A table of layers with a bar for how near each is to the peak.
function layerTable(layers) {
  const part = (row) => row.seconds > 0 ? 100 * row.peak_seconds / row.seconds : 0;
  return table([
    {title: "stage", text: true, cell: (row) => row.stage},
    {title: "layer", text: true, cell: (row) => row.name},
    {title: "kernel", text: true, cell: (row) => row.kernel},
    {title: "MMAC", cell: (row) => number(row.macs / 1e6, 2)},
    {title: "ms", cell: (row) => number(row.seconds * 1e3, 3)},
    {title: "GMAC/s", cell: (row) => row.seconds > 0 ? number(row.macs / row.seconds / 1e9, 1) : "–"},
    {title: "of peak", cell: (row) => row.macs > 0 ? meter(part(row)) : "–"},
  ], layers, (row) => row.name === "(sum)" ? "sum" : "");
}

function meter(value) {
  const bar = make("i", {style: `width: ${Math.min(100, value)}%`});
  return make("span", {}, make("span", {class: "meter"}, bar), `${number(value, 1)} %`);
}
