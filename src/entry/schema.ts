// linecheck schema: the JSON Schema of a file format, for editors and for programs that read reports.
import { Argument, Option } from 'commander';
import type { Command } from 'commander';
import type { Done } from './commands.js';
import type { Setting } from './cli.js';
import { print } from './terminal.js';

const LOAD: Readonly<Record<string, () => Promise<unknown>>> = {
  profile: async () => (await import('../plan/profile.js')).profileJsonSchema(),
  site: async () => (await import('../plan/site.js')).siteJsonSchema(),
  report: async () => (await import('../report/schema.js')).reportJsonSchema(),
  event: async () => (await import('../report/schema.js')).runEventJsonSchema(),
};

export function schema(program: Command, _setting: Setting, done: Done): void {
  program
    .command('schema')
    .description('print the JSON Schema of a profile, a site file, a report, or a run event')
    .addArgument(new Argument('<what>', 'the format').choices(Object.keys(LOAD)))
    .addOption(new Option('--format <name>', 'a schema is JSON').choices(['json']).default('json'))
    .addHelpText(
      'after',
      `
Examples:
  linecheck schema site > site.schema.json
  linecheck schema report > report.schema.json

In a site file, for an editor that knows YAML schemas:
  # yaml-language-server: $schema=./site.schema.json`,
    )
    .action(async (what: string) => {
      await print(`${JSON.stringify(await LOAD[what]?.(), null, 2)}\n`);
      done(0);
    });
}
