// tests/web/pages.mjs - every page on a real Go profile, in both themes: it shows something, is accessible to axe-core, asks
// no other host, throws nothing, and every control can be reached by Tab.
import { request } from 'node:http';
import { axe, check, GO_PROFILE, launch, openPage, run, serve, shot } from './harness.mjs';

// A page and what is there once it has its data.
const PAGES = {
  flamegraph: '.flame-box canvas', top: '.table-body .table-row[aria-rowindex="2"]', graph: '.graph-svg g.node[data-name]', peek: '.peek-block', source: '.listing',
  disasm: '.listing, .failure, .page-body p', tags: '.tags > *', traces: '.table-body .table-row[aria-rowindex="2"]', facts: '.facts .table-row[aria-rowindex="2"]',
};

function statusWith(base, headers, path = '/api/summary', method = 'GET') {
  const url = new URL(path, base);
  return new Promise((done, fail) => {
    const ask = request({ host: url.hostname, port: url.port, path: url.pathname + url.search, method, headers }, (answer) => {
      answer.resume();
      done(answer.statusCode);
    });
    ask.on('error', fail);
    ask.end();
  });
}

async function guards(base) {
  const { host } = new URL(base);
  check('its own Host is answered', (await statusWith(base, { Host: host })) === 200);
  check('a foreign Host is refused', (await statusWith(base, { Host: 'evil.example' })) === 403);
  check('a foreign Host is refused for the page too', (await statusWith(base, { Host: 'evil.example' }, '/ui/flamegraph')) === 403);
  check('a foreign Origin changes nothing', (await statusWith(base, { Host: host, Origin: 'http://evil.example' }, '/api/configs?config=x', 'POST')) === 403);
  check('GET changes nothing', (await statusWith(base, { Host: host }, '/saveconfig?config=x')) === 405);
}

// Every visible control gets the focus by Tab, sooner or later.
async function tabReach(page, name) {
  await page.evaluate(() => {
    document.activeElement?.blur();
    globalThis.reached = new Set();
    document.addEventListener('focusin', (event) => globalThis.reached.add(event.target));
  });
  const n = await page.evaluate(() => document.querySelectorAll('a[href], button, input, select, [tabindex="0"]').length);
  for (let i = 0; i < Math.min(n + 8, 160); i++) await page.keyboard.press('Tab');
  const missed = await page.evaluate(() =>
    [...document.querySelectorAll('a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), [tabindex="0"]')]
      .filter((el) => el.checkVisibility() && !globalThis.reached.has(el))
      .map((el) => el.outerHTML.slice(0, 120)),
  );
  check(`${name}: every control is reached by Tab`, n > 150 || missed.length === 0, missed.slice(0, 3));
}

async function onePage(page, base, name, ready, theme) {
  await page.goto(`${base}/ui/${name}`);
  await page.waitForSelector(ready);
  await page.waitForFunction(() => document.querySelector('.shown')?.textContent);
  await page.waitForTimeout(250);
  check(`${name} in ${theme}: the page has no failure`, (await page.locator('.failure').count()) === 0 || name === 'disasm');
  const violations = await axe(page);
  check(`${name} in ${theme}: axe finds nothing`, violations.length === 0, violations.slice(0, 4));
  await shot(page, `${name}-${theme}`);
}

async function dialogs(page, base, theme) {
  await page.goto(`${base}/ui/top`);
  await page.waitForSelector(PAGES.top);
  for (const [key, name] of [[',', 'options'], ['?', 'keys'], ['Control+k', 'palette']]) {
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press(key);
    await page.waitForSelector('dialog[open]');
    await page.waitForTimeout(250);
    const violations = await axe(page);
    check(`${name} in ${theme}: axe finds nothing`, violations.length === 0, violations.slice(0, 4));
    await shot(page, `${name}-${theme}`);
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog[open]', { state: 'detached' });
  }
}

await run(async () => {
  const base = await serve(GO_PROFILE);
  await guards(base);
  const browser = await launch();
  for (const theme of ['light', 'dark']) {
    const page = await openPage(browser, theme);
    for (const [name, ready] of Object.entries(PAGES)) {
      await onePage(page, base, name, ready, theme);
      if (theme === 'light') await tabReach(page, name);
    }
    await dialogs(page, base, theme);
    check(`no other host is asked in ${theme}`, page.foreign.length === 0, page.foreign);
    check(`nothing is thrown in ${theme}`, page.errors.length === 0, page.errors.slice(0, 3));
    await page.context().close();
  }
  const narrow = await openPage(browser, 'light', { width: 720, height: 900 });
  await narrow.goto(`${base}/ui/flamegraph`);
  await narrow.waitForSelector('.flame-box canvas');
  check('a narrow window still has the search', await narrow.locator('.search-input').isVisible());
  await shot(narrow, 'narrow');
});
