// Why a flow of a profile has no check, in the words that plans and reports show.
import type { Flow, Profile } from './profile.js';
import type { Skipped, SkipReason } from '../contract/flow.js';

/** A flow, or what stands for it, left out for a reason. */
export function skip(profile: Profile['id'], { id, title }: Pick<Flow, 'id' | 'title'>, reason: SkipReason): Skipped {
  return { profile, flow: id, title, reason, why: skipWords(reason) };
}

/** A clause without a full stop: ``feature `ldap` is off``. */
export function skipWords(reason: SkipReason): string {
  switch (reason.kind) {
    case 'feature-off':
      return `feature \`${reason.feature}\` is off`;
    case 'unless':
      return `feature \`${reason.feature}\` is on and takes its place`;
    case 'role-none':
      return `role \`${reason.role}\` is \`none\``;
    case 'elsewhere':
      return `neither from nor to here: it runs between ${both(reason.roles.map((role) => `\`${role}\``))}`;
    case 'no-route-for-family':
      return `this machine has no IPv${reason.family} route to ${reason.address}`;
    case 'deselected':
      return 'left out by the selection on the command line';
  }
}

function both(roles: readonly string[]): string {
  return roles.length < 2 ? roles.join('') : `${roles.slice(0, -1).join(', ')} and ${roles.at(-1) ?? ''}`;
}
