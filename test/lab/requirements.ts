// What a test needs of this machine beyond Node, and what happens where it is not there: one policy for all tests.
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'vitest';
import { mayUnshare, withSystemPath } from './place.js';

/**
 * Ends the test here when there is a reason why it cannot run: as skipped, with that reason, and where CI=true as
 * failed, because a skip must never look green.
 */
export function skipFor(ctx: Pick<TestContext, 'skip'>, reason: string | undefined): void {
  if (reason === undefined) return;
  if (process.env['CI'] === 'true') throw new Error(`cannot run here, and CI skips nothing: ${reason}`);
  ctx.skip(reason);
}

/** The test needs the lab: network namespaces and a packet filter. */
export function requireLab(ctx: Pick<TestContext, 'skip'>): void {
  skipFor(ctx, labReason());
}

/** The test needs a real server, or another program. `requireServer(ctx, 'sshd', 'openssh-server')`. */
export function requireServer(ctx: Pick<TestContext, 'skip'>, binary: string, debianPackage: string): void {
  skipFor(ctx, serverReason(binary, debianPackage));
}

/** Why the lab cannot run here and what would help; undefined where it can. */
export function labReason(): string | undefined {
  known ??= { reason: findLabReason() };
  return known.reason;
}
let known: { readonly reason: string | undefined } | undefined;

function findLabReason(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root: sudo npm test';
  const missing = ['ip', 'nft', 'unshare', 'nsenter', 'setpriv'].find((binary) => !isInstalled(binary));
  if (missing !== undefined) return `${missing} is not installed: npm run lab:install`;
  if (!mayUnshare()) return 'no right to make namespaces: in a container, docker run --privileged';
  const nft = spawnSync('unshare', ['--net', 'nft', 'list', 'ruleset'], { env: withSystemPath(), encoding: 'utf8' });
  if (nft.status !== 0) return `nft does not work here: ${nft.stderr.trim()}; the kernel needs nf_tables`;
  return undefined;
}

/** Why this server cannot run here and what would help; undefined where it can. */
export function serverReason(binary: string, debianPackage: string): string | undefined {
  if (process.platform !== 'linux') return `the tests run ${binary} on Linux only`;
  if (!isInstalled(binary)) {
    return `${binary} is not installed: npm run lab:install (or apt-get install ${debianPackage})`;
  }
  if (process.getuid?.() === 0 && !mayUnshare()) {
    return `${binary} as root needs a mount namespace of its own: in a container, docker run --privileged`;
  }
  return undefined;
}

function isInstalled(binary: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', binary], { env: withSystemPath() }).status === 0;
}
