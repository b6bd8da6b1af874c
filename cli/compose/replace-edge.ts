import { errorText } from '../../core/kit/errors.ts';
import type { Log } from '../../core/kit/log.ts';
import type { ComposedAgent } from './agent.ts';

/** SIGUSR2: the edge's processes are replaced by new ones, of what is installed now. */
export function onReplaceEdge(agent: Pick<ComposedAgent, 'replaceEdge'>, log: Log): void {
  process.on('SIGUSR2', () => {
    agent.replaceEdge?.().then(
      () => log.info('edge: new processes have taken over'),
      (error: unknown) => log.error('edge: its processes stay', { error: errorText(error) }),
    );
  });
}
