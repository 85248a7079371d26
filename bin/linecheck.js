#!/usr/bin/env node
// Starts what was built, tells it where it stands, and catches a crash. Nothing else.
const { resolve } = require('node:path');
const { pathToFileURL } = require('node:url');

const CRASHED = 4;

// The system's resolver runs in libuv's thread pool, on half of its threads at most: 200 names of 50 ms take 5 s with the
// default 4 threads and 0.4 s with 64. The pool is made before the first ES module runs, so this file is CommonJS.
process.env['UV_THREADPOOL_SIZE'] ??= '64';

/**
 * A crash, or a copy of linecheck with a part missing, which is not the same to whoever must mend it.
 * @param {unknown} error
 */
function crash(error) {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const missing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
  process.stderr.write(
    missing
      ? `linecheck is not complete: it was not built, or its dependencies are not there.\n${error.message}\nRun: npm ci   (in ${resolve(__dirname, '..')})\n`
      : `linecheck crashed; this is a fault of linecheck, not of the network.\n${detail}\n`,
  );
  process.exit(CRASHED);
}

process.on('uncaughtException', crash);
/** @type {string} */
const entry = '../dist/src/entry/cli.js';
import(entry)
  .then(({ main }) => main(pathToFileURL(`${__dirname}/../`), process.argv.slice(2)))
  .then((exitCode) => {
    process.exitCode = exitCode;
  }, crash);
