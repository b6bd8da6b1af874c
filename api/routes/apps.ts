import type { FastifyInstance, FastifyReply } from 'fastify';
import type { App } from '../../core/model/app.ts';
import type { AppTexts } from '../app-texts.ts';
import {
  type Accepted,
  type AppChanges,
  type ApplyOptions,
  acceptedHeaders,
  required,
} from '../change-apps.ts';
import type { ApiDependencies, ApiOptions, Root } from '../dependencies.ts';
import { appAt, appsIn } from '../kinds.ts';
import { labelSelector } from '../label-selector.ts';
import { enclosed, sendPieces } from '../long-answer.ts';
import { absoluteId } from '../marathon/app-id.ts';
import { parseApp, parseUpdate } from '../marathon/parse-app.ts';
import { renderApp, renderDefinition } from '../marathon/render-app.ts';
import { isObject } from '../marathon/schema.ts';
import { NotFound, Problem } from '../problem.ts';
import { appInfo, type Embed, embedsFrom } from '../views.ts';
import { appPath } from './app-path.ts';
import { appTaskRoutes } from './app-tasks.ts';
import { isTrue } from './query.ts';

type Query = Readonly<Record<string, string | string[] | undefined>>;
type Many = { Querystring: Query; Body: unknown };
/** What of a request counts for a change of apps. */
type Request = { readonly body: unknown; readonly query: Query; readonly ip: string; readonly url: string };
type AtApp = { Params: { '*': string }; Querystring: Query; Body: unknown };

/** Marathon §3. Ids contain slashes, so the last words of the path say what of an app is meant. */
export function appRoutes(
  server: FastifyInstance,
  dependencies: ApiDependencies,
  { changes, texts, options }: { changes: AppChanges; texts: AppTexts; options: ApiOptions },
): void {
  const { database, clock } = dependencies;
  const tasks = appTaskRoutes(dependencies, changes);
  const base = `http://${options.host}:${options.port}/v2/apps`;

  server.get<{ Querystring: Query }>('/v2/apps', async (request, reply) => {
    const holds = appFilter(request.query);
    const embeds = embedsFrom(request.query['embed'], ['counts', 'deployments']);
    const apps = appsIn(database.snapshot.table('apps')).filter(holds);
    return sendPieces(
      reply,
      enclosed('{"apps":', texts.list(database.snapshot, apps, { embeds, now: clock.now() }), '}'),
    );
  });

  server.post<{ Querystring: Query; Body: unknown }>('/v2/apps', async (request, reply) => {
    const draft = required(parseApp(request.body));
    const accepted = await changes.apply(
      (root, version) => {
        if (appAt(root, draft.id) !== undefined)
          throw new Problem(409, { message: `An app with id [${draft.id}] already exists.` });
        return changes.put(root, [draft], version);
      },
      applyOptions(request, [draft.id]),
    );
    const app = database.snapshot.table('apps').get(draft.id);
    if (app === undefined) throw new NotFound(`App '${draft.id}' does not exist`);
    return created(reply, accepted, `${base}${app.id}`).send(createdInfo(app, accepted));
  });

  server.put<Many>('/v2/apps', async (request, reply) => changeMany(request, reply, { mustExist: false }));
  server.patch<Many>('/v2/apps', async (request, reply) => changeMany(request, reply, { mustExist: true }));

  server.get<AtApp>('/v2/apps/*', async (request, reply) => {
    const path = appPath(request.params['*']);
    if (path.kind === 'tasks') return tasks.list(path.id, request, reply);
    if (path.kind === 'versions') return versions(path.id);
    if (path.kind === 'version') return renderApp(changes.version(path.id, path.version));
    if (path.kind !== 'app') throw new Problem(405, { message: 'Method Not Allowed' });
    if (path.id.endsWith('/*'))
      return { '*': below(path.id.slice(0, -2), embedsFrom(request.query['embed'], appEmbeds)) };
    return {
      app: appInfo(database.snapshot, existing(path.id), {
        embeds: embedsFrom(request.query['embed'], appEmbeds),
        now: clock.now(),
      }),
    };
  });

  server.put<AtApp>('/v2/apps/*', async (request, reply) => change(request, reply, { mustExist: false }));
  server.patch<AtApp>('/v2/apps/*', async (request, reply) => change(request, reply, { mustExist: true }));

  server.delete<AtApp>('/v2/apps/*', async (request, reply) => {
    const path = appPath(request.params['*']);
    if (path.kind === 'tasks') return tasks.killAll(path.id, request);
    if (path.kind === 'task') return tasks.killOne(path.id, path.task, request);
    if (path.kind !== 'app') throw new Problem(405, { message: 'Method Not Allowed' });
    // The default of `force` differs here: running deployments of the app are cancelled (§3.7).
    const force = request.query['force'] === undefined || isTrue(request.query['force']);
    return updated(
      reply,
      await changes.apply(
        (root) => {
          mustHave(root, path.id);
          return { after: new Map([...root].filter(([id]) => id !== path.id)) };
        },
        { force },
      ),
    );
  });

  server.post<AtApp>('/v2/apps/*', async (request, reply) => {
    const path = appPath(request.params['*']);
    if (path.kind !== 'restart') throw new Problem(405, { message: 'Method Not Allowed' });
    return updated(
      reply,
      await changes.apply(
        (root) => {
          mustHave(root, path.id);
          return { after: root, restarted: [path.id] };
        },
        { force: isTrue(request.query['force']) },
      ),
    );
  });

  async function changeMany(
    request: Request,
    reply: FastifyReply,
    { mustExist }: { mustExist: boolean },
  ): Promise<FastifyReply> {
    const { body, query } = request;
    const updates = updatesIn(body);
    const partial = mustExist || query['partialUpdate'] === undefined || isTrue(query['partialUpdate']);
    const accepted = await changes.apply(
      (root, version) => {
        if (mustExist) for (const { id } of updates) mustHave(root, id);
        const drafts = updates.map((update) => draftFor(appAt(root, update.id), { ...update, partial }));
        return changes.put(root, drafts, version);
      },
      applyOptions(
        request,
        updates.map(({ id }) => id),
      ),
    );
    return updated(reply, accepted);
  }

  async function change(
    request: Request & { params: { '*': string } },
    reply: FastifyReply,
    { mustExist }: { mustExist: boolean },
  ): Promise<FastifyReply> {
    const path = appPath(request.params['*']);
    if (path.kind !== 'app') throw new Problem(405, { message: 'Method Not Allowed' });
    const partial =
      mustExist || request.query['partialUpdate'] === undefined || isTrue(request.query['partialUpdate']);
    let isNew = false;
    const accepted = await changes.apply(
      (root, version) => {
        const before = appAt(root, path.id);
        isNew = before === undefined;
        if (isNew && mustExist) throw new NotFound(`App '${path.id}' does not exist`);
        return changes.put(root, [draftFor(before, { id: path.id, body: request.body, partial })], version);
      },
      applyOptions(request, [path.id]),
    );
    return isNew
      ? created(reply, accepted, `${base}${path.id}`).send(result(accepted))
      : updated(reply, accepted);
  }

  /** What a PUT or PATCH of one app comes to: an older version of it, a partial update, or a whole definition. */
  function draftFor(
    before: App | undefined,
    { id, body, partial }: { id: string; body: unknown; partial: boolean },
  ) {
    const rollback = versionIn(body);
    if (rollback !== undefined) return changes.version(id, rollback);
    return required(
      before !== undefined && partial ? parseUpdate(body, renderDefinition(before), id) : parseApp(body, id),
    );
  }

  function versions(id: string) {
    existing(id);
    const kept = database.snapshot.versionsOf(id);
    return {
      versions: kept
        .map((app) => app.version)
        .sort()
        .reverse(),
    };
  }

  function below(group: string, embeds: ReadonlySet<Embed>) {
    const apps = appsIn(database.snapshot.table('apps')).filter((app) => app.id.startsWith(`${group}/`));
    return apps.map((app) => appInfo(database.snapshot, app, { embeds, now: clock.now() }));
  }

  function existing(id: string): App {
    const app = appAt(database.snapshot.table('apps'), id);
    if (app === undefined) throw new NotFound(`App '${id}' does not exist`);
    return app;
  }
}

