import type { AccessLog } from '../../edge/telemetry/access-log.ts';
import { Latencies } from './latencies.ts';
import { isOfItself, type RecordNames, recordOf } from './record.ts';

export type RecordsParts = Omit<RecordNames, 'routeOf'> & {
  readonly log: AccessLog;
  /** Which routes the backends of the present layout carry out, or did last. */
  readonly routes: RoutesByBackend;
};

export type RoutesByBackend = {
  routeOf(backend: string): string | undefined;
  all(): ReadonlyMap<string, string>;
};

/** Everything that HAProxies say of what is over: into the access log, and counted by how long it took. */
export class Records {
  readonly latencies = new Latencies();
  readonly #parts: RecordsParts;
  #replaced = () => {};
  #unread = 0;

  constructor(parts: RecordsParts) {
    this.#parts = parts;
  }

  /** Lines that are in no log. */
  get lost(): number {
    return this.#unread + this.#parts.log.lost;
  }

  flush(): Promise<void> {
    return this.#parts.log.flush();
  }

  /**
   * Takes the lines of a process that is to start now. Backends may carry out other routes afterwards: for the process before it they go
   * on meaning what they do now.
   */
  ofNext(): (line: string) => void {
    this.#replaced();
    let routes: ReadonlyMap<string, string> | undefined;
    this.#replaced = () => {
      routes = this.#parts.routes.all();
    };
    const routeOf = (backend: string) =>
      routes === undefined ? this.#parts.routes.routeOf(backend) : routes.get(backend);
    return (line) => this.#take(line, routeOf);
  }

  #take(line: string, routeOf: RecordNames['routeOf']): void {
    if (isOfItself(line)) return;
    const record = recordOf(line, { ...this.#parts, routeOf });
    if (record === undefined) {
      this.#unread++;
      return;
    }
    const { route, endpoint, status, totalMs } = record;
    if (status !== undefined && route !== undefined && endpoint !== undefined)
      this.latencies.took(route, endpoint, totalMs);
    this.#parts.log.add(record);
  }
}
