// What nmap says of the cells: one scan for each family, of every port of the table on every address. As root.
import { FAMILIES, type Family } from '../lab/behaviours.js';
import { cells, placeIn } from './cells.js';
import { flows } from './flows.js';
import type { Network } from './network.js';

/** `open (syn-ack) ssh OpenSSH 9.2`, by behaviour, flow and family. */
export async function scanned({ lab }: Network): Promise<ReadonlyMap<string, string>> {
  const ports = ['tcp', 'udp'].map((transport) => {
    const own = flows.filter((flow) => flow.transport === transport).map(({ port }) => port);
    return `${transport === 'tcp' ? 'T' : 'U'}:${own.join(',')}`;
  });
  const found = new Map<string, string>();
  const scan = async (family: Family): Promise<void> => {
    const here = cells.filter((cell) => cell.tier === 3 && cell.family === family);
    const addresses = [...new Set(here.map(({ target }) => target.address))];
    // All hosts at once, and no more patience than linecheck has: each is asked nine ports of which few answer.
    const pace = ['-T4', '--min-hostgroup', '64', '--max-retries', '2'];
    const words = ['-sS', '-sU', '-sV', '--reason', '-Pn', '-n', ...pace, '-oX', '-', '-p', ports.join(',')];
    const argv = ['nmap', ...(family === 6 ? ['-6'] : []), ...words, '-iL', '-'];
    const { stdout, stderr, exitCode } = await lab.exec('tech', argv, { input: addresses.join('\n') });
    if (exitCode !== 0) throw new Error(`nmap: ${stderr}`);
    const states = new Map<string, string>();
    for (const host of stdout.split('</host>')) {
      const address = /<address addr="([^"]+)"/.exec(host)?.[1] ?? '';
      for (const [, transport = '', port = '', rest = ''] of host.matchAll(
        /<port protocol="(\w+)" portid="(\d+)">(.*?)<\/port>/gs,
      )) {
        const word = (name: string): string | undefined => new RegExp(` ${name}="([^"]*)"`).exec(rest)?.[1];
        const service = [word('name'), word('product')].filter((part) => part !== undefined).join(' ');
        states.set(`${address} ${transport} ${port}`, `${word('state') ?? ''} (${word('reason') ?? ''}) ${service}`);
      }
    }
    for (const cell of here) {
      const { transport, port } = cell.flow;
      found.set(placeIn(cell), states.get(`${cell.target.address} ${transport} ${port}`) ?? 'not asked');
    }
  };
  await Promise.all(FAMILIES.map(scan));
  return found;
}
