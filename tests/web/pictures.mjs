// tests/web/pictures.mjs - takes the pictures of docs/web.md anew: usage: PPROF_BUILD=build [PPROF_ORIGINAL=pprof] node tests/web/pictures.mjs.
// Room: no claims. Needs build/examples/shop; writes docs/pictures/web-*.png, each some 100 KB. Where PPROF_ORIGINAL is a
// google/pprof (and graphviz is there), also docs/pictures/beside-*.jpg: its pages and ours on one profile, 20 to 60 KB each.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { BUILD, GO_PROFILE, launch, openPage, ROOT, run, serve, start } from './harness.mjs';

const to = (name) => join(ROOT, 'docs/pictures', `web-${name}.png`);
const size = { width: 1080, height: 640 };

async function take(browser, theme, url, ready, name, act = async () => undefined) {
  const page = await openPage(browser, theme, size);
  await page.goto(url);
  await page.waitForFunction(ready);
  await act(page);
  await page.waitForTimeout(500);
  await page.screenshot({ path: to(name) });
  await page.context().close();
}

// A page of the original and ours on the same profile, for docs/web.md.
async function beside(browser) {
  const { match } = await start(process.env.PPROF_ORIGINAL, ['-http=localhost:', '-no_browser', GO_PROFILE], /Serving web UI on (http:\/\/\S+)/);
  const ours = await serve(GO_PROFILE);
  for (const name of ['flamegraph', 'top', 'graph', 'peek']) {
    const query = name === 'peek' ? '?f=scanObjectsSmall' : '';
    for (const [whose, base] of [['theirs', match[1]], ['ours', ours]]) {
      const page = await openPage(browser, 'light', { width: 860, height: 520 });
      await page.goto(`${base}/ui/${name}${query}`);
      await page.waitForTimeout(name === 'graph' ? 4000 : 1500);
      await page.screenshot({ path: join(ROOT, 'docs/pictures', `beside-${name}-${whose}.jpg`), type: 'jpeg', quality: 55 });
      await page.context().close();
    }
  }
}

await run(async () => {
  const { match } = await start(join(BUILD, 'examples/shop/shop'), ['-p', '0', '-a', '127.0.0.1:0', '-t', '90'], /profiles at http:\/\/(\S+?)\/debug[\s\S]*items at http:\/\/127\.0\.0\.1:(\d+)/);
  const load = spawn(join(BUILD, 'examples/shop/shop-load'), ['-p', match[2], '-t', '60', '-r', '3000'], { stdio: 'ignore' });
  const browser = await launch();
  const go = await serve(GO_PROFILE);
  const shop = await serve(`http://${match[1]}/debug/pprof/profile?seconds=5`);
  load.kill();
  const profiles = join(ROOT, 'tests/golden/real/profiles');
  const diff = await serve(`-diff_base=${join(profiles, 'go126.tsgo-7.0.0-dev.20260707-go1.26.4.cpu.pb.gz')}`, GO_PROFILE);
  const flame = () => globalThis.__ui?.chart.trees.down?.n > 10;
  await take(browser, 'light', `${go}/ui/flamegraph`, flame, 'flame', async (page) => {
    const at = await page.evaluate(() => globalThis.__ui.chart.boxOf(globalThis.__ui.find('runtime.gcBgMarkWorker')));
    await page.mouse.move(at.x + 30, at.y + 10);
  });
  await take(browser, 'dark', `${go}/ui/flamegraph?p=js_parser.Parse%24`, flame, 'sandwich');
  await take(browser, 'light', `${diff}/ui/flamegraph`, flame, 'difference');
  await take(browser, 'light', `${shop}/ui/graph`, () => document.querySelector('.graph-svg g.node'), 'graph');
  await take(browser, 'dark', `${shop}/ui/source?fn=%5Esha256_block%24`, () => document.querySelector('.line.hot'), 'source');
  await take(browser, 'light', `${go}/ui/top`, () => document.querySelector('.table-row[aria-rowindex="2"]'), 'top');
  if (process.env.PPROF_ORIGINAL) await beside(browser);
});
