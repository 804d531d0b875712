// Runs the engine beside the page, so that the page stays at hand. Messages in: {kind: "encode", id,
// width, height, samples, quality} and {kind: "decode", id, stream}. Out: {kind: "ready", version},
// {kind: "progress", done}, {kind: "result", id, ...} and {kind: "error", id, message}.
"use strict";

importScripts("engine.js");

const engine = start();

async function start() {
  const [module, model] = await Promise.all([createGlint(), bytesOf("light-int8.safetensors")]);
  const loaded = withBytes(module, model, (at) => module._PageLoadModel(at, model.length));
  if (!loaded) throw new Error(text(module, module._PageError()));
  postMessage({kind: "ready", version: text(module, module._PageVersion())});
  return module;
}

async function bytesOf(name) {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

function text(module, at) {
  return module.UTF8ToString(at);
}

// Calls use(address) with a copy of the bytes in the engine's memory.
function withBytes(module, bytes, use) {
  const at = module._malloc(bytes.length) >>> 0;
  if (at === 0) throw new Error("there is not enough memory for this picture");
  try {
    module.HEAPU8.set(bytes, at);
    return use(at);
  } finally {
    module._free(at);
  }
}

function copyOf(module, address, size) {
  const at = address >>> 0;
  return module.HEAPU8.slice(at, at + size);
}

function check(module, done) {
  if (!done) throw new Error(text(module, module._PageError()));
}

function seconds(work) {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

function picture(module) {
  const width = module._PageWidth(), height = module._PageHeight();
  return {width, height, samples: copyOf(module, module._PagePixels(), width * height * 4)};
}

const commands = {
  encode(module, {width, height, samples, quality}) {
    return withBytes(module, samples, (at) => {
      const encodeSeconds = seconds(
        () => check(module, module._PageEncode(at, width, height, quality)));
      const size = module._PageStreamSize();
      const decodeSeconds = seconds(
        () => check(module, module._PageDecode(module._PageStream(), size)));
      return {
        ...picture(module),
        stream: copyOf(module, module._PageStream(), size),
        psnr: module._PagePsnr(at),
        encodeSeconds,
        decodeSeconds,
      };
    });
  },
  decode(module, {stream}) {
    const decodeSeconds = withBytes(module, stream, (at) => seconds(
      () => check(module, module._PageDecode(at, stream.length))));
    return {...picture(module), stream, decodeSeconds};
  },
};

onmessage = async ({data}) => {
  try {
    const result = commands[data.kind](await engine, data);
    postMessage({kind: "result", id: data.id, ...result},
                [result.samples.buffer, result.stream.buffer]);
  } catch (error) {
    postMessage({kind: "error", id: data.id, message: error.message ?? "the engine stopped"});
  }
};

engine.catch((error) => postMessage({kind: "error", message: error.message}));
