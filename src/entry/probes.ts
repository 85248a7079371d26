// linecheck probes: which probes there are, and what one of them sends and proves.
import type { Command } from 'commander';
import process from 'node:process';
import type { Probe } from '../contract/probe.js';
import type { ProbeCarrier } from '../report/probes.js';
import type { Done } from './commands.js';
import type { Setting } from './cli.js';
import { UsageError } from './fail.js';
import { addFormat } from './format.js';
import { loadProbes } from './selection.js';
import { print, styleOf } from './terminal.js';

export function probes(program: Command, _setting: Setting, done: Done): void {
  const command = program
    .command('probes')
    .description('list the probes, or tell all about one')
    .argument('[name]', 'the probe to tell about');
  addFormat(command)
    .addHelpText(
      'after',
      `
Examples:
  linecheck probes
  linecheck probes tls`,
    )
    .action(async (name: string | undefined, { format }: { readonly format: 'text' | 'json' }) => {
      const registry = (await import('../../probes/index.js')).probes;
      const names = Object.keys(registry);
      if (name !== undefined && !names.includes(name)) {
        const { unknownName } = await import('../plan/words.js');
        throw new UsageError(unknownName('probe', { value: name }, names));
      }
      const loaded = [...(await loadProbes(name === undefined ? names : [name])).values()];
      const { jsonSchemaOf } = await import('../plan/issues.js');
      const style = styleOf(process.stdout);
      const { probeList, probePage } = await import('../report/probes.js');
      const [only] = loaded;
      if (format === 'json') {
        const described = loaded.map((probe) => ({
          name: probe.name,
          summary: probe.summary,
          defaultPort: probe.defaultPort,
          carriers: carriersOf(probe),
          options: jsonSchemaOf(probe.options),
        }));
        await print(`${JSON.stringify(name === undefined ? described : described[0], null, 2)}\n`);
      } else if (name === undefined || only === undefined) await print(probeList(loaded, style));
      else await print(probePage(only, carriersOf(only), jsonSchemaOf(only.options), style));
      done(0);
    });
}

/** What it does on each carrier with no option set; the options say how that changes. */
function carriersOf(probe: Probe): readonly ProbeCarrier[] {
  return probe.carriers.map((carrier) => ({ carrier, traits: probe.bind(carrier, {}).traits }));
}
