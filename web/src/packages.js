// NumPy, which the page itself does not ship: fetched from an address that the build names, once code
// imports it. Without an address the error of the import says so.

/** Brings what `code` imports and a build's address has. */
export async function withPackages(pool, settings, code, output) {
  if (!settings.numpy || !/\b(numpy|lift|optim|functional)\b/.test(code)) return;
  const needed = JSON.parse((await pool.order("needs", { code })) ?? "[]");
  if (!needed.includes("numpy") && !/\b(lift|optim|functional)\b/.test(code)) return;
  if (pool.packaged === pool.session) return;
  output({ kind: "note", content: "NumPy is being loaded.", name: "numpy" });
  const bytes = await numpy(settings.numpy);
  await pool.order("unpack", { bytes });
  pool.packaged = pool.session;
  output({ kind: "note", content: "NumPy has been loaded.", name: "numpy" });
}

let kept = null;

/** The wheel that the folder's pyodide-lock.json names; only with the checksum that stands there. */
async function numpy(folder) {
  kept ??= (async () => {
    const base = new URL(folder.endsWith("/") ? folder : `${folder}/`, document.baseURI);
    const lock = await (await got(new URL("pyodide-lock.json", base))).json();
    const { file_name: name, sha256 } = lock.packages.numpy;
    const bytes = await (await got(new URL(name, base))).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    if (hex !== sha256) throw new Error("what came as NumPy is not what its list names");
    return bytes;
  })();
  try {
    return await kept;
  } catch (error) {
    kept = null;
    throw new Error(`NumPy could not be loaded: ${error.message}.`);
  }
}

async function got(address) {
  const answer = await fetch(address, { referrerPolicy: "no-referrer" });
  if (!answer.ok) throw new Error(`${address.pathname} gave ${answer.status}`);
  return answer;
}
