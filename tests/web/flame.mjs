// tests/web/flame.mjs - the flame graph does what its buttons, keys and pointer say, on a real Go profile: zoom, search, type,
// focus, hide, callers and callees, bottom up, recursion, undo, mistakes, configurations, exports; and a difference of two.
// What is on the canvas is read through window.__ui: which node lies at a point, and where a node's box is.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { axe, check, GO_PROFILE, launch, openPage, PPROF, ROOT, run, serve, shot, TEMP } from './harness.mjs';

const PARSE = 'github.com/evanw/esbuild/internal/js_parser.Parse';
const GC = 'runtime.gcBgMarkWorker';

const boxOf = (page, name) => page.evaluate((n) => globalThis.__ui.chart.boxOf(globalThis.__ui.find(n)), name);
const nameAt = (page, x, y) => page.evaluate(([px, py]) => {
  const { chart, name } = globalThis.__ui;
  const frame = chart.surface.canvas.getBoundingClientRect();
  const spot = chart.hit(px - frame.left, py - frame.top);
  return spot ? name(spot) : undefined;
}, [x, y]);
const chart = (page, field) => page.evaluate((f) => globalThis.__ui.chart[f], field);
const query = (page) => new URL(page.url()).searchParams;
const until = (page, f, arg) => page.waitForFunction(f, arg);
const loaded = (page) => until(page, () => globalThis.__ui?.chart.trees.down?.n > 1);

async function open(page, base, search = '') {
  await page.goto(`${base}/ui/flamegraph${search}`);
  await loaded(page);
}

async function clickOn(page, name, button = 'left') {
  const box = await boxOf(page, name);
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2, { button });
}

async function zooms(page, base) {
  await open(page, base);
  const before = await boxOf(page, PARSE);
  check('what lies at a box is its function', (await nameAt(page, before.x + 20, before.y + 8)) === PARSE);
  await page.mouse.move(before.x + 40, before.y + 10);
  check('the tooltip says name, total and own weight', /js_parser\.Parse[\s\S]*total[\s\S]*itself/.test(await page.locator('.tooltip').innerText()));
  await shot(page, 'flame-tooltip');
  await clickOn(page, PARSE);
  await until(page, (w) => globalThis.__ui.chart.right - globalThis.__ui.chart.left < w / 2, await chart(page, 'whole'));
  const after = await boxOf(page, PARSE);
  check('a click makes a function as wide as the canvas', after.width > 1400, after);
  check('the zoom is in the address', query(page).get('z') !== null);
  await page.waitForTimeout(500); // what was too narrow before is fetched
  await shot(page, 'flame-zoomed');
  const address = page.url();
  await page.goBack();
  await until(page, () => globalThis.__ui.chart.left === 0 && globalThis.__ui.chart.right === globalThis.__ui.chart.whole);
  check('undo gives the whole back', true);
  await page.goto(address);
  await loaded(page);
  await until(page, (name) => globalThis.__ui.find(name) && globalThis.__ui.chart.boxOf(globalThis.__ui.find(name)).width > 1400, PARSE);
  check('a shared link opens where it was made', true);
  await page.keyboard.press('0');
  await until(page, () => globalThis.__ui.chart.right === globalThis.__ui.chart.whole);
  const box = await page.locator('.flame-box').boundingBox();
  await page.mouse.move(box.x + 300, box.y + 100);
  await page.mouse.wheel(0, -400);
  await until(page, () => globalThis.__ui.chart.right < globalThis.__ui.chart.whole);
  check('the wheel zooms', true);
}

async function searches(page, base) {
  await open(page, base);
  await page.keyboard.press('/');
  await page.keyboard.type('runtime\\.gc');
  await until(page, () => /\d+ · [\d.]+%/.test(document.querySelector('.search-total').textContent));
  await until(page, () => globalThis.__ui.chart.look.isLit);
  const total = await page.locator('.search-total').innerText();
  const server = await (await fetch(`${base}/api/search?q=runtime%5C.gc`)).json();
  check('the match total is the server\'s', total.startsWith(`${server.n} · `), total, server.n);
  check('matches are lit and others are not', await page.evaluate(([yes, no]) => {
    const { chart: c, frames } = globalThis.__ui;
    const at = (name) => frames.list.findIndex((f) => f.name === name);
    return c.look.isLit(at(yes)) && !c.look.isLit(at(no));
  }, [GC, PARSE]));
  await shot(page, 'flame-search');
  await page.locator('.search-input').press('Enter');
  check('Enter goes to a match', /runtime\.gc/.test(await page.evaluate(() => globalThis.__ui.name(globalThis.__ui.chart.current))));
  await page.locator('.search-input').fill('runtime(');
  await page.waitForSelector('.search-error:not([hidden])');
  check('a bad expression is shown where it is typed', (await page.locator('.search-input').getAttribute('aria-invalid')) === 'true' && /missing/.test(await page.locator('.search-error').innerText()));
  await shot(page, 'search-error');
}

