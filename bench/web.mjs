// bench/web.mjs - what the web pages cost: usage: node bench/web.mjs BUILD [samples...] (default 100000 1000000).
// For each size of bench/gen_profile: seconds from the start of the process to the flame graph on the screen, the bytes sent
// until then, milliseconds a frame takes while zooming and panning, and the browser's heap. For a small profile: milliseconds
// from asking for the page to its first paint. Chromium without a GPU; medians of three; targets beside.
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';

process.env.PPROF_BUILD ??= resolve(process.argv[2] ?? 'build');
const { BUILD, GO_PROFILE, PPROF, TEMP, close, launch, openPage, start } = await import('../tests/web/harness.mjs');
const sizes = process.argv.slice(3).map(Number);
const RUNS = 3;

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * q))];
const say = (what, value, unit, target) => console.log(`${what.padEnd(58)} ${String(value).padStart(9)} ${unit.padEnd(4)} target ${target}`);

async function onePage(browser, base) {
  const page = await openPage(browser);
  const client = await page.context().newCDPSession(page);
  await client.send('Network.enable');
  const sent = { bytes: 0 };
  client.on('Network.loadingFinished', ({ encodedDataLength }) => (sent.bytes += encodedDataLength));
  await page.goto(`${base}/ui/flamegraph`, { waitUntil: 'commit' });
  await page.waitForFunction(() => globalThis.__ui?.chart.n_drawn > 1, undefined, { timeout: 120_000, polling: 'raf' });
  return { page, client, sent };
}

// Process start to flame graph, the browser already running.
async function coldStart(browser, profile) {
  const from = performance.now();
  const { child, match } = await start(PPROF, ['-http=localhost:0', '-no_browser', profile], /Serving web UI on (http:\/\/\S+)/);
  const opened = await onePage(browser, match[1]);
  return { seconds: (performance.now() - from) / 1000, child, ...opened };
}

async function frames(page) {
  const box = await page.locator('.flame-box').boundingBox();
  await page.evaluate(() => (globalThis.__ui.chart.surface.frames.length = 0));
  for (let i = 0; i < 40; i++) {
    await page.mouse.move(box.x + 100 + i * 25, box.y + 80);
    await page.mouse.wheel(i % 4 === 3 ? 60 : 0, i % 5 === 4 ? 240 : -120);
    await page.waitForTimeout(25);
  }
  return page.evaluate(() => globalThis.__ui.chart.surface.frames);
}

async function large(browser, n) {
  const profile = join(TEMP, `${n}.pb.gz`);
  execFileSync(join(BUILD, 'bench/gen_profile'), [profile, String(n)], { stdio: 'ignore' });
  const runs = [];
  for (let i = 0; i < RUNS; i++) {
    const run = await coldStart(browser, profile);
    const times = await frames(run.page);
    await run.page.waitForTimeout(500);
    await run.client.send('HeapProfiler.collectGarbage');
    const { usedSize } = await run.client.send('Runtime.getHeapUsage');
    runs.push({ seconds: run.seconds, bytes: run.sent.bytes, p50: quantile(times, 0.5), p95: quantile(times, 0.95), heap: usedSize });
    await run.page.context().close();
    run.child.removeAllListeners('exit').kill();
  }
  const of = (key) => median(runs.map((run) => run[key]));
  const label = `${n} samples (${(statSync(profile).size / 1e6).toFixed(1)} MB): `;
  say(`${label}start to flame graph`, of('seconds').toFixed(2), 's', n <= 100000 ? '1.0' : '4.0');
  say(`${label}sent until then`, (of('bytes') / 1000).toFixed(1), 'KB', '120');
  say(`${label}a frame of zooming, median`, of('p50').toFixed(1), 'ms', '6');
  say(`${label}a frame of zooming, 95 of 100`, of('p95').toFixed(1), 'ms', '16');
  say(`${label}browser heap`, (of('heap') / 1e6).toFixed(1), 'MB', '60');
}

async function firstPaint(browser) {
  const { match, child } = await start(PPROF, ['-http=localhost:0', '-no_browser', GO_PROFILE], /Serving web UI on (http:\/\/\S+)/);
  const paints = [];
  for (let i = 0; i < RUNS; i++) {
    const { page } = await onePage(browser, match[1]);
    await page.waitForTimeout(200);
    paints.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN));
    await page.context().close();
  }
  child.removeAllListeners('exit').kill();
  say('small profile: first paint after asking', median(paints).toFixed(0), 'ms', '150');
}

const browser = await launch();
try {
  await (await openPage(browser)).context().close(); // the first page of a browser is its own start
  await firstPaint(browser);
  for (const n of sizes.length ? sizes : [100_000, 1_000_000]) await large(browser, n);
} finally {
  await browser.close();
  close();
}
process.exit(0);
