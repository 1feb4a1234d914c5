// tests/web/trace.mjs - the trace viewer in a browser: zooms, searches, selects, follows links, on traces of Go, of a native
// program and of the shop; every page in both themes for axe-core; and the pictures of docs/trace.md (tests/web/requests.go made their trace).
import { spawn } from 'node:child_process';
import { copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { axe, BUILD, check, launch, openPage, PPROF, ROOT, run, shot, SHOTS, start } from './harness.mjs';

const REQUESTS = join(ROOT, 'tests/web/requests.trace');
const GO_OLD = join(ROOT, 'tests/golden/trace/workload-go1.19.trace');
const NATIVE = join(ROOT, 'tests/golden/trace/native-poc-v26.trace');

async function serveTrace(file) {
  const { match } = await start(PPROF, ['trace', '-http=localhost:0', '-no_browser', file], /Serving web UI on (http:\/\/\S+)/);
  return match[1];
}

// Until the data of the view has come and is drawn.
async function settled(page) {
  await page.waitForFunction(() => globalThis.__ui?.timeline.rows.total > 0);
  await page.waitForFunction(() => globalThis.__ui.timeline.tiles.pending === 0 && globalThis.__ui.timeline.overlay);
  await page.waitForTimeout(400);
}

async function open(page, url) {
  await page.goto(url);
  await settled(page);
}

const range = (page) => page.evaluate(() => ({ ...globalThis.__ui.timeline.range }));
const length = async (page) => {
  const { t0, t1 } = await range(page);
  return t1 - t0;
};

async function zooms(page, base) {
  await open(page, `${base}/`);
  const whole = await length(page);
  await page.keyboard.press('w');
  check('w comes nearer', (await length(page)) < whole);
  const { t0 } = await range(page);
  await page.keyboard.press('d');
  check('d pans to the right', (await range(page)).t0 > t0);
  const box = await page.locator('.timeline canvas').boundingBox();
  const at = { x: box.x + 700, y: box.y + 300 };
  await page.mouse.move(at.x, at.y);
  const before = await page.evaluate((x) => globalThis.__ui.timeline.timeAt(x), 700);
  await page.mouse.wheel(0, -300);
  await page.waitForTimeout(200);
  const after = await page.evaluate((x) => globalThis.__ui.timeline.timeAt(x), 700);
  check('the wheel zooms at the pointer', Math.abs(after - before) < whole / 1000, before, after);
  await page.waitForFunction(() => Number(new URLSearchParams(location.search).get('t0')) === Math.round(globalThis.__ui.timeline.range.t0));
  const { t0: kept } = await range(page);
  await page.reload();
  await settled(page);
  check('the address brings the view back', Math.abs((await range(page)).t0 - kept) <= 1);
  await page.keyboard.press('f');
  check('f shows the whole trace', (await length(page)) === whole);
}

async function searches(page, base) {
  await open(page, `${base}/`);
  await page.keyboard.press('/');
  await page.keyboard.type('fillCache');
  await page.waitForSelector('.found-item');
  check('search finds a function in the stacks of samples', (await page.locator('.found').innerText()).includes('fillCache'));
  await page.keyboard.press('Control+a');
  await page.keyboard.type('look up');
  await page.waitForFunction(() => document.querySelector('.found-head')?.textContent?.startsWith('60 hits'));
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.drawer:not([hidden])');
  check('Enter goes to the hit', /lane=\d+/.test(page.url()) && page.url().includes('find=look'));
}

async function selects(page, base) {
  await open(page, `${base}/`);
  const box = await page.locator('.timeline canvas').boundingBox();
  await page.mouse.move(box.x + 500, box.y + 5); // on the ruler: all lanes
  await page.mouse.down();
  await page.mouse.move(box.x + 1000, box.y + 5, { steps: 5 });
  await page.mouse.up();
  await page.waitForSelector('.drawer .sums');
  check('dragging on the ruler selects', /s0=\d+/.test(page.url()));
  const text = await page.locator('.drawer').innerText();
  check('totals by state are there', text.includes('running') && text.includes('Time until it ran'), text.slice(0, 300));
  check('a flame graph of the samples is there', await page.evaluate(() => document.querySelector('.flame canvas').height > 60));
  const [popup] = await Promise.all([page.context().waitForEvent('page'), page.click('text=Open as profile')]);
  await popup.waitForLoadState();
  check('a selection opens as a profile', popup.url().includes('/ui/flamegraph?src='), popup.url());
  await popup.close();
  await page.keyboard.press('Escape');
  check('Escape ends the selection', !page.url().includes('s0='));
}

async function follows(page, base) {
  await open(page, `${base}/tasks?type=request`.replace('/tasks', '/'));
  await page.goto(`${base}/tasks`);
  await page.click('.table-row a');
  await page.waitForFunction(() => /^request \d+$/.test(document.querySelector('.table-body a')?.textContent ?? ''));
  await page.locator('.table-body .table-row').first().locator('a').click();
  await settled(page);
  await page.waitForSelector('.drawer:not([hidden])');
  const first = await page.evaluate(() => globalThis.__ui.timeline.span.lane.name);
  await page.keyboard.press('[');
  await page.waitForFunction((name) => globalThis.__ui.timeline.span?.lane.name !== name, first);
  check('[ goes to who woke a goroutine', true);
  await page.goBack();
  await page.waitForFunction((name) => globalThis.__ui.timeline.span?.lane.name === name, first);
  check('back is undo', true);
  const isSeen = () => {
    const t = globalThis.__ui?.timeline;
    const y = t?.span ? t.yOf(t.current) : -1;
    return y >= t?.top && y + 32 <= t.surface.height;
  };
  await page.waitForFunction(isSeen);
  await page.reload(); // counters come late then and take room
  await settled(page);
  await page.waitForFunction(isSeen);
  check('the lane told of is in sight, all of it', true);
}

async function groups(page, base) {
  await page.goto(`${base}/goroutines?func=main.main.func1`);
  await page.click('.page-head >> text=scheduler');
  await page.waitForFunction(() => /in all/.test(document.querySelector('.page-tools')?.textContent ?? ''));
  check('a start function has profiles of its own', page.url().includes('func=main.main.func1') && (await page.locator('.page-head').innerText()).includes('goroutines of main.main.func1'));
  const [own, all] = await page.evaluate(async () => {
    const total = async (more) => (await (await fetch(`/api/trace/select?flame=sched${more}`)).json()).flame.total;
    return [await total('&func=main.main.func1'), await total('')];
  });
  check('smaller than those of all', own > 0 && own < all, own, all);
  await page.click('text=Of all goroutines');
  await page.waitForFunction(() => !location.search.includes('func='));
}

// What is not drawn is told of.
async function cuts(page, base) {
  await page.route('**/api/trace/overlay*', async (route) => {
    const answer = await (await route.fetch()).json();
    await route.fulfill({ json: { ...answer, more_samples: 7 } });
  });
  await open(page, `${base}/`);
  await page.waitForFunction(() => /of [\d,]+ CPU samples drawn/.test(document.querySelector('.cut')?.textContent ?? ''));
  check('what is left out is told', true);
  await page.unroute('**/api/trace/overlay*');
}

async function frames(page, base) {
  await open(page, `${base}/`);
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press(i % 3 ? 'w' : 'd');
    await page.waitForTimeout(60);
  }
  const times = await page.evaluate(() => [...globalThis.__ui.frames].sort((a, b) => a - b));
  const p95 = times[Math.floor(times.length * 0.95)];
  console.log(`frames: ${times.length}, p95 ${p95.toFixed(1)} ms`);
  check('frames are drawn', times.length > 10);
}