async function filters(page, base) {
  await open(page, base);
  const whole = await page.evaluate(() => globalThis.__ui.chart.trees.down.total[0]);
  await clickOn(page, GC, 'right');
  await page.waitForSelector('[role=menu]');
  await shot(page, 'flame-menu');
  check('the menu is accessible', (await axe(page)).length === 0, await axe(page));
  await page.getByRole('menuitem', { name: /^Focus/ }).click();
  await until(page, (w) => globalThis.__ui.chart.trees.down.total[0] < w / 2, whole);
  check('focus keeps stacks with it only', (await page.evaluate((n) => !globalThis.__ui.find(n), PARSE)));
  check('focus is a chip that can be taken away', (await page.locator('.chip').innerText()).includes('gcBgMarkWorker'));
  await page.locator('.chip-close').click();
  await until(page, (w) => globalThis.__ui.chart.trees.down.total[0] === w, whole);
  await page.getByRole('button', { name: 'samples', exact: true }).click();
  await until(page, (w) => globalThis.__ui.chart.trees.down.total[0] !== w, whole);
  check('the sample type changes the weights', (await page.evaluate(() => globalThis.__ui.chart.trees.down.total[0])) === 419);
}

async function mistakes(page, base) {
  await page.goto(`${base}/ui/top?f=main(`);
  await page.waitForSelector('.chip.bad');
  check('a bad filter from the address is marked where it stands', true);
  await page.keyboard.press(',');
  await page.waitForSelector('#option-ignore');
  check('the bad filter is marked in its field', (await page.locator('#option-focus').getAttribute('aria-invalid')) === 'true' && /missing/.test(await page.locator('#says-focus').innerText()));
  await page.locator('#option-focus').fill('');
  await page.waitForFunction(() => !new URL(location).searchParams.get('f'));
  await page.locator('#option-ignore').fill('x[');
  await page.waitForSelector('#option-ignore[aria-invalid=true]');
  check('a bad option says why below its field', /missing|terminat/.test(await page.locator('#says-ignore').innerText()));
  await shot(page, 'option-error');
}

async function views(page, base) {
  await open(page, base);
  await page.getByRole('button', { name: 'Bottom up' }).click();
  await until(page, () => globalThis.__ui.find('runtime.asyncPreempt') && globalThis.__ui.chart.trees.down.depth[globalThis.__ui.find('runtime.asyncPreempt').node] === 1);
  check('bottom up begins with what did the work', true);
  await open(page, base);
  await page.evaluate((n) => globalThis.__ui.chart.setCurrent(globalThis.__ui.find(n)), PARSE);
  await page.locator('.mirror').focus();
  await page.keyboard.press('p');
  await until(page, () => globalThis.__ui.chart.trees.up?.n > 1);
  check('p shows callers above and callees below', await page.evaluate(() => globalThis.__ui.chart.trees.down.n > 10));
  await page.waitForTimeout(200);
  await shot(page, 'flame-sandwich');
  await page.keyboard.press('Escape');
  await until(page, () => !globalThis.__ui.chart.trees.up);
  const levels = await page.evaluate(() => globalThis.__ui.chart.trees.down.levels);
  await page.keyboard.press('r');
  await until(page, (n) => globalThis.__ui.chart.trees.down.levels < n, levels);
  const sums = await page.evaluate(() => {
    const t = globalThis.__ui.chart.trees.down;
    for (let i = 0; i < t.n; i++) {
      const seen = new Set();
      for (let a = i; a > 0; a = t.parent[a]) {
        if (seen.has(t.frame[a])) return 'twice on a path';
        seen.add(t.frame[a]);
      }
    }
    return t.total[0];
  });
  check('folded recursion keeps the total and no function twice on a path', Math.abs(sums - 4.19e9) < 2e7, sums);
  await page.keyboard.press('v');
  await until(page, () => globalThis.__ui.chart.isFlame);
  await page.waitForTimeout(100);
  await shot(page, 'flame-flame');
}

