#!/usr/bin/env node
// Starts what was built, tells it where it stands, and catches a crash. Nothing else.
import process from 'node:process';

const CRASHED = 4;

/** @param {unknown} error */
function crash(error) {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`linecheck crashed; this is a fault of linecheck, not of the network.\n${detail}\n`);
  process.exit(CRASHED);
}

process.on('uncaughtException', crash);
try {
  const { main } = await import('../dist/src/entry/cli.js');
  process.exitCode = await main(new URL('..', import.meta.url), process.argv.slice(2));
} catch (error) {
  crash(error);
}
