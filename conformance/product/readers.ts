/** What readers of `GET /v2/apps?embed=apps.tasks` take from it, and how they find endpoints; from their documentation and behaviour. */
export type ReadApp = {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly requirePorts: boolean;
  readonly networks: readonly { readonly mode: string; readonly name?: string }[];
  readonly portDefinitions?: readonly {
    readonly port: number;
    readonly labels?: Readonly<Record<string, string>>;
  }[];
  readonly container?: {
    readonly docker?: { readonly image: string };
    readonly portMappings?: readonly {
      readonly containerPort: number;
      readonly hostPort?: number;
      readonly servicePort: number;
      readonly labels: Readonly<Record<string, string>>;
    }[];
  };
  readonly tasks: readonly {
    readonly id: string;
    readonly host: string;
    readonly state: string;
    readonly ports: readonly number[];
    readonly ipAddresses: readonly { readonly ipAddress: string; readonly protocol: string }[];
    readonly healthCheckResults?: readonly { readonly alive: boolean }[];
  }[];
};

/** `address:port` of each port of each task, as Prometheus' discovery of Marathon gets to it. */
export function scrapeTargets(app: ReadApp): readonly string[] {
  const inside = app.networks[0]?.mode === 'container';
  const mapped = (app.container?.portMappings ?? []).map(({ containerPort, hostPort = 0 }) =>
    inside ? containerPort : hostPort,
  );
  const defined = (app.portDefinitions ?? []).map(({ port }) => (app.requirePorts ? port : 0));
  const ports = mapped.length > 0 ? mapped : defined;
  return app.tasks.flatMap((task) => {
    const all = ports.length > 0 ? ports : task.ports;
    // A zero means: look it up in the task, where the lists are of one length.
    const found = all.map((port, index) =>
      port === 0 && task.ports.length === all.length ? task.ports[index] : port,
    );
    const address = inside ? task.ipAddresses[0]?.ipAddress : task.host;
    return found.map((port) => `${address}:${port}`);
  });
}

/** Backends by service port, as a load balancer made from the list has them; a task that is not healthy is left out. */
export function backends(app: ReadApp, checked: boolean): ReadonlyMap<number, readonly string[]> {
  const inside = app.networks[0]?.mode === 'container';
  const mappings = app.container?.portMappings ?? [];
  const service =
    app.networks[0]?.mode === 'host'
      ? (app.portDefinitions ?? []).map(({ port }) => port)
      : mappings.map(({ servicePort }) => servicePort);
  const healthy = app.tasks.filter(
    ({ state, healthCheckResults = [] }) =>
      state === 'TASK_RUNNING' &&
      (!checked || (healthCheckResults.length > 0 && healthCheckResults.every(({ alive }) => alive))),
  );
  return new Map(
    service.map((port, index) => [
      port,
      healthy.map((task) =>
        inside
          ? `${task.ipAddresses[0]?.ipAddress}:${mappings[index]?.containerPort}`
          : `${task.host}:${task.ports[index]}`,
      ),
    ]),
  );
}