async function keys(page, base) {
  await open(page, base);
  await page.locator('.mirror').focus();
  await page.keyboard.press('ArrowDown');
  const first = await page.evaluate(() => globalThis.__ui.name(globalThis.__ui.chart.current));
  await page.keyboard.press('ArrowRight');
  const second = await page.evaluate(() => globalThis.__ui.name(globalThis.__ui.chart.current));
  check('arrows walk the stacks', first !== second && first !== '' && second !== '', first, second);
  const item = page.locator('[role=treeitem][aria-selected=true]');
  check('a reader hears the same node', (await item.textContent()).startsWith(second), await item.textContent());
  await page.keyboard.press('Enter');
  await until(page, () => globalThis.__ui.chart.left > 0);
  await page.keyboard.press('m');
  await page.waitForSelector('[role=menu]');
  await page.keyboard.press('Escape');
  check('the menu gives the focus back', await page.evaluate(() => document.activeElement.classList.contains('mirror')));
  const toggle = page.getByRole('button', { name: 'By name' });
  await toggle.focus();
  await page.keyboard.press('Enter');
  await until(page, () => new URL(location).searchParams.get('order') === 'name');
  check('a button keeps the focus that was drawn anew', await toggle.evaluate((el) => el === document.activeElement));
  await page.keyboard.press('Control+k');
  await page.keyboard.type('disassembly');
  await page.keyboard.press('Enter');
  await page.waitForURL(/disasm/);
  check('the palette finds commands', true);
  await page.keyboard.press('1');
  await page.waitForURL(/flamegraph/);
}

async function configurations(page, base) {
  await page.goto(`${base}/ui/top?f=runtime`);
  await page.waitForSelector('.table-body .table-row[aria-rowindex="2"]');
  await page.keyboard.press(',');
  await page.getByRole('button', { name: 'Save as…' }).click();
  await page.locator('#ask-text').fill('only runtime');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.config >> text=only runtime');
  await page.getByRole('button', { name: /^Default/ }).click();
  await page.waitForFunction(() => !new URL(location).searchParams.get('f'));
  await page.getByRole('button', { name: /^only runtime/ }).click();
  await page.waitForFunction(() => new URL(location).searchParams.get('f') === 'runtime');
  check('a saved configuration comes back', true);
  await page.getByRole('button', { name: 'Delete only runtime' }).click();
  await page.waitForSelector('.config >> text=only runtime', { state: 'detached' });
  check('and can be deleted', true);
}

// The file that an entry of the share menu gives.
async function saved(page, name) {
  await page.getByRole('button', { name: 'Share and export' }).click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name }).click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

const isPng = ({ bytes }) => bytes.subarray(1, 4).toString() === 'PNG' && bytes.readUInt32BE(16) > 1000;

// A picture that is a file of its own: it opens by itself, in the size it says, and says the same names.
async function pictures(browser, page, base) {
  const focus = `?f=${encodeURIComponent('gcBgMarkWorker')}`;
  await open(page, base, focus);
  const flame = await saved(page, 'This picture as SVG');
  const text = flame.bytes.toString();
  check('the flame graph is an SVG with a title on every box', flame.name === 'esbuild.svg' && (text.match(/<title>/g) ?? []).length > 20 && text.includes('<title>runtime.gcBgMarkWorker: '), flame.name, text.slice(0, 300));
  check('its caption says what it is of', text.includes('esbuild   cpu: 620ms   f=gcBgMarkWorker'), text.match(/<text[^>]*>esbuild[^<]*/)?.[0]);
  check('the flame graph is a PNG', isPng(await saved(page, 'This picture as PNG')));
  await page.keyboard.press('v');
  await until(page, () => globalThis.__ui.chart.isFlame);
  const upright = (await saved(page, 'This picture as SVG')).bytes.toString();
  const y = (svg, name) => Number(new RegExp(`y="([\\d.]+)"[^>]*>${name}<`).exec(svg)?.[1]);
  check('a flame has its root at the bottom', y(upright, 'root') > y(upright, 'runtime.gcBgMarkWorker') && y(text, 'root') < y(text, 'runtime.gcBgMarkWorker'), y(upright, 'root'));
  await page.goto(`${base}/ui/graph${focus}`);
  await page.waitForSelector('.graph-svg g.node[data-name]');
  const graph = await saved(page, 'This picture as SVG');
  check('the graph is an SVG', graph.name === 'esbuild.graph.svg' && graph.bytes.toString().includes('gcBgMarkWorker'), graph.name);
  check('the graph is a PNG', isPng(await saved(page, 'This picture as PNG')));
  const alone = await openPage(browser);
  for (const [name, file] of [['flame', flame], ['graph', graph]]) {
    const path = join(TEMP, `${name}.svg`);
    writeFileSync(path, file.bytes);
    await alone.goto(pathToFileURL(path).href);
    check(`${name}.svg is well formed`, await alone.evaluate(() => document.documentElement.tagName === 'svg' && !document.querySelector('parsererror')));
    await shot(alone, `picture-${name}`);
  }
  await alone.context().close();
}

