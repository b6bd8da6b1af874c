import type { Action, Link, Route } from './kernel.ts';
import { outputOf, type Tools } from './tools.ts';

/** A line of a batch, and the program that reads it. */
type Line = { readonly tool: 'ip' | 'bridge'; readonly text: string };

/**
 * Carries the actions out in their order, in as few runs of a program as the order allows. One that fails does not keep the others
 * of its run from being tried.
 * @throws ToolFailed with the kernel's words
 */
export async function perform(tools: Tools, actions: readonly Action[]): Promise<void> {
  for (const { tool, texts } of runsOf(actions.map(lineOf))) {
    await outputOf(tools, [tool, '-force', '-batch', '-'], { input: `${texts.join('\n')}\n` });
  }
}

/** An action as the command that carries it out; also its description for people. */
export function describe(action: Action): string {
  const { tool, text } = lineOf(action);
  return `${tool} ${text}`;
}

function runsOf(
  lines: readonly Line[],
): readonly { readonly tool: Line['tool']; readonly texts: readonly string[] }[] {
  const runs: { tool: Line['tool']; texts: string[] }[] = [];
  for (const { tool, text } of lines) {
    const last = runs.at(-1);
    if (last?.tool === tool) last.texts.push(text);
    else runs.push({ tool, texts: [text] });
  }
  return runs;
}

function lineOf(action: Action): Line {
  switch (action.kind) {
    case 'add-link':
      return ip(addLink(action.link));
    case 'delete-link':
      return ip(`link delete dev ${action.link.name}`);
    case 'set-link': {
      const { name, mac, mtu, up } = action;
      const parts = [mac && `address ${mac}`, mtu && `mtu ${mtu}`, up && 'up'].filter(Boolean);
      return ip(`link set dev ${name} ${parts.join(' ')}`);
    }
    case 'add-address':
      return ip(`address replace ${action.address.address} dev ${action.address.device}`);
    case 'delete-address':
      return ip(`address delete ${action.address.address} dev ${action.address.device}`);
    case 'set-route':
      return ip(`route replace ${routeText(action.route)}`);
    case 'delete-route':
      return ip(`route delete ${routeText(action.route)}`);
    case 'set-neighbour': {
      const { device, address, mac } = action.neighbour;
      return ip(`neighbour replace ${address} lladdr ${mac} dev ${device} nud permanent`);
    }
    case 'delete-neighbour':
      return ip(`neighbour delete ${action.neighbour.address} dev ${action.neighbour.device}`);
    case 'set-forwarding':
    case 'delete-forwarding': {
      const { device, mac, to } = action.forwarding;
      const verb = action.kind === 'set-forwarding' ? 'replace' : 'delete';
      const state = action.kind === 'set-forwarding' ? ' permanent' : '';
      return { tool: 'bridge', text: `fdb ${verb} ${mac} dev ${device} dst ${to} self${state}` };
    }
  }
}

function addLink({ name, kind, mac, mtu, tunnel }: Link): string {
  const start = `link add name ${name} address ${mac} mtu ${mtu} type ${kind}`;
  if (tunnel === undefined) return start;
  const { vni, port, local, device, learning } = tunnel;
  const learn = learning ? 'learning' : 'nolearning';
  // Checksums let the receiving side merge segments, which costs less than leaving them out saves.
  return `${start} id ${vni} dstport ${port} local ${local} dev ${device} ${learn} udpcsum`;
}

function routeText({ to, kind, via, device, source, onlink, protocol }: Route): string {
  return [
    kind === 'unreachable' ? 'unreachable' : '',
    to,
    via === undefined ? '' : `via ${via}`,
    device === undefined ? '' : `dev ${device}`,
    source === undefined ? '' : `src ${source}`,
    onlink ? 'onlink' : '',
    `proto ${protocol}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function ip(text: string): Line {
  return { tool: 'ip', text };
}
