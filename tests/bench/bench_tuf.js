/* bench_tuf.js FOLDER ROUNDS: tuf-js refreshes and finds nothing new; the repository is in memory, what it trusts in FOLDER. One JSON object. */
const { readFileSync } = require('fs');
const { join } = require('path');
const { Updater, BaseFetcher } = require('tuf-js');
const { DownloadHTTPError } = require('tuf-js/dist/error');
const { Readable } = require('stream');

class Memory extends BaseFetcher {
  constructor(folder) {
    super();
    this.timestamp = readFileSync(join(folder, 'timestamp.json'));
  }

  async fetch(url) {
    if (url.endsWith('timestamp.json')) return Readable.toWeb(Readable.from([this.timestamp]));
    throw new DownloadHTTPError('not found', 404);
  }
}

async function main([folder, rounds]) {
  const fetcher = new Memory(folder);
  const refresh = () => new Updater({ metadataDir: folder, metadataBaseUrl: 'http://memory', fetcher, config: { fetchRetries: 0, fetchRetry: 0 } }).refresh();
  for (let i = 0; i < 20; i++) await refresh();
  const before = process.cpuUsage();
  for (let i = 0; i < Number(rounds); i++) await refresh();
  const used = process.cpuUsage(before);
  console.log(JSON.stringify({ cpu_us: (used.user + used.system) / Number(rounds) }));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(String(error.stack));
  process.exit(1);
});
