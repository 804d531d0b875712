// The page of `./run bench --html`: what Google Benchmark and bench_peers wrote.

// The results of a program: the last path of what wrote them.
const resultsOf = (program) =>
  data.results.find((result) => (result.context?.executable ?? "").split("/").pop() === program);
const peers = data.results.find((result) => result.layers !== undefined);
const milliseconds = {ns: 1e-6, us: 1e-3, ms: 1, s: 1e3};
const timeOf = (bench) => bench.real_time * milliseconds[bench.time_unit];
// Of repetitions their median.
const benchmarksOf = (result) => {
  const good = result.benchmarks.filter((bench) => !bench.error_occurred);
  const medians = good.filter((bench) => bench.aggregate_name === "median");
  return medians.length > 0 ? medians.map((bench) => ({...bench, name: bench.run_name}))
    : good.filter((bench) => bench.run_type === "iteration");
};

function showHead() {
  const {context} = data.results.find((result) => result.context) ?? {context: {}};
  const cpu = context.cpu ?? peers?.machine ?? "";
  element("subtitle").textContent = cpu;
  const pairs = [["Processor", cpu], ["SIMD target", context.target ?? peers?.target ?? ""]];
  for (const [key, name] of [["peak_fp32_gops", "FP32"], ["peak_int16_gops", "int16"], ["peak_int8_gops", "int8"]]) {
    if (context[key]) pairs.push([`Peak, ${name}`, `${context[key]} GOPS a thread (a multiply-add is two)`]);
  }
  if (context.date) pairs.push(["Measured", context.date]);
  if (context.load_avg) pairs.push(["Load before", context.load_avg.map((load) => number(load, 2)).join(", ")]);
  element("facts").append(facts(pairs.filter(([, value]) => value !== "")));
  element("made").textContent = `Glint ${data.version}, ${data.time}`;
}

// "encode/analysis/FP32/iterations:5/manual_time"
function showStages() {
  const result = resultsOf("bench_stages");
  if (result === undefined) return;
  const rows = benchmarksOf(result).filter((bench) => bench.real_time > 0).map((bench) => {
    const [direction, stage, type] = bench.name.split("/");
    return {direction, stage: stage.replaceAll("_", " "), type, bench};
  });
  element("stages").append(table([
    {title: "", text: true, cell: (row) => row.direction},
    {title: "stage", text: true, cell: (row) => row.stage},
    {title: "model", text: true, cell: (row) => row.type},
    {title: "ms", cell: (row) => number(timeOf(row.bench), 2)},
    {title: "MP/s", cell: (row) => row.bench["MP/s"] ? number(row.bench["MP/s"], 2) : "–"},
    {title: "× FP32", cell: (row) => row.bench.x_FP32 ? number(row.bench.x_FP32, 2) : "–"},
    {title: "of peak", cell: (row) => row.bench.peak_percent ? meter(row.bench.peak_percent) : "–"},
  ], rows, (row) => row.stage === "whole" ? "sum" : ""));
  element("stages-section").hidden = false;
}

// "conv/light/a1/fp32": a kind, what it is of, a precision.
const precisions = ["fp32", "fp32_exact", "fp16", "int16", "int8"];

function kernelRows(benchmarks) {
  const rows = new Map();
  for (const bench of benchmarks) {
    const parts = bench.name.split("/").filter((part) => part !== "manual_time");
    const at = parts.findIndex((part) => precisions.includes(part));
    const precision = at < 0 ? "" : parts[at];
    const rest = parts.filter((_, i) => i !== at);
    const key = rest.join("/");
    if (!rows.has(key)) rows.set(key, {kind: rest[0], name: rest.slice(1).join(" "), cells: new Map()});
    rows.get(key).cells.set(precision, bench);
  }
  return [...rows.values()];
}

function showKernels() {
  const result = resultsOf("bench_kernels");
  if (result === undefined) return;
  const rows = kernelRows(benchmarksOf(result));
  const kinds = [...new Set(rows.map((row) => row.kind))];
  const show = (k) => {
    const own = rows.filter((row) => row.kind === kinds[k]);
    const used = ["", ...precisions].filter((name) => own.some((row) => row.cells.has(name)));
    element("kernels").replaceChildren(table([
      {title: "of", text: true, cell: (row) => row.name},
      ...used.map((name) => ({title: name || "time", cell: (row) => kernelCell(row.cells.get(name))})),
    ], own));
  };
  element("kernels-choices").append(choices("Kind of kernel", kinds, 0, show));
  show(0);
  element("kernels-section").hidden = false;
}

function kernelCell(bench) {
  if (bench === undefined) return "";
  const time = timeOf(bench);
  const text = time < 0.1 ? `${number(time * 1000, 2)} µs` : `${number(time, 3)} ms`;
  if (bench.peak_percent === undefined) return text;
  return make("span", {}, `${text} `, meter(bench.peak_percent));
}

function showPeers() {
  if (peers === undefined) return;
  element("peers-note").textContent = `${peers.model}, ${peers.size}, one thread; the peer is ${peers.peer}. ` +
    "A layer counts where both have it.";
  const times = (row) => row.peer_seconds === null ? null : row.peer_seconds / row.seconds;
  element("peers").append(table([
    {title: "stage", text: true, cell: (row) => row.stage},
    {title: "layer", text: true, cell: (row) => row.name},
    {title: "kernel", text: true, cell: (row) => row.kernel},
    {title: "ms", cell: (row) => number(row.seconds * 1e3, 3)},
    {title: "peer's ms", cell: (row) => row.peer_seconds === null ? "–" : number(row.peer_seconds * 1e3, 3)},
    {title: "times as fast", cell: (row) => times(row) === null ? "–" : number(times(row), 2)},
    {title: "peer's kernel", text: true, cell: (row) => row.peer_kernel ?? "–"},
  ], peers.layers));
  element("peers-section").hidden = false;
}

// "peak_fp32_fma/AVX2", "read_KiB/AVX2/512"
function showLimits() {
  const result = resultsOf("bench_limits");
  if (result === undefined) return;
  const targets = new Map();
  const titles = new Set();
  for (const bench of benchmarksOf(result)) {
    const [kind, target, size] = bench.name.split("/");
    const title = size === undefined ? kind.replace("peak_", "").replaceAll("_", " ") : `read ${size} KiB`;
    titles.add(title);
    if (!targets.has(target)) targets.set(target, {target, cells: new Map()});
    targets.get(target).cells.set(title, size === undefined
      ? `${number(bench.GOPS ?? 0, 0)} GOPS` : `${number((bench.bytes_per_second ?? 0) / 1e9, 1)} GB/s`);
  }
  element("limits").append(table([
    {title: "target", text: true, cell: (row) => row.target},
    ...[...titles].map((title) => ({title, cell: (row) => row.cells.get(title) ?? "–"})),
  ], [...targets.values()]));
  element("limits-section").hidden = false;
}

showHead();
showStages();
showKernels();
showPeers();
showLimits();
