/* follow.js METADATA_DIR METADATA_URL TARGET_DIR TARGET_URL NAME: tuf-js follows a repository whose root.json is in METADATA_DIR, and downloads a target.
 *
 * Prints where it is, or `none` when nobody vouches for it; what is wrong goes to standard error, with exit code 1. */
const { Updater } = require('tuf-js');

async function main([metadataDir, metadataBaseUrl, targetDir, targetBaseUrl, name]) {
  const updater = new Updater({ metadataDir, metadataBaseUrl, targetDir, targetBaseUrl });
  await updater.refresh();
  const target = await updater.getTargetInfo(name);
  console.log(target ? await updater.downloadTarget(target) : 'none');
}

main(process.argv.slice(2)).catch((error) => {
  console.error(String(error.stack));
  process.exit(1);
});
