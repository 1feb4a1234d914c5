// tests/web/large.mjs - a profile of 100,000 distinct stacks: what a browser gets and holds does not grow with it.
// bench/web.mjs measures times; here only what a loaded machine cannot change is claimed.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { BUILD, check, launch, openPage, run, serve, shot, TEMP } from './harness.mjs';

const MAX_FLAME_BYTES = 40_000; // gzip'd; 2,000 nodes of generated names
const MAX_FIRST_BYTES = 120_000; // all that is sent until the flame graph is there
const MAX_HEAP = 60e6;

await run(async () => {
  const profile = join(TEMP, 'large.pb.gz');
  execFileSync(join(BUILD, 'bench/gen_profile'), [profile, '100000'], { stdio: 'ignore' });
  const base = await serve(profile);
  const browser = await launch();
  const page = await openPage(browser);
  const client = await page.context().newCDPSession(page);
  await client.send('Network.enable');
  let sent = 0;
  client.on('Network.loadingFinished', ({ encodedDataLength }) => (sent += encodedDataLength));
  await page.goto(`${base}/ui/flamegraph`);
  await page.waitForFunction(() => globalThis.__ui?.chart.trees.down?.n > 100, undefined, { timeout: 60_000 });
  await page.waitForTimeout(500);
  check('little is sent until the flame graph is there', sent <= MAX_FIRST_BYTES, sent);
  const answer = await page.evaluate(async () => {
    const url = `/api/flame?view=down&px=1440`;
    await (await fetch(url)).text();
    return performance.getEntriesByName(new URL(url, location).href).at(-1).encodedBodySize;
  });
  check('a flame graph is a small answer', answer <= MAX_FLAME_BYTES, answer);
  await shot(page, 'large');
  const box = await page.locator('.flame-box').boundingBox();
  for (let i = 0; i < 12; i++) {
    await page.mouse.move(box.x + 200 + i * 60, box.y + 60);
    await page.mouse.wheel(0, i % 3 === 2 ? 300 : -300);
    await page.waitForTimeout(60);
  }
  await page.waitForTimeout(800);
  const n = await page.evaluate(() => globalThis.__ui.chart.trees.down.n);
  check('zooming in brings finer boxes', n > 2000, n);
  await client.send('HeapProfiler.collectGarbage');
  const { usedSize } = await client.send('Runtime.getHeapUsage');
  check('the browser holds little', usedSize <= MAX_HEAP, usedSize);
  await page.keyboard.press('2');
  await page.waitForSelector('.table-body .table-row[aria-rowindex="2"]');
  await page.locator('.table').focus();
  await page.keyboard.press('End');
  await page.waitForFunction(() => [...document.querySelectorAll('.table-row')].some((row) => Number(row.getAttribute('aria-rowindex')) > 9000 && !row.innerText.includes('…')));
  check('the last of 10,000 functions can be reached', true);
  const rows = await page.locator('.table-body .table-row').count();
  check('only rows in sight are elements', rows < 120, rows);
  check('no other host is asked', page.foreign.length === 0, page.foreign);
  check('nothing is thrown', page.errors.length === 0, page.errors);
});
