/** Absolute path of an app, `/shop/web`. Segments are lower-case DNS labels joined by dots (Marathon §10.2). */
export type AppId = string;
/** `shop_web.instance-<uuid>`; stable over attempts (Marathon §17.2, 1.8+ family). */
export type InstanceId = string;
/** `shop_web.instance-<uuid>._app.<attempt>`; of a pod with the container's name for `_app`. */
export type TaskId = string;
export type AgentId = string;
/** ISO-8601 UTC with milliseconds; unique per change of the root. */
export type Version = string;

/** Path segments joined by `_`; reversible because `_` is not allowed in ids. */
export function safeId(app: AppId): string {
  return app.slice(1).replaceAll('/', '_');
}

export function instanceId(app: AppId, uuid: string): InstanceId {
  return `${safeId(app)}.instance-${uuid}`;
}

export function taskId(instance: InstanceId, attempt: number): TaskId {
  return `${instance}._app.${attempt}`;
}

const taskPattern = /^(.+\.instance-[^_.]+)\.(?:_app\.\d+|[a-z0-9][-a-z0-9]*(?:\.\d+)?)$/;
const instancePattern = /^(.+)\.(?:instance-|marathon-)([^.]+)$/;

/** The instance that a task id or an instance id names, or undefined when it has neither form. */
export function instanceOfTask(id: string): InstanceId | undefined {
  const task = taskPattern.exec(id);
  if (task !== null) return task[1];
  return instancePattern.test(id) ? id : undefined;
}

const oldTaskPatterns = [/^(.+)[._]([^_.]+)\.\d+$/, /^(.+)[._]([^_.]+)$/];

/** The same for ids of Marathons before 1.8, which clients may have kept: `shop_web.<uuid>`, perhaps with an attempt. */
export function instanceOfOldTask(id: string): InstanceId | undefined {
  const pattern = oldTaskPatterns.find((each) => each.test(id));
  const [, app, uuid] = pattern?.exec(id) ?? [];
  return app === undefined ? undefined : `${app}.marathon-${uuid}`;
}

/** The app an instance belongs to, or undefined when the text is no instance id. */
export function appOfInstance(id: InstanceId): AppId | undefined {
  const match = instancePattern.exec(id);
  return match === null ? undefined : `/${match[1]!.replaceAll('_', '/')}`;
}

/** Task name as Mesos consumers see it: the path reversed, joined with dots (`/shop/web` → `web.shop`). */
export function discoveryName(app: AppId): string {
  return app.slice(1).split('/').reverse().join('.');
}

/** Segments from the root: `/shop/web` → ['shop', 'web']; `/` → []. */
export function segments(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '');
}