// Every file of the menu has the filters in force.
async function files(page, base) {
  await open(page, base, `?f=${encodeURIComponent('gcBgMarkWorker')}`);
  const text = async (name) => (await saved(page, name)).bytes.toString();
  const folded = await text('Folded stacks');
  check('folded stacks', folded.length > 0 && folded.trim().split('\n').every((line) => line.includes('gcBgMarkWorker')));
  const rows = JSON.parse(await text('Top as JSON')).rows;
  check('JSON', rows.some((row) => row.name === GC) && !rows.some((row) => row.name === PARSE));
  check('CSV', (await text('Top as CSV')).startsWith('name,'));
  check('speedscope', JSON.parse(await text('Speedscope')).profiles.length > 0);
  check('DOT', (await text('Graph as DOT')).startsWith('digraph'));
  check('callgrind', (await text('Callgrind')).includes('events:'));
  check('text', (await text('Text')).includes('flat%'));
  const filtered = join(TEMP, 'filtered.pb.gz');
  writeFileSync(filtered, (await saved(page, 'Filtered profile (pb.gz)')).bytes);
  const top = execFileSync(PPROF, ['-top', filtered], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  check('pb.gz', top.includes('runtime.gcDrain') && !top.includes(PARSE), top.slice(0, 200));
  const whole = join(TEMP, 'whole.pb.gz');
  writeFileSync(whole, (await saved(page, 'The whole profile (pb.gz)')).bytes);
  check('the whole profile has no filter', execFileSync(PPROF, ['-top', '-nodecount=999', whole], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).includes(PARSE));
  const page2 = join(TEMP, 'exported.html');
  writeFileSync(page2, (await saved(page, 'Flame graph, one HTML file')).bytes);
  await page.goto(pathToFileURL(page2).href);
  await until(page, () => globalThis.__ui?.chart.trees.down.n > 10);
  check('one HTML file', await page.evaluate((n) => !globalThis.__ui.frames.list.some((f) => f.name === n), PARSE));
}

async function exported(browser, page, base) {
  await pictures(browser, page, base);
  await files(page, base);
  const file = join(TEMP, 'flame.html');
  execFileSync(PPROF, ['-flamegraph', `-output=${file}`, GO_PROFILE], { stdio: 'ignore' });
  const alone = await openPage(browser);
  const asked = [];
  alone.on('request', (request) => asked.push(request.url()));
  await alone.goto(pathToFileURL(file).href);
  await until(alone, () => globalThis.__ui?.chart.trees.down.n > 100);
  await alone.locator('.search-input').fill('gcBgMarkWorker');
  await until(alone, () => /%/.test(document.querySelector('.search-total').textContent));
  check('pprof -flamegraph opens from a file, searches, and asks nobody', asked.every((url) => /^(file|data):/.test(url)), asked);
  check('the file is accessible', (await axe(alone)).length === 0, await axe(alone));
  check('the file throws nothing', alone.errors.length === 0, alone.errors);
  await shot(alone, 'standalone');
  await alone.context().close();
}

async function difference(browser) {
  const profiles = join(ROOT, 'tests/golden/real/profiles');
  const base = await serve(`-diff_base=${join(profiles, 'go126.tsgo-7.0.0-dev.20260707-go1.26.4.cpu.pb.gz')}`, join(profiles, 'go126.esbuild-0.28.2-go1.26.5.cpu.pb.gz'));
  for (const theme of ['light', 'dark']) {
    const page = await openPage(browser, theme);
    await open(page, base);
    check('a difference is coloured as one', await page.evaluate(() => globalThis.__ui.chart.look.isDiff));
    check('and has the base\'s weights', await page.evaluate(() => globalThis.__ui.chart.trees.down.base.some((x) => x > 0)));
    await page.waitForTimeout(200);
    await shot(page, `flame-diff-${theme}`);
    check('axe finds nothing in it', (await axe(page)).length === 0, await axe(page));
    await page.goto(`${base}/ui/top`);
    await page.waitForSelector('.table-body .table-row[aria-rowindex="2"]');
    await shot(page, `top-diff-${theme}`);
    check('nothing is thrown', page.errors.length === 0, page.errors);
    await page.context().close();
  }
}

await run(async () => {
  const base = await serve(GO_PROFILE);
  const browser = await launch();
  const page = await openPage(browser);
  for (const part of [zooms, searches, filters, mistakes, views, keys, configurations]) {
    try {
      await part(page, base);
    } catch (error) {
      check(`${part.name} goes through`, false, error.message);
    }
  }
  await exported(browser, page, base);
  await difference(browser);
  check('no other host is asked', page.foreign.length === 0, page.foreign);
  check('nothing is thrown', page.errors.length === 0, page.errors.slice(0, 3));
});
