// Original and reconstruction over each other: slider, blinking, difference, where the bits went; the
// same pixels of both, at any zoom.

const modes = ["Slider", "Blink", "Original", "Decoded", "Difference", "Bits"];
const blinkMilliseconds = 700;

async function loadPicture(id) {
  const image = new Image();
  image.src = `data:image/png;base64,${element(id).textContent}`;
  await image.decode();
  const canvas = make("canvas", {width: image.width, height: image.height});
  canvas.getContext("2d", {willReadFrequently: true}).drawImage(image, 0, 0);
  return canvas;
}

const samplesOf = (canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);

// A canvas of that size whose pixels `paint(index, out)` gives.
function painted(width, height, paint) {
  const canvas = make("canvas", {width, height});
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; ++i) {
    image.data[4 * i + 3] = 255;
    paint(i, image.data);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// From dark blue over green to yellow, for 0..1.
const rampColours = [[13, 27, 84], [38, 104, 142], [53, 183, 121], [253, 231, 37]];
function ramp(value) {
  const at = Math.min(0.9999, Math.max(0, value)) * (rampColours.length - 1);
  const i = Math.floor(at), part = at - i;
  return rampColours[i].map((low, c) => Math.round(low + part * (rampColours[i + 1][c] - low)));
}

class Viewer {
  // `rows`: of the pictures at their rates, the worst first.
  constructor(root, rows) {
    this.root = root;
    this.rows = rows;
    this.order = [...new Set(rows.map((row) => row.picture))]
      .map((index) => data.shown.findIndex((shown) => shown.picture === index)).filter((i) => i >= 0);
    this.canvas = make("canvas", {tabindex: "0", role: "img", id: "view"});
    this.canvas.getContext("2d", {willReadFrequently: true}); // who checks the page reads it
    this.mode = 0;
    this.model = models.length - 1;
    this.rate = 0;
    this.split = 0.5;
    this.gain = 8;
    this.blinkOn = false;
    this.turn = 0;
    this.makeControls();
    this.listen();
    root.hidden = false;
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    setInterval(() => this.blink(), blinkMilliseconds);
    const worst = rows.find((row) => row.picture === data.shown[this.order[0]].picture);
    this.open(this.order[0], this.model, worst.rate);
  }

  makeControls() {
    const picker = (id, label, names, act) => {
      const select = make("select", {id, "aria-label": label},
        ...names.map((name, i) => make("option", {value: i}, name)));
      select.addEventListener("change", () => act(Number(select.value)));
      return select;
    };
    this.pictures = picker("picture", "Picture", this.order.map((i) => data.shown[i].name),
      (i) => this.open(this.order[i], this.model, this.rate));
    this.models = picker("model", "Model", labels, (m) => this.open(this.picture, m, this.rate));
    this.rates = picker("rate", "Rate", rateNames[0], (r) => this.open(this.picture, this.model, r));
    this.models.hidden = !several;
    this.rates.hidden = rateNames[0].length < 2;
    const button = (text, label, act) => {
      const made = make("button", {type: "button", "aria-label": label}, text);
      made.addEventListener("click", act);
      return made;
    };
    this.zoomText = make("output", {id: "zoom"});
    this.head = make("h3", {id: "view-title"});
    this.splitInput = make("input", {type: "range", class: "split", id: "split", min: 0, max: 100, step: 0.1,
      value: 50, "aria-label": "How much of the original is shown, in percent"});
    this.splitInput.addEventListener("input", () => {
      this.split = this.splitInput.value / 100;
      this.draw();
    });
    this.gainInput = make("input", {type: "range", id: "gain", min: 0, max: 6, step: 1, value: 3,
      "aria-label": "Amplification of the difference"});
    this.gainText = make("output", {for: "gain"});
    this.gainInput.addEventListener("input", () => {
      this.gain = 2 ** this.gainInput.value;
      this.difference = null;
      this.draw();
    });
    this.pixel = make("div", {class: "pixel", id: "pixel"});
    this.gainBar = make("div", {class: "bar"}, make("label", {for: "gain"}, "Amplified"), this.gainInput, this.gainText);
    this.bitsBar = make("div", {class: "bar", id: "bits-legend"});
    this.modeBar = choices("View", modes, 0, (mode) => {
      this.mode = mode;
      this.draw();
    });
    this.root.append(this.head,
      make("div", {class: "bar"},
        button("‹", "The picture before", () => this.step(-1)), this.pictures,
        button("›", "The next picture", () => this.step(1)), this.models, this.rates),
      this.modeBar, this.canvas, this.splitInput, this.gainBar, this.bitsBar,
      make("div", {class: "bar"},
        button("−", "Smaller", () => this.zoomBy(0.5)), button("+", "Larger", () => this.zoomBy(2)),
        button("1:1", "One pixel for one", () => this.zoomTo(1 / devicePixelRatio)),
        button("Fit", "All of it", () => this.fit()), this.zoomText),
      this.pixel);
  }

  listen() {
    const canvas = this.canvas;
    const pointers = new Map();
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== canvas) return; // the page scrolls
      event.preventDefault();
      this.zoomBy(2 ** (-event.deltaY / 300), place(event));
    }, {passive: false});
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, place(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      const now = place(event), before = pointers.get(event.pointerId);
      this.tellPixel(now);
      if (before === undefined) return;
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
      if (other === undefined) {
        this.move(before[0] - now[0], before[1] - now[1]);
      } else {
        const far = (a) => Math.max(1, Math.hypot(a[0] - other[0], a[1] - other[1]));
        this.zoomBy(far(now) / far(before), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
      }
      pointers.set(event.pointerId, now);
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(kind, (event) => pointers.delete(event.pointerId));
    }
    canvas.addEventListener("dblclick", (event) => this.zoomBy(2, place(event)));
    canvas.addEventListener("keydown", (event) => {
      const moves = {ArrowLeft: [-40, 0], ArrowRight: [40, 0], ArrowUp: [0, -40], ArrowDown: [0, 40]};
      if (moves[event.key]) this.move(...moves[event.key]);
      else if (event.key === "+" || event.key === "=") this.zoomBy(2);
      else if (event.key === "-") this.zoomBy(0.5);
      else if (event.key === "0") this.fit();
      else return;
      event.preventDefault();
    });
  }

  step(by) {
    const at = this.order.indexOf(this.picture);
    this.open(this.order[(at + by + this.order.length) % this.order.length], this.model, this.rate);
  }

  async open(picture, model, rate) {
    const turn = ++this.turn;
    const entry = data.shown[picture];
    const coded = entry.coded.find((c) => c.model === model && c.rate === rate) ?? entry.coded[0];
    const [original, decoded] = await Promise.all([loadPicture(entry.original), loadPicture(coded.picture)]);
    if (turn !== this.turn) return; // somebody was faster
    const same = this.picture === picture;
    Object.assign(this, {picture, model: coded.model, rate: coded.rate, entry, coded, original, decoded,
      difference: null, bits: null});
    this.pictures.value = this.order.indexOf(picture);
    this.models.value = this.model;
    this.rates.replaceChildren(...rateNames[this.model].map((name, i) => make("option", {value: i}, name)));
    this.rates.value = this.rate;
    const image = this.rows.find((row) => row.picture === entry.picture && row.rate === this.rate).images[this.model];
    const part = entry.part;
    const window = part.width === entry.width && part.height === entry.height ? ""
      : ` The ${part.width} × ${part.height} pixels from ${part.x}, ${part.y} with most error are shown,` +
        ` of ${entry.width} × ${entry.height}.`;
    this.head.textContent = `${entry.name}: ${decibels(image["psnr-rgb"])}${image["psnr-rgb"] === null ? "" : " dB"}, ` +
      `${whole(image.bytes)} bytes, ${number(image.bpp, 3)} bits per pixel.${window}`;
    this.canvas.setAttribute("aria-label", entry.name);
    if (same) this.draw(); else this.fit();
    this.root.dataset.ready = `${entry.name} ${this.model} ${this.rate}`;
  }

  // ---- place and size ----

  resize() {
    const width = this.canvas.clientWidth;
    if (width === 0 || !this.original) return;
    const aspect = this.original.height / this.original.width;
    const height = Math.round(Math.min(Math.max(width * aspect, 160), innerHeight * 0.75));
    const ratio = devicePixelRatio;
    this.canvas.style.height = `${height}px`;
    const w = Math.round(width * ratio), h = Math.round(height * ratio);
    if (this.canvas.width === w && this.canvas.height === h) return;
    this.canvas.width = w;
    this.canvas.height = h;
    this.fit();
  }

  // Zoom is CSS pixels for a pixel of the picture; (x, y) the picture's point in the middle.
  fit() {
    this.resize();
    const {width, height} = this.original;
    this.zoom = Math.min(this.canvas.clientWidth / width, this.canvas.clientHeight / height);
    this.x = width / 2;
    this.y = height / 2;
    this.draw();
  }

  zoomTo(zoom, at = [this.canvas.clientWidth / 2, this.canvas.clientHeight / 2]) {
    const dx = at[0] - this.canvas.clientWidth / 2, dy = at[1] - this.canvas.clientHeight / 2;
    const next = Math.min(64, Math.max(0.02, zoom));
    this.x += dx / this.zoom - dx / next;
    this.y += dy / this.zoom - dy / next;
    this.zoom = next;
    this.move(0, 0);
  }

  zoomBy(factor, at) { this.zoomTo(this.zoom * factor, at); }

  move(dx, dy) {
    this.x = Math.min(this.original.width, Math.max(0, this.x + dx / this.zoom));
    this.y = Math.min(this.original.height, Math.max(0, this.y + dy / this.zoom));
    this.draw();
  }

  // ---- drawing ----

  blink() {
    if (modes[this.mode] !== "Blink" || !this.original) return;
    this.blinkOn = !this.blinkOn;
    this.draw();
  }

  draw() {
    if (!this.original) return;
    const mode = modes[this.mode];
    this.splitInput.hidden = mode !== "Slider";
    this.gainBar.hidden = mode !== "Difference";
    this.bitsBar.hidden = mode !== "Bits";
    this.gainText.textContent = `${this.gain} ×`;
    this.zoomText.textContent = `${number(this.zoom * devicePixelRatio * 100, 0)} %`;
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const scale = this.zoom * devicePixelRatio;
    context.setTransform(scale, 0, 0, scale, this.canvas.width / 2 - this.x * scale,
      this.canvas.height / 2 - this.y * scale);
    context.imageSmoothingEnabled = scale < 1;
    if (mode === "Original") context.drawImage(this.original, 0, 0);
    if (mode === "Decoded") context.drawImage(this.decoded, 0, 0);
    if (mode === "Blink") context.drawImage(this.blinkOn ? this.original : this.decoded, 0, 0);
    if (mode === "Difference") context.drawImage(this.differenceCanvas(), 0, 0);
    if (mode === "Bits") this.drawBits(context);
    if (mode === "Slider") this.drawSplit(context);
  }

  // The original left of the line, at the same place in the window whatever the zoom.
  drawSplit(context) {
    context.drawImage(this.decoded, 0, 0);
    const edge = this.canvas.width * this.split;
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.beginPath();
    context.rect(0, 0, edge, this.canvas.height);
    context.clip();
    context.clearRect(0, 0, edge, this.canvas.height);
    const scale = this.zoom * devicePixelRatio;
    context.setTransform(scale, 0, 0, scale, this.canvas.width / 2 - this.x * scale,
      this.canvas.height / 2 - this.y * scale);
    context.drawImage(this.original, 0, 0);
    context.restore();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#fff";
    context.fillRect(edge - devicePixelRatio, 0, 2 * devicePixelRatio, this.canvas.height);
    context.font = `${13 * devicePixelRatio}px system-ui, sans-serif`;
    const tag = (text, x, align) => {
      context.textAlign = align;
      const width = context.measureText(text).width + 12 * devicePixelRatio;
      context.fillStyle = "#000a";
      context.fillRect(align === "left" ? x : x - width, 8 * devicePixelRatio, width, 22 * devicePixelRatio);
      context.fillStyle = "#fff";
      const inside = 6 * devicePixelRatio;
      context.fillText(text, align === "left" ? x + inside : x - inside, 24 * devicePixelRatio);
    };
    tag("Original", 8 * devicePixelRatio, "left");
    tag("Decoded", this.canvas.width - 8 * devicePixelRatio, "right");
  }

  // Around middle gray: lighter where the decoded picture is.
  differenceCanvas() {
    if (this.difference) return this.difference;
    const a = samplesOf(this.original).data, b = samplesOf(this.decoded).data, gain = this.gain;
    this.difference = painted(this.original.width, this.original.height, (i, out) => {
      for (let c = 0; c < 3; ++c) out[4 * i + c] = 128 + gain * (b[4 * i + c] - a[4 * i + c]);
    });
    return this.difference;
  }

  // Bits per pixel of cells over the original in gray, from 0 to what the dearest cell has.
  drawBits(context) {
    if (this.coded.bits === null) {
      this.bitsBar.textContent = "There was no memory for a map of the bits.";
      return;
    }
    if (!this.bits) {
      const {cell, columns, values} = this.coded.bits;
      // The last cells of a row and of a column have fewer pixels.
      const {part, width: allWidth, height: allHeight} = this.entry;
      const sides = (count, from, all) => Array.from({length: count}, (_, i) =>
        Math.max(1, Math.min(cell, all - from - i * cell)));
      const widths = sides(columns, part.x, allWidth), heights = sides(values.length / columns, part.y, allHeight);
      const perPixel = values.map((bits, i) => bits / widths[i % columns] / heights[Math.floor(i / columns)]);
      const most = perPixel.reduce((a, b) => Math.max(a, b), 1e-9);
      this.mostBits = most;
      const a = samplesOf(this.original).data, width = this.original.width;
      this.bits = painted(width, this.original.height, (i, out) => {
        const x = i % width, y = Math.floor(i / width);
        const value = perPixel[Math.floor(y / cell) * columns + Math.floor(x / cell)];
        const gray = 0.3 * a[4 * i] + 0.59 * a[4 * i + 1] + 0.11 * a[4 * i + 2];
        const [r, g, b] = ramp(value / most);
        out[4 * i] = 0.25 * gray + 0.75 * r;
        out[4 * i + 1] = 0.25 * gray + 0.75 * g;
        out[4 * i + 2] = 0.25 * gray + 0.75 * b;
      });
    }
    context.imageSmoothingEnabled = false;
    context.drawImage(this.bits, 0, 0);
    const stops = rampColours.map(([r, g, b]) => `rgb(${r} ${g} ${b})`).join(", ");
    this.bitsBar.replaceChildren(make("span", {}, "0"),
      make("span", {class: "ramp", style: `background: linear-gradient(to right, ${stops})`}),
      make("span", {}, `${number(this.mostBits, 2)} bits per pixel`));
  }

  tellPixel([px, py]) {
    if (!this.original) return;
    const x = Math.floor(this.x + (px - this.canvas.clientWidth / 2) / this.zoom);
    const y = Math.floor(this.y + (py - this.canvas.clientHeight / 2) / this.zoom);
    if (x < 0 || y < 0 || x >= this.original.width || y >= this.original.height) {
      this.pixel.textContent = "";
      return;
    }
    const at = (canvas) => canvas.getContext("2d").getImageData(x, y, 1, 1).data.slice(0, 3).join(" ");
    let text = `Pixel ${x + this.entry.part.x}, ${y + this.entry.part.y}: original ${at(this.original)}, ` +
      `decoded ${at(this.decoded)}`;
    if (this.coded.bits !== null) {
      const {cell, columns, values} = this.coded.bits;
      const bits = values[Math.floor(y / cell) * columns + Math.floor(x / cell)];
      text += `; its cell of ${cell} × ${cell} took ${number(bits, 1)} bits`;
    }
    this.pixel.textContent = text;
  }
}
