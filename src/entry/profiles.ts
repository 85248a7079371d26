// linecheck profiles: which products it knows, and what one of them requires of the network.
import type { Command } from 'commander';
import process from 'node:process';
import type { Done } from './commands.js';
import type { Setting } from './cli.js';
import { ownProfiles } from './files.js';
import { addFormat } from './format.js';
import { loadProfile, orFail } from './selection.js';
import { print, styleOf } from './terminal.js';

export function profiles(program: Command, setting: Setting, done: Done): void {
  const command = program
    .command('profiles')
    .description('list the products, or show what one requires of the network')
    .argument('[id]', 'the profile to show: its id, or a file of your own');
  addFormat(command)
    .addHelpText(
      'after',
      `
Examples:
  linecheck profiles
  linecheck profiles kvmnet-access-management
  linecheck profiles ./my-product.yaml
  linecheck profiles kvmnet-access-management --format json`,
    )
    .action(async (id: string | undefined, { format }: { readonly format: 'text' | 'json' }) => {
      const ids = id === undefined ? ownProfiles(setting.root) : [id];
      const loaded = await Promise.all(ids.map(async (one) => orFail(await loadProfile(setting, { value: one }))));
      const written = loaded.map((profile) => profile.written);
      const style = styleOf(process.stdout);
      const { profileList, profilePage } = await import('../report/profiles.js');
      const [only] = loaded;
      if (format === 'json') await print(`${JSON.stringify(id === undefined ? written : only?.written, null, 2)}\n`);
      else await print(id === undefined || only === undefined ? profileList(loaded, style) : profilePage(only, style));
      done(0);
    });
}
