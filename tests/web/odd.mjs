// tests/web/odd.mjs - profiles no page should stumble over: none, one or only negative samples, thirty sample types, names in
// every script and with HTML in them, a label with 100,000 values, a function of 20,000 lines.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { axe, check, launch, openPage, run, serve, shot, TEMP } from './harness.mjs';
import { writeProfile } from './profiles.mjs';

const PAGES = ['flamegraph', 'top', 'graph', 'peek', 'source', 'disasm', 'tags', 'traces', 'facts'];
const path = (name) => join(TEMP, `${name}.pb.gz`);

// Quiet: the data of the page is there, or what is wrong is told.
async function settle(page) {
  await page.waitForFunction(() => document.querySelector('.shown')?.textContent);
  await page.waitForFunction(() => document.querySelector('main canvas, main svg') || document.querySelector('main').innerText.trim());
  await page.waitForTimeout(250);
}

// Each page opens, throws nothing, and says something.
async function everyPage(page, base, name) {
  const silent = [];
  for (const where of PAGES) {
    await page.goto(`${base}/ui/${where}`);
    await settle(page);
    if (!(await page.locator('main').innerText()).trim() && where !== 'flamegraph') silent.push(where);
  }
  check(`${name}: every page says something`, silent.length === 0, silent);
  check(`${name}: nothing is thrown`, page.errors.length === 0, page.errors.splice(0));
}

async function nothing(page) {
  const base = await serve(writeProfile(path('empty'), {}));
  await everyPage(page, base, 'an empty profile');
  for (const [where, selector] of [['flamegraph', '.flame-none'], ['graph', '.graph-none']]) {
    await page.goto(`${base}/ui/${where}`);
    await page.waitForSelector(`${selector}:not([hidden])`);
    check(`an empty ${where} says so`, (await page.locator(selector).innerText()).includes('no samples'));
    check(`an empty ${where} is accessible`, (await axe(page)).length === 0, await axe(page));
  }
  await page.goto(`${base}/ui/source`);
  await page.waitForSelector('.failure');
  await page.waitForTimeout(200);
  check('a failure is told once', (await page.locator('.failure:visible').count()) === 1);
  const one = await serve(writeProfile(path('one'), { samples: [{ stack: ['main'], values: [1] }] }));
  await everyPage(page, one, 'one sample');
  await page.goto(`${one}/ui/flamegraph?f=nothing`);
  await page.waitForSelector('.flame-none:not([hidden])');
  check('filters that keep nothing are told of', (await page.locator('.warning').innerText()).includes('Focus expression matched no samples'));
}

async function negative(page) {
  const base = await serve(writeProfile(path('negative'), { samples: [{ stack: ['leaf', 'main'], values: [-5] }, { stack: ['other', 'main'], values: [-3] }] }));
  await everyPage(page, base, 'only negative samples');
  await page.goto(`${base}/ui/flamegraph`);
  await page.waitForFunction(() => globalThis.__ui?.chart.trees.down?.n > 2);
  check('they are drawn as what has gone', await page.evaluate(() => globalThis.__ui.chart.look.isDiff && globalThis.__ui.chart.trees.down.base[0] === 8));
}

async function manyTypes(page) {
  const types = Array.from({ length: 30 }, (_, i) => [`type_${i}`, 'count']);
  const base = await serve(writeProfile(path('types'), { types, samples: [{ stack: ['leaf', 'main'], values: types.map((_, i) => i + 1) }] }));
  await page.goto(`${base}/ui/top`);
  await settle(page);
  await page.locator('.types select').selectOption('type_4');
  await page.waitForFunction(() => document.querySelector('.table-body .table-row .number span:not(.bar)')?.textContent === '5');
  check('thirty sample types are a list', new URL(page.url()).searchParams.get('si') === 'type_4');
}

