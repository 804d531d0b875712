// The page: takes a file, has the engine (worker.js) encode or decode it, and shows what came out.
"use strict";

const element = (id) => document.getElementById(id);

const worker = new Worker("worker.js");
let ready = false;
let opened = 0;      // number of the last file
let asked = 0;       // number of the last question; answers to others are too late
let busy = false;    // the engine answers one question after the other
let waiting = null;  // the newest question that it has not begun
let current = null;  // {name, original: ImageData or null, fileBytes}
let streamUrl = null;

// ---- the engine -------------------------------------------------------------------------------

function ask(question) {
  waiting = {...question, id: ++asked};
  askNext();
}

function askNext() {
  if (!ready || busy || waiting === null) return;
  busy = true;
  say(waiting.kind === "encode" ? "Encoding …" : "Decoding …");
  element("progress").hidden = false;
  element("progress").value = 0;
  worker.postMessage(waiting);
  waiting = null;
}

worker.onmessage = ({data}) => {
  if (data.kind === "ready") {
    ready = true;
    element("version").textContent = data.version;
    say("Ready.");
  } else if (data.kind === "progress") {
    element("progress").value = data.done;
    return;
  } else {
    busy = false;
    element("progress").hidden = waiting === null;
    if (data.kind === "error") {
      fail(data.message);
    } else if (data.id === asked) {
      show(data);
    }
  }
  askNext();
};

worker.onerror = (event) => {
  busy = false;
  fail(event.message || "this browser cannot run the engine: it needs SIMD of WebAssembly.");
};

// ---- what comes in ----------------------------------------------------------------------------

async function open(file) {
  const turn = ++opened;
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const original = isStream(bytes) ? null : await samplesOf(file);
    if (turn !== opened) return;
    current = {name: file.name, original, fileBytes: bytes.length};
    if (original === null) {
      ask({kind: "decode", stream: bytes});
    } else {
      encode();
    }
  } catch (error) {
    fail(`${file.name} is neither a picture that this browser reads nor a .glint file.`);
  }
}

const signature = [0xd3, 0x47, 0x4c, 0x0d, 0x0a, 0x1a, 0x0a]; // docs/BITSTREAM.md

function isStream(bytes) {
  return signature.every((value, i) => bytes[i] === value);
}

async function samplesOf(file) {
  const bitmap = await createImageBitmap(file, {colorSpaceConversion: "none"});
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function encode() {
  const {width, height, data} = current.original;
  ask({kind: "encode", width, height, samples: new Uint8Array(data.buffer),
       quality: Number(element("quality").value)});
}

// ---- what is shown ----------------------------------------------------------------------------

function say(text) {
  const status = element("status");
  status.textContent = text;
  status.classList.remove("failed");
}

function fail(message) {
  say(`That did not work: ${message}`);
  element("status").classList.add("failed");
  element("progress").hidden = true;
}

function draw(id, image) {
  const canvas = element(id);
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

const number = (value, digits) => value.toLocaleString("en", {
  minimumFractionDigits: digits, maximumFractionDigits: digits});

const secondsText = (value) => value < 1 ? `${number(value * 1000, 0)} ms` : `${number(value, 2)} s`;

function show(result) {
  const {width, height, stream, psnr} = result;
  const {name, original, fileBytes} = current;
  element("result").hidden = false;
  element("result").classList.toggle("alone", original === null);
  element("controls").hidden = original === null;
  draw("decoded", new ImageData(new Uint8ClampedArray(result.samples.buffer), width, height));
  if (original !== null) draw("original", original);
  element("stage").style.setProperty("--width", width);
  element("stage").style.setProperty("--aspect", width / height);
  element("name").textContent = original === null ? name : `${name}, ${number(fileBytes, 0)} bytes`;

  element("bytes").textContent = `${number(stream.length, 0)} bytes`;
  element("bpp").textContent = number(stream.length * 8 / (width * height), 3);
  element("pixels").textContent = `${width} × ${height}`;
  element("decode-time").textContent = secondsText(result.decodeSeconds);
  if (original !== null) {
    element("psnr").textContent = psnr === Infinity ? "exact" : `${number(psnr, 2)} dB`;
    element("encode-time").textContent = secondsText(result.encodeSeconds);
  }

  if (streamUrl !== null) URL.revokeObjectURL(streamUrl);
  streamUrl = URL.createObjectURL(new Blob([stream], {type: "application/octet-stream"}));
  element("save-stream").href = streamUrl;
  element("save-stream").download = `${stem(name)}.glint`;
  say("Done.");
}

const stem = (name) => name.replace(/\.[^.]*$/, "");

function savePicture() {
  element("decoded").toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${stem(current.name)}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 0);
  }, "image/png");
}

function moveSplit() {
  element("stage").style.setProperty("--split", `${element("split").value}%`);
}

// ---- what people do ---------------------------------------------------------------------------

const drop = element("drop");
for (const kind of ["dragenter", "dragover"]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) drop.classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file !== undefined) open(file);
});

element("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (file !== undefined) open(file);
  event.target.value = "";
});
element("sample").addEventListener("click", async () => {
  const response = await fetch("sample.png");
  open(new File([await response.blob()], "sample.png"));
});
element("quality").addEventListener("input", (event) => {
  element("quality-value").value = event.target.value;
  if (current?.original) encode();
});
element("split").addEventListener("input", moveSplit);
element("save-picture").addEventListener("click", savePicture);
element("controls").addEventListener("submit", (event) => event.preventDefault());
moveSplit();