const appEmbeds: readonly Embed[] = ['counts', 'tasks', 'lastTaskFailure', 'deployments'];

function applyOptions({ query, ip, url }: Request, apps: readonly string[]): ApplyOptions {
  return { force: isTrue(query['force']), posted: { apps, clientIp: ip, uri: url } };
}

/** What creating an app answers: the definition with zero counts (§3.2). */
function createdInfo(app: App, { deploymentId }: Accepted) {
  return {
    ...renderDefinition(app),
    version: app.version,
    tasksStaged: 0,
    tasksRunning: 0,
    tasksHealthy: 0,
    tasksUnhealthy: 0,
    deployments: [{ id: deploymentId }],
  };
}

function created(reply: FastifyReply, accepted: Accepted, location: string): FastifyReply {
  return reply.code(201).headers({ location, ...acceptedHeaders(accepted) });
}

function updated(reply: FastifyReply, accepted: Accepted): FastifyReply {
  return reply.headers(acceptedHeaders(accepted)).send(result(accepted));
}

function result({ version, deploymentId }: Accepted) {
  return { version, deploymentId };
}

/** A rollback names an older version and nothing else (§3.4). */
function versionIn(body: unknown): string | undefined {
  if (!isObject(body) || typeof body['version'] !== 'string') return undefined;
  if (Object.keys(body).every((key) => key === 'version' || key === 'id')) return body['version'];
  throw new Problem(422, { message: "The 'version' field may only be combined with the 'id' field." });
}

function updatesIn(body: unknown): readonly { id: string; body: unknown }[] {
  if (!Array.isArray(body)) {
    throw new Problem(422, {
      message: 'Invalid JSON',
      details: [{ path: '/', errors: ['error.expected.jsarray'] }],
    });
  }
  return body.map((item: unknown) => {
    if (!isObject(item) || typeof item['id'] !== 'string')
      throw new Problem(422, { message: 'App Update must have app id set' });
    return { id: absoluteId(item['id']), body: item };
  });
}

function appFilter(query: Query): (app: App) => boolean {
  const label = typeof query['label'] === 'string' ? labelSelector(query['label']) : undefined;
  const part = (name: string) => (typeof query[name] === 'string' ? query[name].toLowerCase() : undefined);
  const [cmd, id] = [part('cmd'), part('id')];
  return (app) =>
    (cmd === undefined || (app.cmd ?? '').toLowerCase().includes(cmd)) &&
    (id === undefined || app.id.toLowerCase().includes(id)) &&
    (label === undefined || label(app.labels));
}

function mustHave(root: Root, id: string): void {
  if (appAt(root, id) === undefined) throw new NotFound(`App '${id}' does not exist`);
}
