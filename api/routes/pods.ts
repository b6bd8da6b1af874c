import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { PodApp } from '../../core/model/app.ts';
import { versionKey } from '../../core/state/tables.ts';
import { type Accepted, type AppChanges, acceptedHeaders, required } from '../change-apps.ts';
import type { ApiDependencies, ApiOptions } from '../dependencies.ts';
import { podAt, podsIn } from '../kinds.ts';
import { parsePod } from '../marathon/parse-pod.ts';
import { renderPod } from '../marathon/render-pod.ts';
import { leavingPods, podOrLeaving, podStatus } from '../pod-status.ts';
import { NotFound, Problem } from '../problem.ts';
import { warningsOf } from '../warnings.ts';
import { podInstanceRoutes } from './pod-instances.ts';
import { podPath } from './pod-path.ts';
import { isTrue } from './query.ts';

type Query = Readonly<Record<string, string | string[] | undefined>>;
type AtPod = { Params: { '*': string }; Querystring: Query; Body: unknown };
type Change = 'created' | 'updated' | 'deleted';

/** Marathon §6. HEAD, by which clients find out that there are pods, comes with GET. */
export function podRoutes(
  server: FastifyInstance,
  dependencies: ApiDependencies,
  { changes, options }: { changes: AppChanges; options: ApiOptions },
): void {
  const { database, events, clock } = dependencies;
  const { snapshot } = database;
  const base = `http://${options.host}:${options.port}/v2/pods`;
  const instances = podInstanceRoutes(dependencies);

  server.get('/v2/pods', async () => podsIn(snapshot.table('apps')).map(renderPod));

  const everyStatus = () => [...podsIn(snapshot.table('apps')), ...leavingPods(snapshot)].map(statusOf);
  // The router reads a doubled colon as one that is meant as it stands.
  server.get('/v2/pods::::status', async () => everyStatus());

  server.post<{ Querystring: Query; Body: unknown }>('/v2/pods', async (request, reply) => {
    const draft = required(parsePod(request.body));
    const accepted = await changes.apply(
      (root, version) => {
        if (podAt(root, draft.id) !== undefined)
          throw new Problem(409, { message: `A pod with id [${draft.id}] already exists.` });
        return changes.put(root, [draft], version);
      },
      { force: isTrue(request.query['force']) },
    );
    tell('created', request);
    return put(reply.code(201).header('location', `${base}${draft.id}`), accepted, draft.id);
  });

  server.get<AtPod>('/v2/pods/*', async (request) => {
    const path = podPath(request.params['*']);
    switch (path.kind) {
      case 'pod':
        return renderPod(existing(path.id));
      case 'status':
        // Some clients put a slash after every resource.
        if (path.id === '/') return everyStatus();
        return statusOf(podOrLeaving(snapshot, path.id) ?? existing(path.id));
      case 'versions':
        return versionsOf(existing(path.id).id);
      case 'version':
        return renderPod(atVersion(path.id, path.version));
      default:
        throw new NotFound(`URI not found: ${request.url}`);
    }
  });

  server.put<AtPod>('/v2/pods/*', async (request, reply) => {
    const id = podOnly(request);
    const draft = required(parsePod(request.body));
    if (draft.id !== id)
      throw new Problem(400, { message: `'${id}' does not match definition's id ('${draft.id}')` });
    const accepted = await changes.apply(
      (root, version) => {
        if (podAt(root, id) === undefined) throw missing(id);
        return changes.put(root, [draft], version);
      },
      { force: isTrue(request.query['force']) },
    );
    tell('updated', request);
    return put(reply, accepted, id);
  });

  server.delete<AtPod>('/v2/pods/*', async (request, reply) => {
    const path = podPath(request.params['*']);
    if (path.kind === 'instance') return instances.killOne(path.id, path.instance);
    if (path.kind === 'instances') return instances.killMany(path.id, request.body);
    const id = podOnly(request);
    const accepted = await changes.apply(
      (root) => {
        if (podAt(root, id) === undefined) throw missing(id);
        return { after: new Map([...root].filter(([other]) => other !== id)) };
      },
      { force: isTrue(request.query['force']) },
    );
    tell('deleted', request);
    return answered(reply.code(202), accepted).header('location', accepted.deploymentId).send();
  });

  function tell(change: Change, { ip, url }: { ip: string; url: string }): void {
    events.emit({ kind: 'pod-changed', change, clientIp: ip, uri: url });
  }

  function existing(id: string): PodApp {
    const pod = podAt(snapshot.table('apps'), id);
    if (pod === undefined) throw missing(id);
    return pod;
  }

  /** The pod as it is in the tables after a change, and what of it is not acted on. */
  function put(reply: FastifyReply, accepted: Accepted, id: string): FastifyReply {
    const pod = existing(id);
    return answered(reply, { ...accepted, warnings: warningsOf([pod]) }).send(renderPod(pod));
  }

  function statusOf(pod: PodApp) {
    return podStatus(snapshot, pod, clock.now());
  }

  function versionsOf(id: string): readonly string[] {
    const versions = snapshot.versionsOf(id).map((app) => app.version);
    return versions.sort().reverse();
  }

  function atVersion(id: string, version: string): PodApp {
    const pod = podAt(snapshot.table('versions'), versionKey(id, version));
    if (pod === undefined || !snapshot.table('apps').has(id))
      throw new NotFound(`Pod '${id}' does not exist in version ${version}`);
    return pod;
  }
}

function podOnly({ params }: Pick<FastifyRequest<AtPod>, 'params'>): string {
  const path = podPath(params['*']);
  if (path.kind !== 'pod') throw new Problem(405, { message: 'Method Not Allowed' });
  return path.id;
}

function missing(id: string): NotFound {
  return new NotFound(`Pod '${id}' does not exist`);
}

function answered(reply: FastifyReply, accepted: Accepted): FastifyReply {
  return reply.headers(acceptedHeaders(accepted));
}
