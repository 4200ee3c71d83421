// Pyodide asks the network for its WebAssembly and its library; here both are at hand already.
//
// While it starts, `fetch` and `WebAssembly.instantiateStreaming` answer from what the page sent.

const NOWHERE = "https://pyodide.invalid/";

/** Runs `load(indexURL)` with the compiled module and the library's bytes in the network's place. */
export async function given(module, library, load) {
  const kept = { fetch: self.fetch, streaming: WebAssembly.instantiateStreaming };
  const wasm = new Response();
  self.fetch = async (address) => {
    const name = String(address).replace(NOWHERE, "");
    if (name === "pyodide.asm.wasm") return wasm;
    if (name === "python_stdlib.zip") return new Response(library);
    throw new TypeError(`${name} is not here`);
  };
  WebAssembly.instantiateStreaming = async (source, imports) => {
    if ((await source) !== wasm) return kept.streaming.call(WebAssembly, source, imports);
    return { module, instance: await WebAssembly.instantiate(module, imports) };
  };
  try {
    return await load(NOWHERE);
  } finally {
    self.fetch = kept.fetch;
    WebAssembly.instantiateStreaming = kept.streaming;
  }
}
