import type { Clock } from '../core/kit/clock.ts';
import { WeirError } from '../core/kit/errors.ts';
import type { AgentId } from '../core/model/ids.ts';
import type { AgentAnswer, AgentQuestion } from '../core/model/master-port.ts';

/** The agent that knows is not connected, or did not answer in time. */
export class AgentSilent extends WeirError {
  constructor(agent: AgentId, detail: string) {
    super('WEIR_AGENT_SILENT', `Cannot ask agent ${agent}: ${detail}`, {
      next: 'See `weir node list` for its state.',
    });
  }
}

/** The agent answered that it could not answer. */
export class AgentRefused extends WeirError {
  constructor(agent: AgentId, words: string) {
    super('WEIR_AGENT_REFUSED', `Agent ${agent} cannot answer: ${words}`);
  }
}

const patienceMs = 10_000;

type Ask = (id: string, question: AgentQuestion) => void;

/** Questions to agents over the streams they keep open, matched with their answers. */
export class Questions {
  readonly #clock: Clock;
  readonly #uuid: () => string;
  readonly #streams = new Map<AgentId, Ask>();
  readonly #waiting = new Map<string, (answer: AgentAnswer) => void>();

  constructor(clock: Clock, uuid: () => string) {
    this.#clock = clock;
    this.#uuid = uuid;
  }

  connect(agent: AgentId, ask: Ask): void {
    this.#streams.set(agent, ask);
  }

  disconnect(agent: AgentId, ask: Ask): void {
    if (this.#streams.get(agent) === ask) this.#streams.delete(agent);
  }

  /** The agent's answer. Throws AgentSilent, AgentRefused. */
  async ask(agent: AgentId, question: AgentQuestion): Promise<unknown> {
    const ask = this.#streams.get(agent);
    if (ask === undefined) throw new AgentSilent(agent, 'it is not connected');
    const id = this.#uuid();
    const timer = new AbortController();
    const answered = new Promise<AgentAnswer>((resolve) => this.#waiting.set(id, resolve));
    const late = this.#clock.sleep(patienceMs, timer.signal).then(
      () => undefined,
      () => undefined,
    );
    ask(id, question);
    const answer = await Promise.race([answered, late]);
    timer.abort();
    this.#waiting.delete(id);
    if (answer === undefined) throw new AgentSilent(agent, `no answer within ${patienceMs / 1000} s`);
    if ('error' in answer) throw new AgentRefused(agent, answer.error);
    return answer.value;
  }

  /** Late and unknown answers are dropped. */
  answered(id: string, answer: AgentAnswer): void {
    this.#waiting.get(id)?.(answer);
  }
}
