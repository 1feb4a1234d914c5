// ui/tables.mjs - the tables of the C side as types: what may be asked, by which keys.
// Room: reading options.def, commands.def and routes.def; writing ui/generated/tables.ts, only when it changes.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const TABLES = ['driver/options.def', 'driver/commands.def', 'web/routes.def'];

// The groups of every line of a table that matches.
const rows = (text, pattern) => [...text.matchAll(pattern)].map((match) => match.slice(1));

const union = (name, says, words) => `// ${says}\nexport type ${name} =\n  ${[...new Set(words)].sort().map((w) => `| '${w}'`).join('\n  ')};\n`;

export function tableFiles(src) {
  return TABLES.map((table) => join(src, table));
}

export function writeTables(src, to) {
  const [options, commands, routes] = tableFiles(src).map((file) => readFileSync(file, 'utf8'));
  const named = rows(options, /^OPTION\(\w+, \w+, (\w+), [^,]*, "(\w*)"/gm);
  const calls = rows(routes, /^ROUTE\(\w+, "\/api\/(\w+)"/gm).map(([call]) => call);
  const text = [
    '// generated/tables.ts - made by ui/tables.mjs from the tables of src/.\n',
    union('OptionName', 'Options of a report (options.def).', named.map(([name]) => name)),
    union('OptionKey', 'Their keys in a URL.', named.map(([, key]) => key).filter(Boolean)),
    union('CommandName', 'Reports by name (commands.def).', rows(commands, /^COMMAND\((\w+),/gm).map(([name]) => name)),
    union('Call', 'What stands behind /api/ (routes.def).', calls),
  ].join('\n');
  if (!calls.length || !named.length) throw new Error('the tables of src/ do not read as they did: see ui/tables.mjs');
  mkdirSync(dirname(to), { recursive: true });
  if (!existsSync(to) || readFileSync(to, 'utf8') !== text) writeFileSync(to, text);
}
