// The content-security policy of the page. Its frames and its worker inherit it.
//
// No script but ours runs: learners' HTML may bring none, except the package's own steppers and
// worksheets, which are known by their hashes. The worker starts from a data: address, so that it is
// of no origin (it reaches no cache, no storage and no cookie of the site) and loads its code from
// the blob: that the page hands over. There is no 'unsafe-eval': Python cannot make script of text.
export function policy({ frameScripts, numpy }) {
  const elsewhere = numpy && /^https?:/.test(numpy) ? ` ${new URL(numpy).origin}` : "";
  return [
    "default-src 'none'",
    `script-src 'self' blob: 'wasm-unsafe-eval' ${frameScripts.join(" ")}`,
    "worker-src 'self' data:",
    "style-src 'self' 'unsafe-inline'", // CodeMirror's and the pictures' own
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self'${elsewhere}`,
    "manifest-src 'self'",
    "frame-src 'none'", // frames hold what the page writes into them, and go nowhere else
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}
