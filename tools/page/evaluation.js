// The report of `evaluate`. data.evaluation is what --json has; the rest is for this page.

const evaluation = data.evaluation;
const models = evaluation.models ?? [evaluation];
const labels = data.labels;
const rateNames = data.rates; // of each model, one for each rate
const several = models.length > 1;

// ---- head --------------------------------------------------------------------------------------

function showHead() {
  const {cpu, target, threads} = models[0].machine;
  const pictures = new Set(models[0].images.map((image) => image.picture)).size;
  element("title").textContent = several ? `${labels.join(", ")}: compared` : `${models[0].model.name}, ${labels[0]}`;
  element("subtitle").textContent = `${whole(pictures)} ${pictures === 1 ? "picture" : "pictures"} from ${data.source}`;
  const pairs = [["Command", make("code", {}, data.command)]];
  models.forEach((model, m) => pairs.push([several ? labels[m] : "Model",
    model.model.family.length > 0
      ? `${whole(model.model.family.length)} models of one fixed rate each, ${bytesText(model.model.bytes)}`
      : `${model.model.name}, id ${model.model.id}, ${bytesText(model.model.bytes)}, ` +
        `loaded in ${number(model.model.load_time, 3)} s`]));
  pairs.push(["Details", models[0].detail]);
  if (models[0].effort > 0) pairs.push(["Effort", String(models[0].effort)]);
  pairs.push(["Machine", `${cpu}, ${target}, ${threads} ${threads === 1 ? "thread" : "threads"}`]);
  pairs.push(["Peak memory", `${number(models[0].machine.peak_rss_mib, 1)} MiB`]);
  element("facts").append(facts(pairs));
  element("made").textContent = `Glint ${data.version}, ${data.time}`;
}

// ---- rate and quality --------------------------------------------------------------------------

let logarithmic = true;
const hidden = new Set(); // curves, by index

// More curves than colours: those of --curves are dashed, and every eight in another way.
const dashes = (curve, i) => curve.from_file ? ["6 3", "2 3", "9 3 2 3"][Math.floor(i / 8) % 3] : "none";

// Of the models and of --curves; `quality` is the key of a curve in data.curves.
function curvesOf(quality) {
  const unit = quality === "psnr" ? "dB" : "dB (MS-SSIM)";
  return data.curves.map((curve, i) => ({
    name: curve.name, colour: colour(i), dashes: dashes(curve, i), other: curve.from_file,
    points: hidden.has(i) ? [] : curve[quality].filter(([, y]) => y !== null).map(([x, y]) =>
      [x, y, `${number(x, 4)} bits per pixel, ${number(y, 3)} ${unit}`]),
  }));
}

function showCurves() {
  const infinite = models[0].images.length > 0 && models.some((model) => model.results["psnr-rgb"].includes(null));
  for (const [id, quality, title] of [["psnr-chart", "psnr", "PSNR, dB"],
                                      ["ms-ssim-chart", "ms_ssim", "MS-SSIM, dB"]]) {
    element(id).replaceChildren(lineChart({label: `${title} by bits per pixel`, xTitle: "bits per pixel",
      yTitle: title, curves: curvesOf(quality), log: logarithmic,
      empty: infinite && quality === "psnr" ? "No point to show: means with a picture that came back exactly are infinite."
        : "No curve has points to show."}));
  }
}

function curveKey(curve, i) {
  return draw("svg", {viewBox: "0 0 28 8", width: 28, height: 8, "aria-hidden": "true"},
    draw("line", {x1: 0, x2: 28, y1: 4, y2: 4,
      style: `stroke: ${colour(i)}; stroke-width: 3; stroke-dasharray: ${dashes(curve, i)}`}));
}