const PAGES = ['', '?k=proc', '?k=thread', '?k=task', 'goroutines', 'goroutines?func=main.main.func1', 'tasks', 'tasks?type=request', 'regions', 'regions?type=render', 'blocking', 'mmu'];

async function everyPage(browser, base, name, pages) {
  for (const theme of ['light', 'dark']) {
    const page = await openPage(browser, theme);
    for (const path of pages) {
      await page.goto(`${base}/${path}`);
      await page.waitForSelector('main h1');
      await page.waitForTimeout(500);
      const violations = await axe(page);
      check(`${name} /${path} in ${theme}: axe finds nothing`, violations.length === 0, violations.slice(0, 4));
      await shot(page, `trace-${name}-${path.replace(/\W+/g, '-') || 'timeline'}-${theme}`);
    }
    check(`${name} in ${theme}: no other host is asked`, page.foreign.length === 0, page.foreign);
    check(`${name} in ${theme}: nothing is thrown`, page.errors.length === 0, page.errors.slice(0, 3));
    await page.context().close();
  }
}

async function native(page, base) {
  await open(page, `${base}/`);
  const names = await page.evaluate(() => [0, 1, 2].map((i) => globalThis.__ui.timeline.rows.row(i)?.name));
  check('lanes of a native program are there', names.some((name) => name?.includes('main')), names);
  const box = await page.locator('.timeline canvas').boundingBox();
  const y = await page.evaluate(() => globalThis.__ui.timeline.yOf(0) + 10);
  await page.mouse.click(box.x + 600, box.y + y);
  await page.waitForSelector('.drawer:not([hidden])');
  check('a click tells of a span', (await page.locator('.drawer h2').innerText()).startsWith('T1000'));
  const { t0 } = await range(page);
  await page.keyboard.press('w');
  check('and it zooms', (await range(page)).t0 > t0);
}

