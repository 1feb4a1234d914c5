// tests/web/profiles.mjs - profiles that no program would give us on demand: written here field by field.
// Room: profile.proto as far as the tests need it, and the odd profiles of tests/web/odd.mjs.
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

function varint(n) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(n));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}
const number = (field, n) => Buffer.from([...varint(field << 3), ...varint(n)]);
const bytes = (field, content) => Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(content.length)]), content]);
const message = (field, ...parts) => bytes(field, Buffer.concat(parts));
const packed = (field, list) => bytes(field, Buffer.from(list.flatMap(varint)));

// samples: {stack: [frame, ...] leaf first, values: [number, ...], labels: {key: text or number}}; a frame is a name, or
// {name, file, line, address}.
export function writeProfile(path, { types = [['samples', 'count']], samples = [], comments = [] }) {
  const strings = new Map([['', 0]]);
  const text = (s) => strings.get(s) ?? strings.set(s, strings.size).get(s);
  const functions = new Map();
  const locations = new Map();
  const out = types.map(([type, unit]) => message(1, number(1, text(type)), number(2, text(unit))));
  const known = (map, key, make) => {
    if (!map.has(key)) {
      map.set(key, map.size + 1);
      make(map.get(key));
    }
    return map.get(key);
  };
  const functionOf = (name, file) => known(functions, `${name}\0${file}`, (id) => out.push(message(5, number(1, id), number(2, text(name)), number(3, text(name)), number(4, text(file)))));
  const locationOf = (frame) => {
    const { name, file = '', line = 0, address = 0 } = typeof frame === 'string' ? { name: frame } : frame;
    return known(locations, `${name}\0${file}\0${line}`, (id) => {
      const at = functionOf(name, file);
      out.push(message(4, number(1, id), number(3, address || id), message(4, number(1, at), number(2, line))));
    });
  };
  for (const { stack, values, labels = {} } of samples) {
    const of = Object.entries(labels).map(([key, value]) => message(3, number(1, text(key)), typeof value === 'number' ? number(3, value) : number(2, text(value))));
    out.push(message(2, packed(1, stack.map(locationOf)), packed(2, values), ...of));
  }
  for (const comment of comments) out.push(number(13, text(comment)));
  const table = [...strings.keys()].map((s) => bytes(6, Buffer.from(s)));
  writeFileSync(path, gzipSync(Buffer.concat([...out, ...table])));
  return path;
}
