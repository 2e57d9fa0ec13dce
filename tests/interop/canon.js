/* canon.js make COUNT | canon.js check: random documents, a line each; and what @tufjs/canonical-json makes of such lines, as SHA-256.
 *
 * Keys are not of both sides of the surrogates: JavaScript sorts by UTF-16 units, the canonical form by code points. */
const { createHash } = require('crypto');
const { readFileSync } = require('fs');
const { canonicalize } = require('@tufjs/canonical-json');

let state = 20260719;

function random(below) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 4294967296) * below);
}

const LETTERS = ['"', '\\', '/', '\n', '\t', '\u0001', '\u007f', '\u0080', 'ä', 'é', 'e\u0301', '€', '\ud7ff', '𝄞', '\u{10ffff}', ' ', 'a', 'B', '0', '.', '_', '{', ','];
const KEYS = LETTERS.filter((letter) => letter < '\ud800');

function text(letters) {
  return Array.from({ length: random(12) }, () => letters[random(letters.length)]).join('');
}

function value(depth) {
  const kind = random(depth ? 8 : 6);
  if (kind === 0) return null;
  if (kind === 1) return random(2) === 1;
  if (kind === 2) return random(2) ? random(1000) - 500 : (random(2) ? 1 : -1) * (random(1 << 20) * 2 ** 33 + random(1 << 30));
  if (kind < 6) return text(LETTERS);
  if (kind === 6) return Array.from({ length: random(6) }, () => value(depth - 1));
  return Object.fromEntries(Array.from({ length: random(8) }, () => [text(KEYS), value(depth - 1)]));
}

/* As others write it: with spaces and escapes that the canonical form has not. */
function written(document) {
  const json = JSON.stringify(document, null, random(3) ? 0 : 1).replace(/\n */g, ' ');
  return random(2) ? json : json.replace(/[^\x00-\x7f]/g, (unit) => '\\u' + unit.charCodeAt(0).toString(16).padStart(4, '0'));
}

function main([what, count]) {
  if (what === 'make') {
    for (let i = 0; i < Number(count); i++) console.log(written({ document: value(5) }));
    return;
  }
  for (const line of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
    console.log(createHash('sha256').update(canonicalize(JSON.parse(line)), 'utf8').digest('hex'));
  }
}

main(process.argv.slice(2));
