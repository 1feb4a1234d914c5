// tests/web/keys.mjs - everything the pages can do is done without a pointer: each action of the palette, each key of a
// view, menus, tables and dialogs. An action that is missing in the list below fails the test.
import { join } from 'node:path';
import { check, GO_PROFILE, launch, openPage, run, serve, TEMP } from './harness.mjs';
import { writeProfile } from './profiles.mjs';

const until = (page, f, arg) => page.waitForFunction(f, arg);
const query = (page, key) => new URL(page.url()).searchParams.get(key);
const has = (key, value) => (page) => until(page, ([k, v]) => new URL(location).searchParams.get(k) === v, [key, value]);
const at = (name) => (page) => page.waitForURL(new RegExp(`/ui/${name}(\\?|$)`));
const dialog = (title) => async (page) => {
  await page.getByRole('dialog', { name: title }).waitFor();
  await page.keyboard.press('Escape');
};
const focused = (selector) => (page) => until(page, (s) => document.activeElement?.matches(s), selector);
const READY = { flamegraph: () => globalThis.__ui?.chart.trees.down?.n > 10, graph: () => document.querySelector('.graph-svg g.node[data-name]'), source: () => document.querySelector('.line.hot'), top: () => document.querySelector('.table-row[aria-rowindex="2"] .mono') };

async function open(page, base, where, search = '') {
  await page.goto(`${base}/ui/${where}${search}`);
  await until(page, READY[where] ?? (() => document.querySelector('.shown')?.textContent));
}

// Every action of the palette: where it is there, and what shows that it was done.
const ACTIONS = {
  'Flame graph': ['top', at('flamegraph')], Top: ['flamegraph', at('top')], Graph: ['top', at('graph')], Peek: ['top', at('peek')], Source: ['top', at('source')],
  Disassembly: ['top', at('disasm')], Tags: ['top', at('tags')], Traces: ['top', at('traces')], Facts: ['top', at('facts')],
  Search: ['top', focused('.search-input')], Options: ['top', dialog('Options')], 'Save these options': ['top', dialog('Save these options')],
  Undo: ['top?f=runtime', at('flamegraph')], Redo: ['top', async () => undefined],
  'Fetch the profile again': ['top', has('src', '2')], 'Light, dark or as the system': ['top', (page) => until(page, () => localStorage.getItem('pprof-theme') === 'light')],
  'Take all filters away': ['top?f=runtime&i=gc', (page) => until(page, () => !location.search)],
  'Find a command': ['top', dialog('Commands')], 'Show all keys': ['top', dialog('Keys')],
  'Whole profile': ['flamegraph?z=1', (page) => until(page, () => !new URL(location).searchParams.get('z'))], 'Flame or icicle': ['flamegraph', has('layout', 'flame')], 'Bottom up': ['flamegraph', has('view', 'up')],
  'Fold recursion': ['flamegraph', has('fold', 'recursion')], 'Order by name': ['flamegraph', has('order', 'name')],
  'Colour by package': ['flamegraph', has('colour', 'package')], 'Colour by file': ['flamegraph', has('colour', 'file')], 'Colour by binary': ['flamegraph', has('colour', 'binary')], 'Colour by diff': ['flamegraph', has('colour', 'diff')],
  'Next hot line': ['source', focused('.line.hot')], 'Hot line before': ['source', focused('.line.hot')],
};

async function listed(page, base, where) {
  await open(page, base, where);
  await page.keyboard.press('Control+k');
  await page.waitForSelector('.palette-item');
  const titles = await page.locator('.palette-title').allInnerTexts();
  await page.keyboard.press('Escape');
  return titles;
}

async function palette(page, base) {
  const titles = new Set();
  for (const where of Object.keys(READY)) for (const title of await listed(page, base, where)) titles.add(title);
  const missing = [...titles].filter((title) => !ACTIONS[title]);
  check('every action is in the list of this test', missing.length === 0, missing);
  for (const [title, [where, proof]] of Object.entries(ACTIONS)) {
    const [name, search] = where.split('?');
    if (title === 'Undo') await open(page, base, 'flamegraph');
    await open(page, base, name, search ? `?${search}` : '');
    await page.keyboard.press('Control+k');
    await page.locator('[role=combobox]').waitFor();
    await page.keyboard.type(title);
    await page.keyboard.press('Enter');
    try {
      await proof(page);
      check(`${title} by the palette`, true);
    } catch (error) {
      check(`${title} by the palette`, false, page.url(), error.message.slice(0, 100));
    }
  }
  await page.evaluate(() => localStorage.clear());
}

// The same keys that the help lists, pressed where it lists them.
async function flameKeys(page, base) {
  const chart = (field) => page.evaluate((f) => globalThis.__ui.chart[f], field);
  const GC = '^runtime\\.gcBgMarkWorker$';
  const start = async () => {
    await open(page, base, 'flamegraph');
    await page.evaluate(() => globalThis.__ui.chart.setCurrent(globalThis.__ui.find('runtime.gcBgMarkWorker')));
    await page.locator('.mirror').focus();
  };
  const keys = {
    Enter: (p) => until(p, () => new URL(location).searchParams.get('z')), p: has('p', GC), f: has('f', GC), i: has('i', GC), x: has('h', GC),
    s: async (p) => (await at('source')(p), has('fn', GC)(p)), D: at('disasm'), e: at('peek'), v: has('layout', 'flame'), b: has('view', 'up'), r: has('fold', 'recursion'), o: has('order', 'name'),
    m: (p) => p.getByRole('menu').waitFor(), '+': (p) => until(p, () => globalThis.__ui.chart.right < globalThis.__ui.chart.whole),
  };
  for (const [key, proof] of Object.entries(keys)) {
    await start();
    await page.keyboard.press(key);
    try {
      await proof(page);
      check(`${key} in the flame graph`, true);
    } catch {
      check(`${key} in the flame graph`, false, page.url());
    }
  }
  await start();
  for (const _ of [1, 2, 3]) await page.keyboard.press('+');
  const left = await chart('left');
  await page.keyboard.press('d');
  check('d pans to the right', (await chart('left')) > left);
  await page.keyboard.press('a');
  check('a pans back', Math.abs((await chart('left')) - left) < 1);
  const span = (await chart('right')) - (await chart('left'));
  await page.keyboard.press('-');
  check('- zooms out', (await chart('right')) - (await chart('left')) > span);
  await page.keyboard.press('0');
  await until(page, () => globalThis.__ui.chart.right === globalThis.__ui.chart.whole);
  check('0 shows the whole', true);
}

