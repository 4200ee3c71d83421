// The files that Python starts from, fetched once and kept: a spare interpreter needs them again.

/** `{ module, library, archive, graphviz, worker }`: compiled WebAssembly, two archives, Graphviz, the worker's source. */
export function fetched(files) {
  const get = async (name) => {
    const answer = await fetch(name);
    if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
    return answer;
  };
  const parts = {
    module: compiled(files.wasm, get),
    library: get(files.library).then((answer) => answer.arrayBuffer()),
    archive: get(files.package).then((answer) => answer.arrayBuffer()),
    graphviz: get(files.graphviz).then((answer) => answer.arrayBuffer()),
    worker: get(files.worker).then((answer) => answer.text()),
  };
  return Promise.all(Object.values(parts)).then((all) =>
    Object.fromEntries(Object.keys(parts).map((name, i) => [name, all[i]])),
  );
}

async function compiled(name, get) {
  const answer = await get(name);
  if (answer.headers.get("content-type")?.startsWith("application/wasm")) {
    return WebAssembly.compileStreaming(answer);
  }
  return WebAssembly.compile(await answer.arrayBuffer()); // of a host that does not know the type
}
