// tests/web/harness.mjs - what every browser test stands on: a pprof serving a profile, a browser, and claims that are counted.
// Room: starting and ending things; what is claimed is in the tests. Everything listens on ports that the kernel chose, every
// wait is bounded, and a browser's folder is its own and new.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
export const BUILD = process.env.PPROF_BUILD ?? join(ROOT, 'build');
export const PPROF = join(BUILD, 'pprof');
export const SHOTS = join(BUILD, 'web-shots'); // screenshots, to be looked at
export const GO_PROFILE = join(ROOT, 'tests/golden/real/profiles/go126.esbuild-0.28.2-go1.26.5.cpu.pb.gz');
export const TEMP = mkdtempSync(join(tmpdir(), 'pprof-web-'));
const WAIT_MS = 20_000; // for anything on a machine that others load as well
mkdirSync(SHOTS, { recursive: true });

const require = createRequire(join(ROOT, 'ui/package.json'));
const { chromium } = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

let n_passed = 0;
let n_failed = 0;
const children = [];
const browsers = [];

export function check(claim, isSo, ...facts) {
  if (isSo) n_passed++;
  else {
    n_failed++;
    console.log(`FAILED: ${claim}`, ...facts);
  }
}

// Starts a program and waits for a line that matches; gives the match.
export function start(command, args, pattern, env = {}) {
  const child = spawn(command, args, { env: { ...process.env, XDG_CONFIG_HOME: join(TEMP, 'config'), PPROF_TMPDIR: TEMP, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return new Promise((done, fail) => {
    let text = '';
    const timer = setTimeout(() => fail(new Error(`${command} said nothing of ${pattern}: ${text}`)), WAIT_MS);
    const hear = (bytes) => {
      text += bytes;
      const match = pattern.exec(text);
      if (!match) return;
      clearTimeout(timer);
      done({ child, match });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', (code) => {
      clearTimeout(timer);
      fail(new Error(`${command} ended with ${code}: ${text}`));
    });
  });
}

// The address of a pprof that serves these sources.
export async function serve(...sources) {
  const { match } = await start(PPROF, ['-http=localhost:0', '-no_browser', ...sources], /Serving web UI on (http:\/\/\S+)/);
  return match[1];
}

export async function launch() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    timeout: 60_000,
  });
  browsers.push(browser);
  return browser;
}

// A page that counts what it must not do: ask other hosts, or throw.
export async function openPage(browser, theme = 'light', size = { width: 1440, height: 900 }) {
  const context = await browser.newContext({ viewport: size, colorScheme: theme, reducedMotion: 'reduce', acceptDownloads: true });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  page.foreign = [];
  page.errors = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (/^https?:$/.test(url.protocol) && !['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)) page.foreign.push(url.href);
  });
  page.on('pageerror', (error) => page.errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of [45]\d\d/.test(message.text())) page.errors.push(message.text());
  });
  return page;
}

export async function shot(page, name) {
  await page.screenshot({ path: join(SHOTS, `${name}.png`) });
}

// axe-core's violations, as sentences.
export async function axe(page) {
  await page.evaluate(axeSource);
  const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return result.violations.flatMap((v) => v.nodes.slice(0, 3).map((node) => `${v.id}: ${node.target.join(' ')}: ${node.failureSummary.replace(/\s+/g, ' ')}`));
}

export function close() {
  for (const child of children) child.removeAllListeners('exit').kill();
  rmSync(TEMP, { recursive: true, force: true });
}

// Runs a test's claims, ends all that was started, prints the count.
export async function run(test) {
  const watchdog = setTimeout(() => {
    console.log('FAILED: the test took longer than five minutes');
    n_failed++;
    void finish();
  }, 300_000);
  async function finish() {
    clearTimeout(watchdog);
    await Promise.race([Promise.all(browsers.map((browser) => browser.close())), new Promise((done) => setTimeout(done, 5000))]);
    close();
    console.log(`${n_passed} passed, ${n_failed} failed`);
    process.exit(n_failed ? 1 : 0);
  }
  try {
    await test();
  } catch (error) {
    n_failed++;
    console.log('FAILED:', error);
  }
  await finish();
}