function showMeans() {
  element("scale").append(choices("Scale of bits", ["Logarithmic", "Linear"], 0, (i) => {
    logarithmic = i === 0;
    showCurves();
  }));
  showCurves();
  element("curves-legend").append(make("ul", {class: "legend"}, ...data.curves.map((curve, i) => {
    const box = make("input", {type: "checkbox", checked: ""});
    box.addEventListener("change", () => {
      if (box.checked) hidden.delete(i); else hidden.add(i);
      showCurves();
    });
    return make("li", {}, make("label", {}, box, curveKey(curve, i), curve.name));
  })));
  if (models[0].images.length === 0) {
    element("means").append(make("p", {}, "No picture was evaluated."));
    return;
  }
  const rows = models.flatMap((model, m) => rateNames[m].map((name, r) => ({m, r, name, results: model.results})));
  element("means").append(table([
    {title: "model", text: true, cell: ({m}) => labels[m]},
    {title: "rate", text: true, cell: ({name}) => name},
    {title: "PSNR dB", cell: ({r, results}) => meanDecibels(results["psnr-rgb"][r])},
    {title: "MS-SSIM", cell: ({r, results}) => msSsimText(results["ms-ssim-rgb"][r])},
    {title: "bpp", cell: ({r, results}) => number(results.bpp[r], 3)},
    {title: "encode s", cell: ({r, results}) => number(results.encoding_time[r], 3)},
    {title: "decode s", cell: ({r, results}) => number(results.decoding_time[r], 3)},
  ], rows));
}

// One picture that came back exactly makes the mean of all infinite.
const meanDecibels = (value) => value === null ? "∞" : number(value, 2);
const msSsimText = (value) => value === null ? "–" : number(value, 4);

// ---- comparison --------------------------------------------------------------------------------

const bdText = (rate) => rate.percent === undefined || rate.percent === null ? "–" : percent(rate.percent);
const overText = (rate) => rate.overlap_db ? rate.overlap_db.map((d) => number(d, 2)).join(" to ") : "–";
const times = (value) => value === null ? "–" : `${number(value, 2)} ×`;

function showComparison() {
  const {comparison, curves} = evaluation;
  if (comparison) {
    element("comparison").append(table([
      {title: "model", text: true, cell: (row) => row.label},
      {title: "BD-rate, PSNR", cell: (row) => bdText(row.bd_rate_psnr)},
      {title: "dB", cell: (row) => overText(row.bd_rate_psnr)},
      {title: "BD-rate, MS-SSIM", cell: (row) => bdText(row.bd_rate_ms_ssim)},
      {title: "dB", cell: (row) => overText(row.bd_rate_ms_ssim)},
      {title: "encodes", cell: (row) => times(row.speed_ratio.encoding)},
      {title: "decodes", cell: (row) => times(row.speed_ratio.decoding)},
      {title: "transforms", cell: (row) => times(row.speed_ratio.transforms)},
      {title: "file", cell: (row) => bytesText(row.bytes)},
    ], comparison.models));
  }
  if (curves) element("other-curves").append(make("h3", {}, "Against other codecs"), otherCurves(curves));
  element("comparison-section").hidden = !comparison && !curves;
}

// A row for each curve, two columns for each model. Curves may have the same name; they come in the
// same order for each model.
function otherCurves(curves) {
  const ofModel = labels.map((label) => curves.filter((entry) => entry.label === label));
  const rows = ofModel[0].map((_, i) => ofModel.map((entries) => entries[i]));
  const of = (label) => several ? ` of ${label}` : "";
  return table([
    {title: "against", text: true, cell: (row) => row[0].curve},
    ...labels.flatMap((label, m) => [
      {title: `PSNR${of(label)}`, cell: (row) => bdText(row[m].bd_rate_psnr)},
      {title: `MS-SSIM${of(label)}`, cell: (row) => bdText(row[m].bd_rate_ms_ssim)},
    ]),
  ], rows);
}

// ---- stages ------------------------------------------------------------------------------------

const stageNames = ["analysis", "hyper", "context", "entropy", "synthesis", "detail", "effort"];

function meanStages(model, direction) {
  const sum = Object.fromEntries([...stageNames, "total"].map((name) => [name, 0]));
  for (const image of model.images) {
    for (const name in sum) sum[name] += image.stages[direction][name] / model.images.length;
  }
  const known = stageNames.reduce((all, name) => all + sum[name], 0);
  return [...stageNames.map((name) => sum[name]), Math.max(0, sum.total - known)];
}

function showStages() {
  const parts = [...stageNames, "other"].map((name, i) => ({name, colour: colour(i)}));
  const rows = models.flatMap((model, m) => [["encoding", "encode"], ["decoding", "decode"]].map(
    ([key, word]) => ({name: several ? `${labels[m]} ${word}` : word, values: meanStages(model, key)})));
  element("stages").append(stackedBars({label: "Seconds per picture, by stage", parts, rows,
    unit: (value) => `${number(value, 4)} s`}));
  element("stages").append(table([
    {title: "", text: true, cell: (row) => row.name},
    ...parts.map((part, i) => ({title: part.name, cell: (row) => seconds(row.values[i])})),
    {title: "total", cell: (row) => seconds(row.values.reduce((a, b) => a + b, 0))},
  ], rows));
}