// Entries of a menu that was opened by a key, run by typing how they begin.
async function menus(page, base) {
  const openers = [['top', async () => {
    await page.getByRole('grid').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('m');
  }], ['graph', async () => {
    await page.locator('.graph-svg g.node[data-name]').first().focus();
    await page.keyboard.press('Enter');
  }], ['peek', async () => {
    await page.getByRole('button', { name: 'More' }).first().focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
  }], ['traces', async () => {
    await page.getByRole('grid', { name: 'Frames' }).focus();
    await page.keyboard.press('m');
  }]];
  for (const [where, opens] of openers) {
    await open(page, base, where);
    await page.waitForSelector('.table-row[aria-rowindex="2"] .mono, .graph-svg g.node[data-name]');
    if (where === 'peek') await page.waitForSelector('.peek-block');
    await opens();
    await page.getByRole('menu').waitFor();
    await page.keyboard.press('I'); // Ignore
    await page.keyboard.press('Enter');
    await until(page, () => new URL(location).searchParams.get('i'));
    check(`${where}: the menu of a function by keys`, true);
  }
  await open(page, base, 'top');
  const tool = async (name, letters, proof) => {
    await page.getByRole('button', { name }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menu').waitFor();
    await page.keyboard.press(letters);
    const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
    check(`${name} by keys`, proof(download.suggestedFilename()), download.suggestedFilename());
  };
  await tool('Share and export', 'S', (file) => file.endsWith('.speedscope.json'));
}

async function tables(page, base) {
  await open(page, base, 'top');
  await page.getByRole('button', { name: 'Cum' }).focus();
  await page.keyboard.press('Enter');
  await until(page, () => document.querySelector('[aria-sort=descending]')?.textContent.startsWith('Cum'));
  await page.getByRole('grid').focus();
  await page.keyboard.press('End');
  await until(page, () => Number(document.querySelector('[aria-selected=true]')?.getAttribute('aria-rowindex')) > 490);
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await at('source')(page);
  check('a table is sorted, walked and left by keys', true);
  await page.waitForSelector('.listing');
  await page.getByRole('grid', { name: 'Functions by weight' }).focus();
  const before = query(page, 'fn');
  await page.keyboard.press('ArrowDown');
  await until(page, (fn) => new URL(location).searchParams.get('fn') !== fn, before);
  check('the list beside the source is walked by keys', true);
}

// Options: each field is reached, a choice changed, a chip taken away.
async function options(page, base) {
  await open(page, base, 'top');
  await page.keyboard.press(',');
  await page.waitForSelector('#option-noinlines');
  await page.locator('#option-noinlines').focus();
  await page.keyboard.press('Space');
  await has('noinlines', 't')(page);
  await page.locator('#option-granularity').focus();
  await page.keyboard.press('f');
  await until(page, () => new URL(location).searchParams.get('g')?.startsWith('f'));
  const unnamed = await page.evaluate(() => [...document.querySelectorAll('.option')].filter((row) => !row.querySelector('label')?.textContent || !row.querySelector('.option-help')?.textContent).length);
  check('every option has its name and its help', unnamed === 0, unnamed);
  const known = (await (await fetch(`${base}/api/options`)).json()).options.map(({ name }) => name);
  const shown = await page.locator('.option > label').allInnerTexts();
  check('every option of the table is in the panel', known.every((name) => name === 'output' || shown.includes(name)), known.filter((name) => !shown.includes(name))); // output names a file
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Remove no inlines' }).focus();
  await page.keyboard.press('Enter');
  await until(page, () => !new URL(location).searchParams.get('noinlines'));
  check('a filter is taken away by keys', true);
}

async function labels(page) {
  const base = await serve(writeProfile(join(TEMP, 'labels.pb.gz'), { samples: [{ stack: ['leaf', 'main'], values: [3], labels: { kind: 'a' } }, { stack: ['leaf', 'main'], values: [1], labels: { kind: 'b' } }] }));
  await page.goto(`${base}/ui/tags`);
  await page.waitForSelector('.table-row[aria-rowindex="2"]');
  await page.getByRole('grid').focus();
  await page.keyboard.press('m');
  await page.getByRole('menu').waitFor();
  await page.keyboard.press('D'); // Drop samples with it
  await page.keyboard.press('Enter');
  await has('ti', 'kind=^a$')(page);
  check('a label value is dropped by keys', true);
}

await run(async () => {
  const base = await serve(GO_PROFILE);
  const browser = await launch();
  const page = await openPage(browser);
  for (const part of [palette, flameKeys, menus, tables, options, labels]) {
    try {
      await part(page, base);
    } catch (error) {
      check(`${part.name} goes through`, false, error.message);
    }
  }
  check('nothing is thrown', page.errors.length === 0, page.errors.slice(0, 3));
});