// A trace of the shop, fetched from its own endpoint while it is under load.
async function shop(page) {
  const { match } = await start(join(BUILD, 'examples/shop/shop'), ['-p', '0', '-a', '127.0.0.1:0', '-t', '120'], /profiles at http:\/\/(\S+?)\/debug[\s\S]*items at http:\/\/127\.0\.0\.1:(\d+)/);
  const load = spawn(join(BUILD, 'examples/shop/shop-load'), ['-p', match[2], '-t', '60', '-c', '4', '-r', '1500'], { stdio: 'ignore' });
  const base = await serveTrace(`http://${match[1]}/debug/pprof/trace?seconds=1`);
  load.kill();
  await open(page, `${base}/?sort=-run`);
  const names = await page.evaluate(() => [0, 1, 2, 3, 4, 5, 6].map((i) => globalThis.__ui.timeline.rows.row(i)?.name).join());
  check("the shop's threads are lanes", names.includes('serve_connection') && names.includes('reindex_loop'), names);
  await page.keyboard.press('w');
  await page.keyboard.press('v');
  await page.waitForSelector('.drawer .sums');
  check('a selection of it has sums', (await page.locator('.drawer').innerText()).includes('network'));
  await page.keyboard.press('/');
  await page.keyboard.type('serve_connection');
  await page.waitForSelector('.found-item');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => globalThis.__ui.timeline.span?.lane.name.includes('serve_connection'));
  check('search leads to a thread of it', true);
  await page.click('nav >> text=Threads');
  await page.click('.table-body >> text=serve_connection');
  await page.locator('.table-body a').first().click();
  await page.waitForFunction(() => location.search.includes('lane='));
  check('and a table leads back to the timeline', page.url().includes('k=goroutine'));
  await settled(page);
  await shot(page, 'trace-shop');
  await page.click('text=Record again');
  await page.fill('dialog input', '1');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /Recording|Reading/.test(document.querySelector('.topbar')?.textContent ?? ''));
  const before = await page.evaluate(() => globalThis.__ui.timeline.summary.begin);
  await page.waitForFunction((begin) => (globalThis.__ui?.timeline.summary.begin ?? begin) !== begin, before, { timeout: 60000 });
  await settled(page);
  check('another trace of the shop is recorded and shown', !page.url().includes('lane='), page.url());
  const sources = await page.evaluate(async () => (await fetch('/api/sources')).json());
  check('profiles of a trace cannot be fetched again', sources.can_refresh === false, sources);
}

// The pictures of docs/trace.md: how a slow request is found.
async function pictures(browser, base) {
  const page = await openPage(browser, 'light', { width: 1200, height: 660 });
  const take = async (name) => {
    await page.waitForTimeout(500);
    await shot(page, `doc-${name}`);
    const size = statSync(join(SHOTS, `doc-${name}.png`)).size;
    check(`${name} is a small picture`, size < 150_000, size);
    if (process.env.PPROF_DOC_SHOTS) copyFileSync(join(SHOTS, `doc-${name}.png`), join(process.env.PPROF_DOC_SHOTS, `trace-${name}.png`));
  };
  await page.goto(`${base}/tasks`);
  await page.waitForSelector('.hist-bar');
  await take('1-tasks');
  await page.locator('.hist-bar').last().click();
  await page.waitForFunction(() => /^request \d+$/.test(document.querySelector('.table-body a')?.textContent ?? ''));
  await take('2-slow');
  await page.locator('.table-body .table-row').first().locator('a').click();
  await settled(page);
  await take('3-timeline');
  await page.goto(`${base}/regions?type=look+up`);
  await page.waitForFunction(() => document.querySelectorAll('.table-body a').length > 3);
  await page.locator('.table-body .table-row').nth(1).locator('a').click();
  await settled(page);
  for (let i = 0; i < 12 && !(await page.locator('.drawer').innerText()).includes('Mutex'); i++) {
    await page.keyboard.press('.');
    await page.waitForTimeout(300);
  }
  check('a waiting request says what it waits for', (await page.locator('.drawer').innerText()).includes('Mutex'));
  await take('4-waits');
  await page.keyboard.press('.');
  await page.waitForTimeout(500);
  await page.keyboard.press('v');
  await page.waitForSelector('.drawer .flame');
  await page.locator('.drawer-body').evaluate((el) => el.scrollTo(0, el.querySelector('.segments').offsetTop - 320));
  await take('5-cpu');
}

await run(async () => {
  const browser = await launch();
  const page = await openPage(browser);
  const requests = await serveTrace(REQUESTS);
  for (const test of [zooms, searches, selects, follows, groups, cuts, frames]) await test(page, requests);
  check('nothing is thrown', page.errors.length === 0, page.errors.slice(0, 3));
  await everyPage(browser, requests, 'requests', PAGES);
  const poc = await serveTrace(NATIVE);
  await native(page, poc);
  await everyPage(browser, poc, 'native', ['', 'goroutines', 'regions']);
  await shop(page);
  const old = await serveTrace(GO_OLD);
  await open(page, `${old}/?k=proc`);
  check('a file cannot be recorded again', !(await page.locator('.topbar').innerText()).includes('Record again'));
  check('a trace of Go 1.19 is shown', (await page.evaluate(() => globalThis.__ui.timeline.rows.total)) > 0);
  await pictures(browser, requests);
});