async function names(page) {
  const hostile = '<img src=x onerror=globalThis.hit=1>';
  const long = `ns::${'very_'.repeat(300)}long`;
  const samples = [
    { stack: [long, 'main'], values: [40] }, { stack: [`f${hostile}`, 'main'], values: [30], labels: { [hostile]: hostile } }, { stack: ['وظيفة', 'פונקציה', 'main'], values: [20], labels: { lang: 'العربية' } },
    { stack: ['函数', 'größe::Ünïcode', '🎉', 'main'], values: [20] }, { stack: ['a"b\'c`d\\e', 'x\ny\tz', 'main'], values: [10] },
  ];
  const base = await serve(writeProfile(path('names'), { samples, comments: [hostile] }));
  await everyPage(page, base, 'names of every kind');
  for (const where of PAGES) {
    await page.goto(`${base}/ui/${where}`);
    await settle(page);
    check(`${where}: a name is text`, await page.evaluate(() => globalThis.hit === undefined && !document.querySelector('main img')));
    check(`${where}: odd names are accessible`, (await axe(page)).length === 0, await axe(page));
    check(`${where}: nothing is wider than the window`, await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await shot(page, `odd-${where}`);
  }
  await page.goto(`${base}/ui/graph`);
  await page.waitForSelector('.graph-svg g.node[data-name]');
  check('a name of 1,500 letters leaves the graph readable', await page.evaluate(() => document.querySelector('.graph-svg').getBBox().width < 3000));
  check('and is said whole', await page.evaluate(() => [...document.querySelectorAll('.graph-svg g.node title')].some((el) => el.textContent.includes('very_long'))));
  await page.goto(`${base}/ui/peek?fn=${encodeURIComponent('^函数$')}`);
  await page.waitForSelector('.peek-block');
  check('a name in another script is found', (await page.locator('.peek-middle h2').innerText()) === '函数');
}

async function manyValues(page) {
  const samples = Array.from({ length: 100_000 }, (_, i) => ({ stack: [`leaf${i % 7}`, 'main'], values: [1 + (i % 13)], labels: { request: `req-${i}`, kind: ['get', 'put', 'del'][i % 3] } }));
  const base = await serve(writeProfile(path('values'), { samples }));
  await page.goto(`${base}/ui/tags`);
  await page.waitForSelector('.tag-block .table-row[aria-rowindex="2"]');
  check('only values in sight are elements', (await page.locator('.tag-block .table-row').count()) < 120);
  await page.getByRole('grid', { name: 'Values of request' }).focus();
  await page.keyboard.press('End');
  await page.waitForFunction(() => [...document.querySelectorAll('.table-row[aria-rowindex="100001"]')].some((row) => row.textContent.includes('req-')));
  check('the last of 100,000 values is reached by a key', true);
  await page.keyboard.press('Enter');
  await page.waitForURL(/tf=request/);
  check('Enter filters by it', true);
  await page.goto(`${base}/ui/tags?q=${encodeURIComponent('req-4242\\d$')}`);
  await page.waitForFunction(() => document.querySelector('.tag-block header')?.textContent.includes('10 values'));
  check('labels are searched by the server\'s expressions', (await page.locator('.tag-block').count()) === 1);
  await page.goto(`${base}/ui/traces?q=${encodeURIComponent('request=req-7$')}`);
  await page.waitForFunction(() => document.querySelector('.page-tools')?.textContent.startsWith('1 stack '));
  check('stacks are found by a label', (await page.locator('.stack-about').innerText()).includes('request=req-7'));
  await page.goto(`${base}/ui/traces`);
  await page.waitForSelector('.table-row[aria-rowindex="2"]');
  const first = () => page.locator('.split .table').first().locator('.table-row[aria-rowindex="2"]').innerText();
  check('stacks go by their weight', (await first()).startsWith('13'), await first());
  await page.getByRole('button', { name: 'Value' }).click();
  await page.waitForFunction(() => document.querySelector('.split .table .table-row[aria-rowindex="2"]')?.innerText.startsWith('1\n'));
  check('and the other way round', true);
}

async function longFunction(page) {
  const file = join(TEMP, 'huge.c');
  writeFileSync(file, ['int huge(int x)', '{', ...Array.from({ length: 20_000 }, (_, i) => `    x += step_${i}(x); // line ${i + 3}`), '}', ''].join('\n'));
  const samples = Array.from({ length: 500 }, (_, i) => ({ stack: [{ name: 'huge', file, line: 5 + ((i * 3037) % 19_990) }, 'main'], values: [1 + (i % 50)] }));
  const base = await serve(writeProfile(path('long'), { samples }));
  await page.goto(`${base}/ui/source`);
  await page.waitForSelector('.line.hot');
  const rows = () => page.locator('.line').count();
  check('only lines near the view are elements', (await rows()) < 1000, await rows());
  await page.locator('body').press('N');
  await page.waitForFunction(() => document.activeElement?.matches('.line.hot') && Number(document.activeElement.querySelector('.line-number').textContent) > 19_900);
  check('the last hot line is one key away', true);
  await page.locator('body').press('n');
  await page.waitForFunction(() => document.activeElement?.matches('.line.hot') && Number(document.activeElement.querySelector('.line-number').textContent) < 200);
  check('and the first the next one', (await rows()) < 1000, await rows());
  check('a long source is accessible', (await axe(page)).length === 0, await axe(page));
}

await run(async () => {
  const browser = await launch();
  const page = await openPage(browser, 'light', { width: 1280, height: 800 });
  for (const part of [nothing, negative, manyTypes, names, manyValues, longFunction]) {
    try {
      await part(page);
    } catch (error) {
      check(`${part.name} goes through`, false, error.message);
    }
  }
  check('no other host is asked', page.foreign.length === 0, page.foreign);
  check('nothing is thrown', page.errors.length === 0, page.errors);
});