// ---- layers ------------------------------------------------------------------------------------

function showLayers() {
  if (data.layers.length === 0) return;
  element("layers-section").hidden = false;
  element("layers-note").textContent = data.layers_note;
  const show = (i) => element("layers").replaceChildren(layerTable(data.layers[i].layers));
  element("layers-choices").append(choices("Layers of", data.layers.map((entry) => entry.name), 0, show));
  show(0);
}

// ---- pictures ----------------------------------------------------------------------------------

// What orders pictures: how much worse than the first model, or how little PSNR; larger is worse.
const exact = (value) => value === null ? Infinity : value;
function badness(images, m) {
  const psnr = exact(images[m]["psnr-rgb"]);
  if (!several) return -psnr;
  const loss = exact(images[0]["psnr-rgb"]) - psnr;
  return m === 0 ? -Infinity : Number.isNaN(loss) ? 0 : loss;
}

// Rows of pictures at a rate, all models together, the worst first.
function pictureRows() {
  const rows = [];
  const count = models[0].images.length;
  for (let i = 0; i < count; ++i) {
    const images = models.map((model) => model.images[i]);
    const bad = Math.max(...images.map((_, m) => badness(images, m)));
    rows.push({images, bad, rate: images[0].rate, name: images[0].name, picture: images[0].picture});
  }
  return rows.sort((a, b) => b.bad - a.bad);
}

const mostRows = 30;

function showPictures() {
  const rows = pictureRows();
  const shown = new Map(data.shown.map((picture, index) => [picture.picture, index]));
  element("pictures-note").textContent = (several
    ? "In order of what a model loses against the first. " : "In order of PSNR. ") + data.shown_note;
  const lines = rows.flatMap((row) => row.images.map((image, m) => ({row, image, m})));
  const nameOf = ({row, m}) => {
    const index = shown.get(row.picture);
    if (index === undefined || viewer === null) return row.name;
    const button = make("button", {type: "button", class: "link"}, row.name);
    button.addEventListener("click", () => {
      viewer.open(index, m, row.rate);
      element("viewer").scrollIntoView({block: "nearest"});
    });
    return button;
  };
  const show = (lines) => table([
    {title: "picture", text: true, cell: nameOf},
    ...(several ? [{title: "model", text: true, cell: ({m}) => labels[m]}] : []),
    {title: "rate", text: true, cell: ({row, m}) => rateNames[m][row.rate]},
    {title: "size", cell: ({image}) => `${image.width} × ${image.height}`},
    {title: "PSNR dB", cell: ({image}) => decibels(image["psnr-rgb"])},
    ...(several ? [{title: "loss dB", cell: ({row, m}) => m === 0 ? "" : lossText(badness(row.images, m))}] : []),
    {title: "MS-SSIM", cell: ({image}) => msSsimText(image["ms-ssim-rgb"])},
    {title: "bytes", cell: ({image}) => whole(image.bytes)},
    {title: "bpp", cell: ({image}) => number(image.bpp, 3)},
    {title: "encode s", cell: ({image}) => number(image.encoding_time, 3)},
    {title: "decode s", cell: ({image}) => number(image.decoding_time, 3)},
  ], lines);
  element("pictures").replaceChildren(show(lines.slice(0, mostRows)));
  if (lines.length > mostRows) {
    const more = make("button", {type: "button"}, `Show all ${whole(lines.length)} rows`);
    more.addEventListener("click", () => element("pictures").replaceChildren(show(lines)));
    element("pictures").append(make("div", {class: "bar"}, more));
  }
  const failures = models[0].failures;
  if (failures.length > 0) {
    element("failures").append(make("h3", {}, "Could not be evaluated"), table([
      {title: "file", text: true, cell: (row) => row.source},
      {title: "why", text: true, cell: (row) => row.message},
    ], failures));
  }
}

const lossText = (value) => !Number.isFinite(value) ? "exact" : number(value, 2);

showHead();
showMeans();
addEventListener("resize", showCurves);
showComparison();
showStages();
showLayers();
const viewer = data.shown.length > 0 ? new Viewer(element("viewer"), pictureRows()) : null;
showPictures();
