import type { Lab } from '../../conformance/lab/lab.ts';
import { errorText } from '../../core/kit/errors.ts';
import type { NodeInfo } from '../master/answers.ts';
import { masterUrl, weirCommand } from './place.ts';

export type Nodes =
  | { readonly known: true; readonly nodes: readonly NodeInfo[] }
  | { readonly known: false; readonly reason: string };

/** What the lab's master says of its machines, asked from its own host. */
export async function labNodes(lab: Lab): Promise<Nodes> {
  const [first] = lab.hosts;
  const argv = weirCommand('--master', masterUrl(first!), 'node', 'list', '--json');
  const result = await lab.exec(first!.name, argv, { timeoutMs: 15_000 }).catch(errorText);
  if (typeof result === 'string') return { known: false, reason: result };
  if (result.exitCode !== 0) return { known: false, reason: result.stderr.split('\n')[0] ?? 'no answer' };
  const { nodes } = JSON.parse(result.stdout) as { nodes: readonly NodeInfo[] };
  return { known: true, nodes };
}
