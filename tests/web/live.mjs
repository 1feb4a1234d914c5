// tests/web/live.mjs - from a running program to its hot line of source: pprof -http on the shop's own endpoint, then fetched
// again and compared, without leaving the browser. The index page of libpprof is looked at on the way.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { axe, BUILD, check, launch, openPage, PPROF, run, shot, start } from './harness.mjs';

const SHOP = join(BUILD, 'examples/shop/shop');
const loads = [];

async function startShop() {
  const { child, match } = await start(SHOP, ['-p', '0', '-a', '127.0.0.1:0', '-t', '240'], /profiles at http:\/\/(\S+?)\/debug[\s\S]*items at http:\/\/127\.0\.0\.1:(\d+)/);
  loads.push(spawn(join(BUILD, 'examples/shop/shop-load'), ['-p', match[2], '-t', '200', '-c', '4', '-r', '3000'], { stdio: 'ignore' }));
  return { address: match[1], shop: child };
}

async function indexPage(browser, address) {
  for (const theme of ['light', 'dark']) {
    const page = await openPage(browser, theme);
    await page.goto(`http://${address}/debug/pprof/`);
    const violations = await axe(page);
    check(`the index page is accessible in ${theme}`, violations.length === 0, violations);
    check('it says how to open a profile', (await page.locator('code').allInnerTexts()).includes(`pprof -http=: http://${address}/debug/pprof/heap`));
    await shot(page, `index-${theme}`);
    await page.context().close();
  }
}

async function toTheHotLine(page, base) {
  await page.goto(base);
  await page.waitForURL(/\/ui\/flamegraph/);
  await page.waitForFunction(() => globalThis.__ui?.find('sha256_block'));
  await page.waitForTimeout(300);
  await shot(page, 'shop-flame');
  await page.evaluate(() => globalThis.__ui.chart.setCurrent(globalThis.__ui.find('sha256_block')));
  await page.locator('.mirror').focus();
  await page.keyboard.press('s');
  await page.waitForSelector('.listing .line.hot');
  const text = await page.locator('.listing').first().innerText();
  check('its source is there', text.includes('sha256_schedule(block, w);'), text.slice(0, 200));
  check('words are in colour', (await page.locator('.hl-word').count()) > 3);
  await page.locator('.line.hot .line-number').first().click();
  await page.waitForSelector('.assembly:not([hidden]) .instruction');
  await page.waitForTimeout(200);
  const violations = await axe(page);
  check('source with assembly is accessible', violations.length === 0, violations.slice(0, 3));
  await shot(page, 'shop-source');
  await page.keyboard.press('6');
  await page.waitForSelector('.instruction');
  const found = await axe(page);
  check('disassembly is accessible', found.length === 0, found.slice(0, 3));
  await shot(page, 'shop-disasm');
}

async function again(page, base) {
  await page.goto(`${base}/ui/flamegraph`);
  await page.waitForFunction(() => globalThis.__ui?.chart.trees.down?.n > 1);
  await page.keyboard.press('R');
  await page.waitForFunction(() => /Fetching again, \d+ s/.test(document.querySelector('.fetching:not([hidden])')?.textContent ?? ''));
  await page.reload();
  await page.waitForSelector('.fetching:not([hidden])');
  check('a fetch under way is told of, also after a reload', true);
  await page.waitForFunction(() => new URL(location).searchParams.get('src'), undefined, { timeout: 60_000 });
  check('and no longer when it is there', await page.locator('.fetching').isHidden());
  check('fetching again gives a second profile', new URL(page.url()).searchParams.get('src') === '2', page.url());
  await page.locator('.title-button').click();
  await page.waitForSelector('[role=menu]');
  await shot(page, 'profiles-menu');
  const items = page.getByRole('menuitemcheckbox', { name: /#1/ });
  await items.last().click();
  await page.waitForFunction(() => new URL(location).searchParams.get('base') === '1' && globalThis.__ui?.chart.look.isDiff);
  await page.waitForTimeout(300);
  check('the two are compared', await page.evaluate(() => globalThis.__ui.chart.trees.down.base[0] > 0));
  await shot(page, 'shop-compare');
}

// The program ends: that is said, and what was fetched before is still there.
async function gone(page, shop) {
  const url = page.url();
  shop.removeAllListeners('exit').kill('SIGKILL');
  await page.keyboard.press('R');
  await page.waitForSelector('.toast.error', { timeout: 60_000 });
  check('a source that has gone is told of', /refused|connect/i.test(await page.locator('.toast.error').innerText()), await page.locator('.toast.error').innerText());
  await shot(page, 'shop-gone');
  check('the view stays', page.url() === url && (await page.evaluate(() => globalThis.__ui.chart.trees.down.n > 1)));
  check('a failed fetch is accessible', (await axe(page)).length === 0, await axe(page));
}

// Ctrl+C at the terminal ends pprof; the page says that nobody answers.
async function ended(page, pprof) {
  const exit = new Promise((done) => pprof.removeAllListeners('exit').on('exit', (code, signal) => done(signal ?? code)));
  pprof.kill('SIGINT');
  check('Ctrl+C ends pprof', (await exit) === 'SIGINT');
  await page.keyboard.press('2');
  await page.waitForSelector('.failure');
  check('the page says that pprof does not answer', (await page.locator('.failure').innerText()).includes('pprof does not answer'));
}

await run(async () => {
  const { address, shop } = await startShop();
  const browser = await launch();
  try {
    await indexPage(browser, address);
    await new Promise((done) => setTimeout(done, 1000)); // some load first
    const { child, match } = await start(PPROF, ['-http=localhost:0', '-no_browser', `http://${address}/debug/pprof/profile?seconds=3`], /Serving web UI on (http:\/\/\S+)/);
    const base = match[1];
    const page = await openPage(browser);
    await toTheHotLine(page, base);
    await again(page, base);
    await gone(page, shop);
    check('nothing was thrown until then', page.errors.length === 0, page.errors.splice(0, 3));
    await ended(page, child);
    check('no other host is asked', page.foreign.length === 0, page.foreign);
  } finally {
    for (const load of loads) load.kill();
  }
});
