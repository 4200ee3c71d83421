import { Pool } from "./pool.js";
const settings = JSON.parse(document.getElementById("settings").textContent);
const t0 = performance.now();
const pool = new Pool(settings.files);
window.pool = pool;
pool.current.then(() => console.log("ready", performance.now() - t0), (e) => console.log("failed", e.message));
