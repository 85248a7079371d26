// Counts the tests in vitest's JSON report, whose path it takes, and names those that did not run. Exit code 1 when
// there are such, or when nothing ran at all.
import { readFileSync } from 'node:fs';

const [, , path = ''] = process.argv;
const text = readFileSync(path, 'utf8');
if (text === '') {
  console.log('no tests ran');
  process.exit(1);
}

const tests = JSON.parse(text).testResults.flatMap((file) => file.assertionResults);
const passed = tests.filter(({ status }) => status === 'passed');
const failed = tests.filter(({ status }) => status === 'failed');
const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
for (const { fullName } of skipped) console.log(`skipped, which counts as a failure here: ${fullName}`);
console.log(`${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`);
if (skipped.length > 0 || passed.length === 0) process.exitCode = 1;
