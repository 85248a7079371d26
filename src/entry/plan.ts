// linecheck plan: what a check would send, to whom, how much. It sends nothing, not even a DNS query.
import type { Command } from 'commander';
import process from 'node:process';
import type { Done } from './commands.js';
import type { Setting } from './cli.js';
import { addFormat } from './format.js';
import { addSelection, loadPlan, warn } from './selection.js';
import type { SelectionFlags } from './selection.js';
import { print, styleOf } from './terminal.js';

export function plan(program: Command, setting: Setting, done: Done): void {
  const command = addSelection(program.command('plan').description('what a check would send; sends nothing itself'));
  addFormat(command)
    .addHelpText(
      'after',
      `
Examples:
  linecheck plan site.yaml
  linecheck plan --profile kvmnet-access-management --as manager \\
    --host device=192.0.2.11
  linecheck plan site.yaml --feature ldap --flow '*ldap*' --format json`,
    )
    .action(async (site: string | undefined, flags: SelectionFlags & { readonly format: 'text' | 'json' }) => {
      const loaded = await loadPlan(setting, site, flags);
      await warn(loaded.warnings);
      const { planJson, planTable } = await import('../report/plan.js');
      await print(flags.format === 'json' ? planJson(loaded.plan) : planTable(loaded.plan, styleOf(process.stdout)));
      done(0);
    });
}
